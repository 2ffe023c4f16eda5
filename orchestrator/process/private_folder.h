#pragma once

#include <filesystem>
#include <vector>

namespace walstorm::process {

/// Where temporary files go: TMPDIR, else /tmp; absolute, also where TMPDIR is not. Throws Error{unavailable}
/// that says what to do where there is no such folder, or nothing can be made in it.
[[nodiscard]] std::filesystem::path temporary_folder();

/// What a run keeps in the temporary folder while it lasts; the name says what for.
enum class FolderFor { postgres, clickhouse, schema_copy, check, profile };

/// A folder of one run in the temporary folder, nobody else's to read (mode 0700), gone with this object. A
/// run that is killed leaves it there with a free lock: by that the next run, or `walstorm clean`, finds it.
/// The lock is the first thing in the folder and the last to go.
class PrivateFolder final {
 public:
  /// Removes what killed runs left, then makes the folder. Throws Error{unavailable}.
  explicit PrivateFolder(FolderFor use);
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  /// remove(), if that was not done.
  ~PrivateFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Removes it with all that is in it. What uses it has to be gone.
  void remove();

 private:
  std::filesystem::path path_;  // empty: removed
  int lock_fd_ = -1;
};

/// The folders that killed runs left in `where`.
[[nodiscard]] std::vector<std::filesystem::path> stale_folders(const std::filesystem::path& where);

/// Ends what still runs in them, waits for its end, and removes them. Returns what was removed: not a folder
/// in which something goes on running all the same.
std::vector<std::filesystem::path> remove_stale_folders(const std::filesystem::path& where);

}  // namespace walstorm::process
