#include "orchestrator/process/program_path.h"

#include <cstdlib>
#include <sstream>
#include <system_error>
#include <unistd.h>

namespace walstorm::process {

std::vector<std::filesystem::path> path_folders() {
  const char* path = std::getenv("PATH");
  std::istringstream rest(path != nullptr ? path : "");
  std::vector<std::filesystem::path> folders;
  for (std::string folder; std::getline(rest, folder, ':');) {
    if (!folder.empty()) folders.emplace_back(folder);
  }
  return folders;
}

std::filesystem::path in_path(const std::string& program, const std::vector<std::filesystem::path>& beyond) {
  std::vector<std::filesystem::path> folders = path_folders();
  folders.insert(folders.end(), beyond.begin(), beyond.end());
  for (const auto& folder : folders) {
    std::filesystem::path candidate = folder / program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::filesystem::path own_folder() {
  std::error_code unknown;
  return std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
}

}  // namespace walstorm::process
