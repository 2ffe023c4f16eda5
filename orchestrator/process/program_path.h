#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Where programs are found.
namespace walstorm::process {

/// PATH's folders, in their order; empty entries are left out.
[[nodiscard]] std::vector<std::filesystem::path> path_folders();

/// The first file of that name that may be run, of PATH's folders and then those of `beyond`; empty where
/// there is none.
[[nodiscard]] std::filesystem::path in_path(const std::string& program,
                                            const std::vector<std::filesystem::path>& beyond = {});

/// The folder of the file that this process runs: walstorm's programs stand side by side.
[[nodiscard]] std::filesystem::path own_folder();

}  // namespace walstorm::process
