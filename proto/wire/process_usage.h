#pragma once

#include "proto/metrics.pb.h"

namespace walstorm::wire {

/// What this process has used since it started: CPU and context switches by getrusage(2), resident memory by
/// /proc/self/statm, heap by mallinfo2(3). Works wherever the worker runs, also behind ssh.
void read_own_usage(proto::ProcessUsage& out);

}  // namespace walstorm::wire
