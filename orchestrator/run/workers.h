#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/run/worker_process.h"
#include "proto/wire/error.h"

namespace walstorm::run {

/// All worker processes of a run: started together, stopped together, and failed as soon as one of them has.
class Workers final {
 public:
  using Role = WorkerProcess::Role;
  /// For waits in which a worker has nothing to say.
  static constexpr std::chrono::milliseconds kNeverSilent = std::chrono::hours(24 * 365);

  /// The variables that a worker is started with beside the usual ones.
  using VariablesOf = std::function<std::vector<std::string>(Role role, const std::string& name)>;

  /// `log_dir` takes each worker's stderr as <name>.log. `launcher` starts them.
  Workers(process::EventLoop& loop, std::unique_ptr<const fleet::Launcher> launcher,
          std::filesystem::path log_dir, WorkerProcess::OnFrame on_frame, VariablesOf variables_of = {});

  WorkerProcess& start(Role role, const std::string& name);

  [[nodiscard]] const std::vector<std::unique_ptr<WorkerProcess>>& all() const { return workers_; }
  /// Whether every worker of that role is in `names`.
  [[nodiscard]] bool all_in(const std::set<std::string>& names, Role role) const;
  void send_to(Role role, const proto::ControlFrame& frame);

  /// The first worker's failure, or that one has said nothing for `silence_max`; empty while all is well.
  [[nodiscard]] std::string failure(std::chrono::milliseconds silence_max = kNeverSilent) const;

  /// What the failed worker's own Failure said it was; unavailable for one that just ended.
  [[nodiscard]] wire::ErrorKind failure_kind() const;

  /// EventLoop::wait that also ends, with Error, when a worker fails or says nothing for `silence_max`. Waits
  /// for what takes its time (a load window): a timeout is an answer.
  [[nodiscard]] process::Waited wait(std::chrono::milliseconds timeout, std::chrono::milliseconds silence_max,
                                     int interrupts_tolerated, const std::function<bool()>& done);

  /// Waits for what must come: a missed deadline is an Error too (`what` begins its message), and more than
  /// `interrupts_tolerated` interrupts throw process::Interrupted.
  void await(const std::string& what, std::chrono::milliseconds timeout, int interrupts_tolerated,
             const std::function<bool()>& done);

  /// Ends every worker by the ladder Stop frame, SIGTERM, SIGKILL, `grace` each: all are told, then all are
  /// waited for. Returns a sentence for each that needed more than the first rung.
  [[nodiscard]] std::vector<std::string> stop(std::chrono::milliseconds grace);

 private:
  [[nodiscard]] bool all_ended() const;

  process::EventLoop& loop_;
  const std::unique_ptr<const fleet::Launcher> launcher_;
  std::filesystem::path log_dir_;
  WorkerProcess::OnFrame on_frame_;
  const VariablesOf variables_of_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
};

}  // namespace walstorm::run
