#pragma once

#include <string>

#include "orchestrator/process/child_process.h"

namespace walstorm::fleet {

/// How a worker's process comes to be. Whatever stands between, what is started is a child of ours whose
/// stdin and stdout are the worker's: it speaks by these alone.
class Launcher {
 public:
  Launcher() = default;
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  virtual ~Launcher() = default;

  /// The child that starts `program`, such as "walstorm-producer"; its log file and pipes are the caller's.
  /// Throws Error{unavailable} when what starts it is not on this machine.
  [[nodiscard]] virtual process::ChildOptions child(const std::string& program) const = 0;

  /// Whether that child is the worker itself. Another one's process id and usage say nothing of the worker.
  [[nodiscard]] virtual bool child_is_worker() const = 0;
};

}  // namespace walstorm::fleet
