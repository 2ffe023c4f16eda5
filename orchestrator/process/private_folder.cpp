#include "orchestrator/process/private_folder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "proto/wire/error.h"

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;
using wire::Error;
using wire::ErrorKind;

/// In the order of FolderFor.
constexpr std::array<std::string_view, 3> kPrefixes{"walstorm-postgres-", "walstorm-clickhouse-",
                                                    "walstorm-copy-"};

/// How long a folder may stand without a lock file: being made and being removed both pass through that.
constexpr std::chrono::minutes kUnlockedAgeMax{5};

/// The lock on `path`, or -1. A folder's maker holds that on the file "lock" in it: a free one says that the
/// maker is gone.
int try_lock(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

/// The lock file gets its name when it is locked already: another run that clears up at this very moment
/// never sees a free lock in a folder that is in use.
int make_locked(const fs::path& folder) {
  const fs::path unnamed = folder / "lock.new";
  const int fd = try_lock(unnamed, O_CREAT | O_EXCL);
  if (fd < 0 || ::rename(unnamed.c_str(), (folder / "lock").c_str()) != 0) {
    throw Error(ErrorKind::unavailable, fmt::format("lock {}: errno {}", folder.string(), errno));
  }
  return fd;
}

bool is_stale(const fs::path& folder) {
  const int lock = try_lock(folder / "lock", 0);
  if (lock >= 0) {
    ::close(lock);
    return true;
  }
  std::error_code unreadable;
  if (fs::exists(folder / "lock", unreadable) || unreadable) return false;  // in use, or not ours to touch
  const auto changed = fs::last_write_time(folder, unreadable);
  return !unreadable && fs::file_time_type::clock::now() - changed > kUnlockedAgeMax;
}

/// Ends the ClickHouse that still runs in a stale folder. A private server goes with its maker by a death
/// signal, but the kernel drops that for a program with capabilities of its own, as ClickHouse's packages
/// make theirs (prctl(2), PR_SET_PDEATHSIG).
void end_processes_of(const fs::path& folder) {
  const std::string its_own = "--config-file=" + folder.string() + "/";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1 || pid == ::getpid()) continue;
    std::ifstream in(entry.path() / "cmdline", std::ios::binary);
    std::string command_line;
    for (std::string argument; std::getline(in, argument, '\0');) command_line += argument + "\n";
    if (command_line.find(its_own) != std::string::npos) ::kill(pid, SIGKILL);
  }
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
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
  path_.clear();
  if (lock_fd_ >= 0) ::close(lock_fd_);
  lock_fd_ = -1;
}

std::vector<fs::path> stale_folders(const fs::path& where) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(where, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool ours = std::any_of(kPrefixes.begin(), kPrefixes.end(),
                                  [&](std::string_view prefix) { return name.starts_with(prefix); });
    if (ours && is_stale(entry.path())) found.push_back(entry.path());
  }
  return found;
}

std::vector<fs::path> remove_stale_folders(const fs::path& where) {
  std::vector<fs::path> removed = stale_folders(where);
  std::erase_if(removed, [](const fs::path& folder) {
    end_processes_of(folder);
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    return fs::exists(folder);
  });
  return removed;
}

}  // namespace walstorm::process
