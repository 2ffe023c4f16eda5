#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/fleet/launcher.h"
#include "orchestrator/process/child_process.h"
#include "proto/control.pb.h"
#include "proto/metrics.pb.h"
#include "proto/wire/frame_channel.h"
#include "proto/wire/lifetime.h"

namespace walstorm::run {

/// One producer or consumer process, seen from the orchestrator: frames to it, frames from it, and its end.
///
/// A worker fails in one of four ways, and `failure` says which: it said so (Failure), its process ended, its
/// pipe closed, or what it sent is no MetricsFrame. Lives on the orchestrator's loop.
class WorkerProcess final {
 public:
  enum class Role { producer, consumer };
  using OnFrame = std::function<void(const WorkerProcess&, const proto::MetricsFrame&)>;

  /// Has it started by `launcher`; its stderr goes to `log_file`. `variables` ("NAME=value") are the worker's
  /// alone: they are left out where what is started is not the worker itself. Throws Error{unavailable}.
  WorkerProcess(process::EventLoop& loop, Role role, std::string name, const fleet::Launcher& launcher,
                const std::filesystem::path& log_file, OnFrame on_frame,
                const std::vector<std::string>& variables = {});
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Role role() const { return role_; }
  /// The worker's own, on this machine: of a child that only starts it not the child's, but what Hello says.
  /// nullopt before that, and for a worker elsewhere.
  [[nodiscard]] std::optional<pid_t> pid() const { return pid_; }
  /// Of what was started here.
  [[nodiscard]] const std::optional<process::ExitStatus>& ended() const { return child_.ended(); }

  void send(const proto::ControlFrame& frame);
  void send_signal(int signal) { child_.send_signal(signal); }

  /// Tells it to end; from now on its end is no failure.
  void stop();

  /// Why this worker cannot go on: `consumer-0 ended: signal 9`; empty while it can.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// The kind that the worker gave with its Failure.
  [[nodiscard]] std::optional<proto::FailureKind> failure_kind() const { return failure_kind_; }
  /// How long it has said nothing, of the time in which the loop has listened.
  [[nodiscard]] std::chrono::steady_clock::duration silence() const { return loop_.attended() - last_heard_; }

 private:
  void on_bytes(std::string_view bytes);
  void on_hello(const proto::Hello& hello);
  void on_closed(const std::string& reason);
  void explain_end();
  void fail_as_ended();
  void fail(const std::string& why);

  process::EventLoop& loop_;
  Role role_;
  std::string name_;
  std::filesystem::path log_file_;
  process::ChildProcess child_;
  std::optional<pid_t> pid_;
  wire::FrameChannel channel_;
  boost::asio::steady_timer end_grace_;
  OnFrame on_frame_;
  std::string failure_;
  std::optional<proto::FailureKind> failure_kind_;
  std::chrono::steady_clock::duration last_heard_;  // in attended time
  bool pipe_closed_ = false;
  bool stopping_ = false;
  wire::Lifetime lifetime_;
};

}  // namespace walstorm::run
