#include "proto/wire/worker_session.h"

#include <chrono>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include "proto/wire/clock.h"
#include "proto/wire/host_name.h"
#include "proto/wire/log.h"
#include "proto/wire/process_usage.h"
#include "proto/wire/utf8.h"
#include "proto/wire/version.h"

namespace walstorm::wire {
namespace {

constexpr int kLastWordsTimeoutMs = 2000;

/// Moves fd 1 away to a descriptor of its own and points stdout at stderr. Returns that descriptor.
int keep_stdout_for_frames() {
  const int frames = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (frames < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    throw Error(ErrorKind::internal, fmt::format("keep fd 1 for frames: errno {}", errno));
  }
  return frames;
}

proto::FailureKind to_proto(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config:
      return proto::FAILURE_CONFIG;
    case ErrorKind::unavailable:
      return proto::FAILURE_UNAVAILABLE;
    case ErrorKind::protocol:
      return proto::FAILURE_PROTOCOL;
    case ErrorKind::data:
      return proto::FAILURE_DATA;
    case ErrorKind::internal:
      return proto::FAILURE_INTERNAL;
  }
  return proto::FAILURE_INTERNAL;
}

}  // namespace

WorkerSession::WorkerSession(boost::asio::io_context& loop)
    : loop_(loop),
      channel_(loop, ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), keep_stdout_for_frames()),
      sample_timer_(loop) {}

int WorkerSession::run(Worker& worker) {
  worker_ = &worker;
  try {
    channel_.start([this](std::string_view bytes) { on_frame(bytes); },
                   [this](const std::string& reason) {
                     spdlog::info("control pipe closed ({}): stopping", reason);
                     loop_.stop();
                   });
    loop_.run();
    channel_.flush(kLastWordsTimeoutMs);
    return 0;
  } catch (const Error& error) {
    fail(error.kind(), error.what());
  } catch (const std::exception& error) {
    fail(ErrorKind::internal, error.what());
  }
  return 1;
}

void WorkerSession::fail(ErrorKind kind, const std::string& message) {
  spdlog::error("{}: {} ({})", where_, message, to_string(kind));
  proto::MetricsFrame frame;
  frame.mutable_failure()->set_kind(to_proto(kind));
  frame.mutable_failure()->set_message(to_utf8(message));
  frame.mutable_failure()->set_where(to_utf8(where_));
  send(frame);
  channel_.flush(kLastWordsTimeoutMs);
}

void WorkerSession::send(const proto::MetricsFrame& frame) {
  channel_.send(frame);
}

void WorkerSession::on_frame(std::string_view bytes) {
  proto::ControlFrame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(ErrorKind::protocol, "a control frame could not be parsed");
  }
  dispatch(frame);
}

void WorkerSession::dispatch(const proto::ControlFrame& frame) {
  if (frame.body_case() != proto::ControlFrame::kSetup && frame.body_case() != proto::ControlFrame::kStop &&
      !set_up_) {
    throw Error(ErrorKind::protocol, "a control frame came before Setup");
  }
  switch (frame.body_case()) {
    case proto::ControlFrame::kSetup:
      return set_up(frame.setup());
    case proto::ControlFrame::kStartPhase:
      return start_phase(frame.start_phase());
    case proto::ControlFrame::kEndPhase:
      worker_->end_phase(frame.end_phase());
      return;
    case proto::ControlFrame::kCheckContent:
      where_ = "content check";
      worker_->check_content(frame.check_content());
      return;
    case proto::ControlFrame::kStop:
      spdlog::info("stopping as told");
      loop_.stop();
      return;
    case proto::ControlFrame::BODY_NOT_SET:
      break;
  }
  throw Error(ErrorKind::protocol, "a control frame of an unknown kind");
}

