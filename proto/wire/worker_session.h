#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "proto/control.pb.h"
#include "proto/metrics.pb.h"
#include "proto/wire/clock.h"
#include "proto/wire/clock_offset.h"
#include "proto/wire/error.h"
#include "proto/wire/frame_channel.h"
#include "proto/wire/loop_watch.h"

namespace walstorm::wire {

/// The version of control.proto and metrics.proto that this build speaks.
inline constexpr std::uint32_t kProtocolVersion = 3;

/// What a worker process does, as the frames ask: implemented by the producer and by the consumer. All calls
/// come on the worker's loop. What they throw ends the process with a Failure frame.
class Worker {
 public:
  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  virtual ~Worker() = default;

  /// Connects and prepares; may block. Hello is sent when it returns.
  virtual void setup(const proto::Setup& setup) = 0;
  /// Starts the phase; PhaseReady is sent when it returns.
  virtual void start_phase(const proto::StartPhase& phase) = 0;
  /// Begins to end the phase; the worker calls WorkerSession::send_result when it has ended.
  virtual void end_phase(const proto::EndPhase& end) = 0;
  /// Producers only; answers with WorkerSession::send(ContentChecked). May block.
  virtual void check_content(const proto::CheckContent& check) = 0;
  /// Fills in the cumulative figures of the phase that is on: `producer` or `consumer`.
  virtual void fill(proto::Sample& sample) = 0;
  virtual void fill(proto::PhaseResult& result) = 0;
  /// How far this process's wall clock is ahead of PostgreSQL's; nullopt when that cannot be found out now.
  /// Called after setup() and after each result, when no load is on; may block for a moment.
  virtual std::optional<ClockOffset> compare_clocks() = 0;
};

/// The worker's end of the pipes: frames in, frames out, samples by timer, failures, the end.
///
/// Takes fd 0 for control frames and keeps fd 1 for metrics frames, after which stdout is stderr, so that no
/// stray print breaks a frame. Make it before anything else can print.
class WorkerSession final {
 public:
  explicit WorkerSession(boost::asio::io_context& loop);
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;

  /// Serves frames until Stop, end of file or a failure. Returns the process's exit code: 0, or 1 after a
  /// Failure.
  [[nodiscard]] int run(Worker& worker);

  void send(const proto::MetricsFrame& frame);

  /// What this worker tells times by: even within a phase, whatever is done to the wall clock.
  [[nodiscard]] const EvenClock& clock() const { return even_clock_; }

  /// Sends a Sample now, beside those by timer.
  void send_sample();

  /// Sends the phase's PhaseResult; samples stop.
  void send_result();

 private:
  void on_frame(std::string_view bytes);
  void dispatch(const proto::ControlFrame& frame);
  void set_up(const proto::Setup& setup);
  void start_phase(const proto::StartPhase& phase);
  void compare_clocks();
  void arm_sample_timer();
  void fail(ErrorKind kind, const std::string& message);

  boost::asio::io_context& loop_;
  FrameChannel channel_;
  boost::asio::steady_timer sample_timer_;
  Worker* worker_ = nullptr;  // set for the length of run()
  SystemClock system_clock_;
  EvenClock even_clock_{system_clock_};
  std::optional<ClockOffset> clock_;     // as far as it is known
  std::optional<LoopWatch> loop_watch_;  // where Setup asks for it
  std::string where_ = "start";
  std::chrono::milliseconds sample_interval_{0};  // 0: none by timer
  std::uint32_t phase_index_ = 0;
  std::uint64_t sample_sequence_ = 0;
  bool phase_on_ = false;
  bool set_up_ = false;
};

/// The whole of a worker's main: ignores SIGPIPE, SIGXFSZ and SIGINT (a terminal's Ctrl-C goes to the whole
/// process group; the orchestrator decides what it means), asks to be killed when the parent dies, runs the
/// session. `make` builds the worker on the loop and session, which outlive it.
[[nodiscard]] int run_worker(
    const char* program,
    const std::function<std::unique_ptr<Worker>(boost::asio::io_context&, WorkerSession&)>& make);

}  // namespace walstorm::wire
