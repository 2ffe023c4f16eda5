#include "tests/support/cpu_hog.h"

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>

namespace walstorm::tests {
namespace {

constexpr int kLowestPriority = 19;

/// The last one that this process may use: tests that run beside this one are not all on it.
int last_allowed_cpu() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  EXPECT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0) << std::strerror(errno);
  for (int cpu = CPU_SETSIZE - 1; cpu > 0; --cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) return cpu;
  }
  return 0;
}

}  // namespace

CpuHog::CpuHog(process::EventLoop& loop) : cpu_(last_allowed_cpu()) {
  process::ChildOptions options;
  options.program = "/usr/bin/env";
  // Each of them becomes the next, so that the child is the shell; the limit is in seconds of CPU.
  options.arguments = {"taskset", "-c", std::to_string(cpu_),
                       "sh",      "-c", "ulimit -t 120; while :; do :; done"};
  options.log_file = "/dev/null";
  child_ = std::make_unique<process::ChildProcess>(loop, options);
}

void CpuHog::crowd_out(pid_t pid) const {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(cpu_), &one);
  EXPECT_EQ(::sched_setaffinity(pid, sizeof one, &one), 0) << std::strerror(errno);
  EXPECT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), kLowestPriority), 0) << std::strerror(errno);
}

}  // namespace walstorm::tests
