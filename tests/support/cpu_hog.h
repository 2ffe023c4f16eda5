#pragma once

#include <memory>
#include <sys/types.h>
#include <vector>

#include "orchestrator/process/child_process.h"

namespace walstorm::tests {

/// A process that does nothing but use one CPU, and takes it from those who are made to share it: they keep
/// about one part in seventy. Ends with this object, and by itself after two minutes.
class CpuHog final {
 public:
  explicit CpuHog(process::EventLoop& loop);

  /// Ties `pid` to the same CPU, at the lowest priority. Fails the test when that is refused.
  void crowd_out(pid_t pid) const;

 private:
  int cpu_;
  std::unique_ptr<process::ChildProcess> child_;
};

}  // namespace walstorm::tests
