#include "orchestrator/report/run_folders.h"

#include <algorithm>
#include <fmt/format.h>
#include <system_error>

#include "orchestrator/report/metrics_reader.h"
#include "proto/wire/error.h"

namespace walstorm::report {
namespace {

namespace fs = std::filesystem;
using wire::Error;
using wire::ErrorKind;

/// A folder of more is not one that walstorm made.
constexpr std::size_t kFoldersMax = 100'000;

}  // namespace

bool has_file(const fs::path& folder, const char* file) {
  std::error_code unknown;
  return fs::exists(folder / file, unknown);
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code unknown;
    if (entry.is_directory(unknown)) folders.push_back(entry.path());
    if (folders.size() == kFoldersMax) break;
  }
  if (error) {
    throw Error(ErrorKind::config, fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<fs::path> run_folders(const fs::path& folder) {
  if (has_file(folder, kMetricsFile)) return {folder};
  std::vector<fs::path> runs;
  for (const fs::path& each : folders_in(folder)) {
    if (has_file(each, kMetricsFile)) runs.push_back(each);
  }
  if (runs.empty()) {
    throw Error(ErrorKind::config,
                fmt::format("{}: neither a run's folder nor one with runs in it; `walstorm list` shows them",
                            folder.string()));
  }
  return runs;
}

}  // namespace walstorm::report
