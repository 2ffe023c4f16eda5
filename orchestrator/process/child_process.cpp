#include "orchestrator/process/child_process.h"

#include <array>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/process/v2.hpp>

#include "orchestrator/process/fd.h"
#include "orchestrator/process/signals.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::process {
namespace {

namespace bp = boost::process::v2;
using wire::Error;
using wire::ErrorKind;

constexpr std::chrono::seconds kGroupEnd{2};
constexpr std::chrono::milliseconds kGroupLook{10};

std::pair<Fd, Fd> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw Error(ErrorKind::unavailable, "make a pipe: out of descriptors");
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Runs in the child between fork and exec. Order matters: setuid clears PR_SET_PDEATHSIG.
struct Prepare {
  std::optional<UserId> run_as;
  int death_signal;
  pid_t parent;
  const std::vector<const char*>& variables;

  template <typename Launcher>
  bp::error_code on_setup(Launcher& launcher, const bp::filesystem::path&, const char* const*) const {
    launcher.env = variables.data();
    return {};
  }

  template <typename Launcher>
  bp::error_code on_exec_setup(Launcher&, const bp::filesystem::path&, const char* const*) const {
    ::setpgid(0, 0);
    restore_default_signals();
    if (run_as &&
        (::setgroups(0, nullptr) != 0 || ::setgid(run_as->gid) != 0 || ::setuid(run_as->uid) != 0)) {
      return {errno, boost::system::system_category()};
    }
    ::prctl(PR_SET_PDEATHSIG, death_signal);
    if (::getppid() != parent) ::_exit(1);  // we died before the kernel was asked
    return {};
  }
};

ExitStatus exit_status_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {0, WTERMSIG(wait_status)};
  return {WEXITSTATUS(wait_status), 0};
}

/// Kills a child with those that it started and that are still in its group, and waits for their end: they
/// may be writing into a folder that is removed next. Orphans are reaped by the system, in its time.
void end_group(EventLoop& loop, ChildProcess& child) {
  if (::kill(-child.pid(), SIGKILL) != 0) return;
  const auto is_over = [&] { return child.ended().has_value() && ::kill(-child.pid(), 0) != 0; };
  const auto deadline = std::chrono::steady_clock::now() + kGroupEnd;
  boost::asio::steady_timer tick(loop.io());
  while (!is_over() && std::chrono::steady_clock::now() < deadline) {
    bool ticked = false;
    tick.expires_after(kGroupLook);
    tick.async_wait([&](const boost::system::error_code&) { ticked = true; });
    (void)loop.wait(2 * kGroupEnd, loop.interrupts() + 1000, [&] { return ticked; });
  }
}

}  // namespace

struct ChildProcess::State {
  std::optional<bp::process> process;
  pid_t pid = -1;
  bool signal_group = false;
  Fd stdin_fd;
  Fd stdout_fd;
  std::optional<ExitStatus> ended;
  std::function<void()> on_end;
};

std::string to_string(const ExitStatus& status) {
  if (status.signal != 0) return fmt::format("signal {}", status.signal);
  return fmt::format("exit code {}", status.code);
}

ChildProcess::ChildProcess(EventLoop& loop, const ChildOptions& options) : state_(std::make_shared<State>()) {
  const Fd log(::open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (log.get() < 0) {
    throw Error(ErrorKind::unavailable,
                fmt::format("open the log file {}: errno {}", options.log_file.string(), errno));
  }
  Fd child_in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Fd child_out(::fcntl(log.get(), F_DUPFD_CLOEXEC, 0));
  if (options.with_pipes) {
    std::tie(child_in, state_->stdin_fd) = make_pipe();
    std::tie(state_->stdout_fd, child_out) = make_pipe();
  }
  const std::vector<std::string> environment = child_environment(options.variables, options.more_variables);
  std::vector<const char*> variables;
  variables.reserve(environment.size() + 1);
  for (const std::string& variable : environment) variables.push_back(variable.c_str());
  variables.push_back(nullptr);
  try {
    state_->process.emplace(loop.io(), options.program.string(), options.arguments,
                            bp::process_stdio{child_in.get(), child_out.get(), log.get()},
                            Prepare{options.run_as, options.death_signal, ::getpid(), variables});
  } catch (const std::exception& error) {
    throw Error(ErrorKind::unavailable, fmt::format("start {}: {}", options.program.string(), error.what()));
  }
  state_->pid = state_->process->id();
  state_->signal_group = options.signal_group;
  state_->process->async_wait([state = state_](const bp::error_code& error, int) {
    if (error == boost::asio::error::operation_aborted) return;
    state->ended = exit_status_of(state->process->native_exit_code());
    if (state->on_end) state->on_end();
  });
}

ChildProcess::~ChildProcess() {
  if (state_->signal_group) send_signal(SIGKILL);
  state_->on_end = nullptr;
  // Kills and reaps it if it still runs, and cancels the pending wait, whose handler holds on to the state
  // until the loop has dropped it.
  state_->process.reset();
}

pid_t ChildProcess::pid() const {
  return state_->pid;
}

const std::optional<ExitStatus>& ChildProcess::ended() const {
  return state_->ended;
}

void ChildProcess::on_end(std::function<void()> callback) {
  state_->on_end = std::move(callback);
}

void ChildProcess::send_signal(int signal) {
  if (!state_->ended) ::kill(state_->signal_group ? -pid() : pid(), signal);
}

int ChildProcess::take_stdin_fd() {
  return state_->stdin_fd.take();
}

int ChildProcess::take_stdout_fd() {
  return state_->stdout_fd.take();
}

void run_to_end(EventLoop& loop, const ChildOptions& options, std::chrono::milliseconds timeout) {
  ChildProcess child(loop, options);
  const Waited waited = loop.wait(timeout, 0, [&] { return child.ended().has_value(); });
  if (waited == Waited::done && child.ended()->ok()) return;
  if (waited != Waited::done) end_group(loop, child);
  if (waited == Waited::interrupted) throw Interrupted{};
  const std::string how = waited == Waited::done ? to_string(*child.ended()) : "it did not end in time";
  throw Error(ErrorKind::unavailable,
              fmt::format("run {}: {}\n{}", options.program.string(), how, last_lines(options.log_file, 10)));
}

std::string last_lines(const std::filesystem::path& log_file, int lines_max) {
  std::ifstream in(log_file);
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
    if (lines.size() > static_cast<std::size_t>(lines_max)) lines.pop_front();
  }
  return wire::to_utf8(fmt::format("{}", fmt::join(lines, "\n")));
}

}  // namespace walstorm::process
