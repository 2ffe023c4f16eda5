#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "orchestrator/process/child_environment.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm::process {

struct UserId {
  uid_t uid;
  gid_t gid;
};

struct ChildOptions {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  /// Where its stderr is appended, and its stdout too unless it has pipes.
  std::filesystem::path log_file;
  /// stdin and stdout are pipes to us (stdin_fd, stdout_fd); otherwise stdin is /dev/null.
  bool with_pipes = false;
  /// Given up to when we are root.
  std::optional<UserId> run_as;
  Variables variables = Variables::needed;
  /// "NAME=value", beside those and in place of those of the same name.
  std::vector<std::string> more_variables = {};
  /// A signal goes to all of the child's process group, and what is left of it ends with the child's object:
  /// of a command that starts what is wanted, rather than being it.
  bool signal_group = false;
  /// What the kernel sends the child when we die, however we die.
  int death_signal = SIGKILL;
};

/// How a process ended: an exit code, or the signal that ended it.
struct ExitStatus {
  int code = 0;
  int signal = 0;  ///< 0 when it exited by itself

  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
};

/// "exit code 7" or "signal 9".
[[nodiscard]] std::string to_string(const ExitStatus& status);

/// One process that we started. It is in a process group of its own, so that a terminal's Ctrl-C reaches us
/// alone, and never outlives us. The only file that knows Boost.Process.
class ChildProcess final {
 public:
  /// Throws Error{unavailable} when it cannot be started.
  ChildProcess(EventLoop& loop, const ChildOptions& options);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Kills it if it still runs, with its group where signals go to that.
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const;
  /// nullopt while it runs. Known one turn of the loop after it ended.
  [[nodiscard]] const std::optional<ExitStatus>& ended() const;
  /// Called on the loop when it has ended.
  void on_end(std::function<void()> callback);

  /// Does nothing once it has ended.
  void send_signal(int signal);

  /// Our ends of its pipes; the caller takes them over (once).
  [[nodiscard]] int take_stdin_fd();
  [[nodiscard]] int take_stdout_fd();

 private:
  struct State;  // keeps Boost.Process out of this header, and outlives a pending wait
  std::shared_ptr<State> state_;
};

/// Starts a process and waits for its end. Throws Error{unavailable} naming the program and the end of its
/// log when it does not end well within `timeout`, and process::Interrupted. Neither it nor those that it
/// started are left then.
void run_to_end(EventLoop& loop, const ChildOptions& options, std::chrono::milliseconds timeout);

/// The last `lines_max` lines of a log file, for error messages; empty when there are none.
[[nodiscard]] std::string last_lines(const std::filesystem::path& log_file, int lines_max);

}  // namespace walstorm::process
