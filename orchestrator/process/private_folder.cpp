#include "orchestrator/process/private_folder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "orchestrator/process/folder_processes.h"
#include "proto/wire/error.h"

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;
using wire::Error;
using wire::ErrorKind;

/// In the order of FolderFor.
constexpr std::array<std::string_view, 5> kPrefixes{"walstorm-postgres-", "walstorm-clickhouse-",
                                                    "walstorm-copy-", "walstorm-check-", "walstorm-profile-"};

/// How long an empty folder may stand without a lock: one that is being made is that for a moment.
constexpr std::chrono::minutes kUnlockedAgeMax{5};
/// For the servers of a stale folder to end: longer than PostgreSQL's immediate shutdown may take.
constexpr std::chrono::seconds kServersEnd{15};
constexpr const char* kLock = "lock";
constexpr const char* kLockInTheMaking = "lock.new";

/// The lock on the file "lock" in a folder, which its maker holds for as long as it lives.
class FolderLock final {
 public:
  /// Not held when it is another's or there is no such file. The folder may be anybody's: no link is
  /// followed.
  FolderLock(const fs::path& file, int flags)
      : fd_(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600)) {
    if (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0) ::close(std::exchange(fd_, -1));
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] bool is_held() const { return fd_ >= 0; }
  [[nodiscard]] int take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// The lock file gets its name when it is locked already: another run that clears up at this very moment
/// never sees a free lock in a folder that is in use.
int make_locked(const fs::path& folder) {
  const fs::path unnamed = folder / kLockInTheMaking;
  FolderLock lock(unnamed, O_CREAT | O_EXCL);
  if (!lock.is_held() || ::rename(unnamed.c_str(), (folder / kLock).c_str()) != 0) {
    throw Error(ErrorKind::unavailable, fmt::format("lock {}: errno {}", folder.string(), errno));
  }
  return lock.take();
}

/// Whether a folder without a lock is what is left of one: the lock is the first that comes and the last that
/// goes, so only in one whose maker is about to make it, or was killed then, there is nothing else.
bool is_left_over_without_lock(const fs::path& folder) {
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    if (entry.path().filename() != kLockInTheMaking) return true;
  }
  if (unreadable) return false;
  const auto changed = fs::last_write_time(folder, unreadable);
  return !unreadable && fs::file_time_type::clock::now() - changed > kUnlockedAgeMax;
}

/// The right to clear `folder` up, for as long as the result lives; nullopt when it is in use, or not ours to
/// touch.
std::optional<FolderLock> claim(const fs::path& folder) {
  std::error_code unreadable;
  if (!fs::is_directory(fs::symlink_status(folder, unreadable))) return std::nullopt;
  FolderLock lock(folder / kLock, 0);
  if (lock.is_held()) return lock;
  if (fs::exists(fs::symlink_status(folder / kLock, unreadable)) ||
      (unreadable && unreadable != std::errc::no_such_file_or_directory)) {
    return std::nullopt;
  }
  if (!is_left_over_without_lock(folder)) return std::nullopt;
  return lock;
}

bool has_our_name(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<fs::path> folders_of_our_name(const fs::path& where) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(where, ignored)) {
    if (has_our_name(entry.path())) found.push_back(entry.path());
  }
  return found;
}

/// The lock goes last: of a removal that is broken off there stays a folder with a free lock, which is stale.
/// False when something of it is still there.
bool remove_folder(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename() == kLock) continue;
    std::error_code failed;
    fs::remove_all(entry.path(), failed);
    if (failed) return false;
  }
  fs::remove(folder / kLock, ignored);
  fs::remove(folder, ignored);
  return !fs::exists(folder, ignored);
}

}  // namespace

fs::path temporary_folder() {
  std::error_code none;
  const fs::path folder = fs::temp_directory_path(none);
  const char* named = std::getenv("TMPDIR");
  const std::string shown =
      named == nullptr ? "the temporary folder, /tmp," : fmt::format("TMPDIR, \"{}\",", named);
  if (none)
    throw Error(ErrorKind::unavailable,
                fmt::format("{} is no folder: set TMPDIR to one that is there", shown));
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Error(ErrorKind::unavailable,
                fmt::format("{} cannot be written to: set TMPDIR to a folder that can", shown));
  }
  return fs::absolute(folder);
}

PrivateFolder::PrivateFolder(FolderFor use) {
  const fs::path where = temporary_folder();
  remove_stale_folders(where);
  std::string name = (where / fmt::format("{}XXXXXX", kPrefixes[static_cast<std::size_t>(use)])).string();
  if (::mkdtemp(name.data()) == nullptr)
    throw Error(ErrorKind::unavailable, fmt::format("make a temporary folder {}: errno {}", name, errno));
  path_ = name;
  try {
    lock_fd_ = make_locked(path_);
  } catch (...) {
    remove();
    throw;
  }
}

PrivateFolder::~PrivateFolder() {
  remove();
}

void PrivateFolder::remove() {
  if (!path_.empty()) (void)remove_folder(path_);
  path_.clear();
  if (lock_fd_ >= 0) ::close(lock_fd_);
  lock_fd_ = -1;
}

std::vector<fs::path> stale_folders(const fs::path& where) {
  std::vector<fs::path> stale = folders_of_our_name(where);
  std::erase_if(stale, [](const fs::path& folder) { return !claim(folder); });
  return stale;
}

std::vector<fs::path> remove_stale_folders(const fs::path& where) {
  std::vector<fs::path> removed = folders_of_our_name(where);
  std::erase_if(removed, [](const fs::path& folder) {
    const auto claimed = claim(folder);
    return !claimed || !end_processes_of(folder, kServersEnd) || !remove_folder(folder);
  });
  return removed;
}

}  // namespace walstorm::process
