#include "orchestrator/check/machine.h"

#include <fmt/format.h>
#include <fstream>
#include <system_error>
#include <unistd.h>

#include "orchestrator/check/check_text.h"
#include "orchestrator/process/private_folder.h"
#include "orchestrator/process/program_path.h"
#include "proto/wire/error.h"

namespace walstorm::check {
namespace {

namespace fs = std::filesystem;

/// Up to this perf_event_paranoid an ordinary user may sample its own processes (kernel documentation,
/// "perf_event_paranoid").
constexpr int kParanoidMax = 2;

}  // namespace

config::Finding judge_disk(std::optional<std::uint64_t> available, std::uint64_t needed) {
  const std::string plan = fmt::format("the plan writes about {} (table and WAL)", size_text(needed));
  if (!available) {
    return {config::Level::unknown, "disk space", plan + "; the server's disk cannot be seen from here",
            "make sure by hand that it has so much free"};
  }
  const std::string says = fmt::format("{}, {} are free", plan, size_text(*available));
  if (*available > needed + needed / 10) return {config::Level::ok, "disk space", says, ""};
  return {config::Level::problem, "disk space", says,
          "shorten the phases, or lower the rate or payloadSizeKB"};
}

config::Finding judge_perf(const std::string& perf, std::optional<int> paranoid, bool is_root) {
  if (perf.empty())
    return {config::Level::note, "perf", "is not installed: no CPU profiles", "apt-get install linux-perf"};
  if (!paranoid)
    return {config::Level::note, "perf", fmt::format("{}; the kernel does not say who may use it", perf), ""};
  const std::string says = fmt::format("{}, perf_event_paranoid is {}", perf, *paranoid);
  if (is_root || *paranoid <= kParanoidMax) return {config::Level::ok, "perf", says, ""};
  return {config::Level::note, "perf", says + ": it may not look at processes",
          "sysctl kernel.perf_event_paranoid=1, for CPU profiles"};
}

config::Finding check_output_folder(const fs::path& folder) {
  std::error_code ignored;
  fs::path existing = fs::absolute(folder, ignored);
  while (!fs::exists(existing, ignored) && existing.has_relative_path()) existing = existing.parent_path();
  const std::string says = fmt::format("{} can be written to", folder.string());
  if (fs::is_directory(existing, ignored) && ::access(existing.c_str(), W_OK | X_OK) == 0)
    return {config::Level::ok, "results", says, ""};
  return {config::Level::problem, "results", fmt::format("no folder can be made in {}", existing.string()),
          "choose another one with --output"};
}

config::Finding check_temporary_folder() {
  try {
    return {config::Level::ok, "temporary", process::temporary_folder().string() + " can be written to", ""};
  } catch (const wire::Error& error) {
    return {config::Level::problem, "temporary", error.what(), ""};
  }
}

config::Finding check_workers() {
  const fs::path here = process::own_folder();
  std::string missing;
  for (const char* name : {"walstorm-producer", "walstorm-consumer"}) {
    if (::access((here / name).c_str(), X_OK) != 0)
      missing += fmt::format("{}{}", missing.empty() ? "" : " and ", name);
  }
  if (missing.empty()) return {config::Level::ok, "workers", "are beside walstorm", ""};
  return {config::Level::problem, "workers", fmt::format("{} not found in {}", missing, here.string()),
          "install walstorm's three programs in one folder"};
}

config::Finding check_disk(const std::optional<fs::path>& data_folder, std::uint64_t needed) {
  std::error_code unknown;
  const auto space = data_folder ? fs::space(*data_folder, unknown) : fs::space_info{};
  return judge_disk(data_folder && !unknown ? std::optional<std::uint64_t>(space.available) : std::nullopt,
                    needed);
}

config::Finding check_perf() {
  std::ifstream in("/proc/sys/kernel/perf_event_paranoid");
  int paranoid = 0;
  const bool known = static_cast<bool>(in >> paranoid);
  return judge_perf(process::in_path("perf").string(), known ? std::optional(paranoid) : std::nullopt,
                    ::geteuid() == 0);
}

}  // namespace walstorm::check
