#include "orchestrator/run/worker_process.h"

#include <fmt/format.h>
#include <utility>

#include "proto/wire/host_name.h"

namespace walstorm::run {
namespace {

/// How long a closed pipe waits for the exit status that explains it, and an exit for the end of the pipe.
constexpr std::chrono::milliseconds kEndGrace{1000};

process::ChildOptions child_options(const fleet::Launcher& launcher, WorkerProcess::Role role,
                                    const std::filesystem::path& log_file,
                                    const std::vector<std::string>& variables) {
  process::ChildOptions options =
      launcher.child(role == WorkerProcess::Role::producer ? "walstorm-producer" : "walstorm-consumer");
  options.log_file = log_file;
  if (launcher.child_is_worker()) options.more_variables = variables;
  options.with_pipes = true;
  return options;
}

}  // namespace

WorkerProcess::WorkerProcess(process::EventLoop& loop, Role role, std::string name,
                             const fleet::Launcher& launcher, const std::filesystem::path& log_file,
                             OnFrame on_frame, const std::vector<std::string>& variables)
    : loop_(loop),
      role_(role),
      name_(std::move(name)),
      log_file_(log_file),
      child_(loop, child_options(launcher, role, log_file, variables)),
      pid_(launcher.child_is_worker() ? std::optional(child_.pid()) : std::nullopt),
      channel_(loop.io(), child_.take_stdout_fd(), child_.take_stdin_fd()),
      end_grace_(loop.io()),
      on_frame_(std::move(on_frame)),
      last_heard_(loop.attended()) {
  channel_.start([this](std::string_view bytes) { on_bytes(bytes); },
                 [this](const std::string& reason) { on_closed(reason); });
  child_.on_end([this] { explain_end(); });
}

WorkerProcess::~WorkerProcess() = default;

void WorkerProcess::send(const proto::ControlFrame& frame) {
  channel_.send(frame);
}

void WorkerProcess::stop() {
  stopping_ = true;
  proto::ControlFrame frame;
  frame.mutable_stop();
  channel_.send(frame);
}

void WorkerProcess::on_bytes(std::string_view bytes) {
  if (!failure_.empty()) return;
  proto::MetricsFrame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      frame.body_case() == proto::MetricsFrame::BODY_NOT_SET) {
    return fail(fmt::format("{} sent {} bytes that are no metrics frame", name_, bytes.size()));
  }
  last_heard_ = loop_.attended();
  if (frame.has_failure()) {
    failure_kind_ = frame.failure().kind();
    return fail(
        fmt::format("{} failed in {}: {}", name_, frame.failure().where(), frame.failure().message()));
  }
  if (frame.has_hello() && !pid_) on_hello(frame.hello());
  on_frame_(*this, frame);
}

void WorkerProcess::on_hello(const proto::Hello& hello) {
  if (hello.host() == wire::host_name()) pid_ = static_cast<pid_t>(hello.pid());
}

void WorkerProcess::on_closed(const std::string& reason) {
  if (reason != "end of file") return fail(fmt::format("{} broke its pipe: {}", name_, reason));
  pipe_closed_ = true;
  explain_end();
}

void WorkerProcess::explain_end() {
  // A process that ends closes its pipe too, and the two are seen in any order: the exit status explains
  // more, and the pipe may still hold its last words. So the first waits a moment for the second.
  if (!pipe_closed_ || !child_.ended()) {
    end_grace_.expires_after(kEndGrace);
    end_grace_.async_wait([this, alive = lifetime_.token()](const boost::system::error_code& error) {
      if (!error && !alive.expired()) fail_as_ended();
    });
    return;
  }
  end_grace_.cancel();
  fail_as_ended();
}

void WorkerProcess::fail_as_ended() {
  if (!child_.ended()) return fail(fmt::format("{} closed its pipe but did not end", name_));
  const std::string tail = process::last_lines(log_file_, 3);
  fail(fmt::format("{} ended: {}{}", name_, process::to_string(*child_.ended()),
                   tail.empty() ? "" : "; its last lines:\n" + tail));
}

void WorkerProcess::fail(const std::string& why) {
  if (failure_.empty() && !stopping_) failure_ = why;
}

}  // namespace walstorm::run
