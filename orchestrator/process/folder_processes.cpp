#include "orchestrator/process/folder_processes.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <poll.h>
#include <set>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What an immediate shutdown takes: PostgreSQL itself kills after 5 s those of its children that do not go
/// (postmaster.c, SIGKILL_CHILDREN_AFTER_SECS).
constexpr std::chrono::seconds kShutdownGrace{6};
constexpr int kLookAgainMs = 20;

struct Found {
  pid_t pid;
  bool is_postgres;
};

std::vector<std::string> arguments_of(const fs::path& process) {
  std::ifstream in(process / "cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(in, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

std::string name_of(const fs::path& process) {
  std::ifstream in(process / "comm");
  std::string name;
  std::getline(in, name);
  return name;
}

/// As private servers are started (private_server.cpp, in postgres/ and in clickhouse/).
bool is_started_on(const std::vector<std::string>& arguments, const std::string& folder, bool& is_postgres) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    is_postgres =
        (arguments[i - 1] == "-D" || arguments[i - 1] == "--pgdata") && arguments[i] == folder + "/data";
    if (is_postgres || arguments[i].starts_with("--config-file=" + folder + "/")) return true;
  }
  return false;
}

/// PostgreSQL's processes write what they do in place of their arguments, but all work in the data folder.
bool is_postgres_in(const fs::path& process, const fs::path& data) {
  if (name_of(process) != "postgres") return false;
  std::error_code hidden;
  std::string where = fs::read_symlink(process / "cwd", hidden).string();
  constexpr std::string_view kDeleted = " (deleted)";
  if (where.ends_with(kDeleted)) where.resize(where.size() - kDeleted.size());
  return !hidden && where == data;
}

std::vector<Found> processes_of(const fs::path& folder) {
  struct stat owner {};
  if (::stat(folder.c_str(), &owner) != 0) return {};
  std::error_code ignored;
  const fs::path data = fs::weakly_canonical(folder, ignored) / "data";
  std::vector<Found> found;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    struct stat its {};
    if (pid <= 1 || pid == ::getpid() || ::stat(entry.path().c_str(), &its) != 0) continue;
    if (its.st_uid != owner.st_uid) continue;
    bool is_postgres = false;
    if (is_started_on(arguments_of(entry.path()), folder.string(), is_postgres)) {
      found.push_back({pid, is_postgres});
    } else if (is_postgres_in(entry.path(), data)) {
      found.push_back({pid, true});
    }
  }
  return found;
}

int milliseconds_until(Clock::time_point then) {
  const auto left = std::chrono::ceil<milliseconds>(then - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

/// Waits until `deadline` for a process that need not be our child.
void await_end(pid_t pid, Clock::time_point deadline) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    // Gone already, or a kernel before 5.3, where there is nothing to wait by.
    if (errno != ESRCH) ::poll(nullptr, 0, std::min(kLookAgainMs, milliseconds_until(deadline)));
    return;
  }
  pollfd ended{fd, POLLIN, 0};
  ::poll(&ended, 1, milliseconds_until(deadline));
  ::close(fd);
}

}  // namespace

bool end_processes_of(const fs::path& folder, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const auto killed_from = std::min(deadline, Clock::now() + kShutdownGrace);
  std::set<pid_t> told;
  // Again and again: one that is on its way out may have started another just before.
  while (true) {
    const std::vector<Found> found = processes_of(folder);
    if (found.empty()) return true;
    if (Clock::now() >= deadline) return false;
    const bool kill = Clock::now() >= killed_from;
    for (const Found& one : found) {
      if (kill || !one.is_postgres) {
        ::kill(one.pid, SIGKILL);
      } else if (told.insert(one.pid).second) {
        ::kill(one.pid, SIGQUIT);
      }
    }
    for (const Found& one : found) await_end(one.pid, kill ? deadline : killed_from);
  }
}

}  // namespace walstorm::process
