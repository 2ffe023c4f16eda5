#pragma once

#include <filesystem>
#include <vector>

namespace walstorm::report {

/// Whether `folder` has a file of that name.
[[nodiscard]] bool has_file(const std::filesystem::path& folder, const char* file);

/// The folders within `folder`, by name; of very many only the first. Throws Error{config} when it cannot be
/// listed.
[[nodiscard]] std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

/// The run folders that `folder` stands for: itself when it is a run's, else those directly in it, by name.
/// Throws Error{config} when there are none.
[[nodiscard]] std::vector<std::filesystem::path> run_folders(const std::filesystem::path& folder);

}  // namespace walstorm::report