void WorkerSession::set_up(const proto::Setup& setup) {
  where_ = "setup";
  if (setup.protocol_version() != kProtocolVersion) {
    throw Error(ErrorKind::protocol,
                fmt::format("the orchestrator speaks protocol version {}, this worker {}: use "
                            "programs of one walstorm build",
                            setup.protocol_version(), kProtocolVersion));
  }
  start_log(setup.worker(), false);
  worker_->setup(setup);
  if (setup.watch_loop()) loop_watch_.emplace(loop_);
  compare_clocks();
  set_up_ = true;
  proto::MetricsFrame frame;
  proto::Hello& hello = *frame.mutable_hello();
  hello.set_protocol_version(kProtocolVersion);
  hello.set_tool_version(kToolVersion);
  hello.set_git_revision(kGitRevision);
  hello.set_pid(static_cast<std::uint32_t>(::getpid()));
  hello.set_host(host_name());
  send(frame);
  where_ = "waiting for a phase";
}

void WorkerSession::start_phase(const proto::StartPhase& phase) {
  where_ = fmt::format("phase \"{}\"", phase.name());
  phase_index_ = phase.phase_index();
  sample_sequence_ = 0;
  proto::MetricsFrame frame;
  proto::PhaseReady& ready = *frame.mutable_phase_ready();
  read_own_usage(*ready.mutable_usage());
  even_clock_.follow();
  worker_->start_phase(phase);
  phase_on_ = true;
  ready.set_phase_index(phase_index_);
  ready.set_at_unix_us(even_clock_.unix_us());
  if (clock_) to_proto(*clock_, *ready.mutable_clock());
  send(frame);
  if (loop_watch_) loop_watch_->begin_phase();
  sample_interval_ = std::chrono::milliseconds(phase.sample_interval_ms());
  if (sample_interval_.count() == 0) return;
  sample_timer_.expires_after(sample_interval_);
  arm_sample_timer();
}

/// One that is not found out now is not known: the clock may have been set.
void WorkerSession::compare_clocks() {
  clock_ = worker_->compare_clocks();
}

void WorkerSession::arm_sample_timer() {
  sample_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !phase_on_) return;
    send_sample();
    // From the last deadline, not from now: samples keep their beat.
    sample_timer_.expires_at(sample_timer_.expiry() + sample_interval_);
    arm_sample_timer();
  });
}

void WorkerSession::send_sample() {
  proto::MetricsFrame frame;
  proto::Sample& sample = *frame.mutable_sample();
  sample.set_sequence(sample_sequence_++);
  sample.set_phase_index(phase_index_);
  sample.set_taken_unix_us(even_clock_.unix_us());
  read_own_usage(*sample.mutable_usage());
  if (loop_watch_) loop_watch_->fill(*sample.mutable_loop());
  worker_->fill(sample);
  channel_.offer(frame);
}

void WorkerSession::send_result() {
  proto::MetricsFrame frame;
  proto::PhaseResult& result = *frame.mutable_phase_result();
  result.set_phase_index(phase_index_);
  result.set_taken_unix_us(even_clock_.unix_us());
  result.set_wall_clock_set_by_us(even_clock_.wall_set_by_us());
  read_own_usage(*result.mutable_usage());
  if (loop_watch_) {
    loop_watch_->fill(*result.mutable_loop());
    loop_watch_->end_phase();
  }
  worker_->fill(result);
  send(frame);
  phase_on_ = false;
  sample_timer_.cancel();
  // Later: the worker is still closing the phase.
  boost::asio::post(loop_, [this] {
    if (phase_on_) return;
    compare_clocks();
    proto::MetricsFrame compared;
    compared.mutable_clock_compared();
    if (clock_) to_proto(*clock_, *compared.mutable_clock_compared()->mutable_clock());
    send(compared);
  });
}

int run_worker(const char* program,
               const std::function<std::unique_ptr<Worker>(boost::asio::io_context&, WorkerSession&)>& make) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // the write says it
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  start_log(program, false);
  try {
    boost::asio::io_context loop(1);
    WorkerSession session(loop);
    const std::unique_ptr<Worker> worker = make(loop, session);
    return session.run(*worker);
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return 1;
  }
}

}  // namespace walstorm::wire
