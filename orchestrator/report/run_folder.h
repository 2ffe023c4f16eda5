#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace walstorm::report {

/// The folder that a run leaves: `<output>/<name>-<YYYY-MM-DDTHH-MM-SSZ>/` with `logs/` in it. It is always a
/// new one: a second run within the same second gets "-2" and so on.
class RunFolder final {
 public:
  /// Creates the folder, and `output` where that is not there yet. Characters of `name` that do not suit a
  /// file name become '_'. Throws Error{unavailable} when it cannot.
  RunFolder(const std::filesystem::path& output, std::string_view name, std::int64_t started_unix_us);

  /// One that is there already. Throws Error{config} when it is not.
  [[nodiscard]] static RunFolder open(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path logs() const { return path_ / "logs"; }

  /// Writes a whole file at once: a reader sees the old one or the new one, never a part.
  /// Secrets in it are hidden. Throws Error{unavailable} when it cannot.
  void write(const std::string& file_name, const std::string& whole) const;

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

}  // namespace walstorm::report
