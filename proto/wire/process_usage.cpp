#include "proto/wire/process_usage.h"

#include <cstdint>
#include <fstream>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

namespace walstorm::wire {
namespace {

std::uint64_t to_us(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000U + static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

void read_own_usage(proto::ProcessUsage& out) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  out.set_cpu_user_us(to_us(usage.ru_utime));
  out.set_cpu_system_us(to_us(usage.ru_stime));
  out.set_rss_max_bytes(static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U);
  out.set_context_switches(static_cast<std::uint64_t>(usage.ru_nvcsw) +
                           static_cast<std::uint64_t>(usage.ru_nivcsw));
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  if (std::ifstream statm("/proc/self/statm"); statm >> total_pages >> resident_pages) {
    out.set_rss_bytes(resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  }
  // proc(5): nanoseconds on a CPU, nanoseconds waiting for one, time slices.
  std::uint64_t on_cpu_ns = 0;
  std::uint64_t waited_ns = 0;
  if (std::ifstream schedstat("/proc/self/schedstat"); schedstat >> on_cpu_ns >> waited_ns) {
    out.set_cpu_wait_us(waited_ns / 1000U);
  }
  const struct mallinfo2 heap = ::mallinfo2();
  out.set_heap_bytes(heap.uordblks + heap.hblkhd);
}

}  // namespace walstorm::wire
