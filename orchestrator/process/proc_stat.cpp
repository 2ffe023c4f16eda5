#include "orchestrator/process/proc_stat.h"

#include <array>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <unistd.h>

namespace walstorm::process {
namespace {

/// A process takes a moment until it notes the time as its start.
constexpr std::int64_t kSameStartUs = 1'000'000;

std::int64_t now_us(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

std::string read_file(const std::string& path) {
  // By read(), which takes the process's end in mid-read as the end of the file: stream iterators throw.
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> chunk{};
  while (in.read(chunk.data(), chunk.size()), in.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

/// The number after "Name:" in /proc/<pid>/status; 0 when it is not there.
std::uint64_t status_field(const std::string& status, std::string_view name) {
  const auto at = status.find(fmt::format("\n{}:", name));
  if (at == std::string::npos) return 0;
  std::istringstream rest(status.substr(at + name.size() + 2));
  std::uint64_t value = 0;
  rest >> value;
  return value;
}

}  // namespace

std::optional<ProcStat> read_proc_stat(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  // The second field is the command in parentheses and may itself hold any of them: fields count from the
  // last ')'.
  const auto after_command = stat.rfind(')');
  if (after_command == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(after_command + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  if (!(fields >> user_ticks >> system_ticks)) return std::nullopt;
  const auto us_per_tick = 1'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::string status = read_file(fmt::format("/proc/{}/status", pid));
  ProcStat result;
  result.cpu_user_us = user_ticks * us_per_tick;
  result.cpu_system_us = system_ticks * us_per_tick;
  result.rss_bytes = status_field(status, "VmRSS") * 1024U;
  result.rss_own_bytes = result.rss_bytes - status_field(status, "RssShmem") * 1024U;
  result.rss_max_bytes = status_field(status, "VmHWM") * 1024U;
  result.context_switches =
      status_field(status, "voluntary_ctxt_switches") + status_field(status, "nonvoluntary_ctxt_switches");
  std::istringstream schedstat(read_file(fmt::format("/proc/{}/schedstat", pid)));
  std::uint64_t on_cpu_ns = 0;
  std::uint64_t waited_ns = 0;
  if (schedstat >> on_cpu_ns >> waited_ns) result.cpu_wait_us = waited_ns / 1000U;
  return result;
}

std::optional<MachineCpu> read_machine_cpu() {
  std::istringstream line(read_file("/proc/stat"));
  std::string name;
  // user, nice, system, idle, iowait, irq, softirq, steal; a guest's time is in user already.
  std::array<std::uint64_t, 8> ticks{};
  if (!(line >> name) || name != "cpu") return std::nullopt;
  for (std::uint64_t& each : ticks) line >> each;
  if (!line) return std::nullopt;
  constexpr std::size_t kIdle = 3;
  constexpr std::size_t kWaitingForDisk = 4;
  const std::uint64_t all = std::accumulate(ticks.begin(), ticks.end(), std::uint64_t{0});
  if (all == 0) return std::nullopt;
  const auto us_per_tick = 1'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return MachineCpu{(all - ticks[kIdle] - ticks[kWaitingForDisk]) * us_per_tick, all * us_per_tick};
}

std::optional<std::int64_t> started_unix_us(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  const auto after_command = stat.rfind(')');
  if (after_command == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(after_command + 2));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  std::int64_t ticks_since_boot = 0;
  if (!(fields >> ticks_since_boot)) return std::nullopt;
  const auto since_boot_us = ticks_since_boot * (1'000'000 / ::sysconf(_SC_CLK_TCK));
  return now_us(CLOCK_REALTIME) - now_us(CLOCK_BOOTTIME) + since_boot_us;
}

bool is_local_backend(pid_t pid, std::int64_t backend_start_unix_us) {
  if (!is_local_postgres(pid)) return false;
  const auto started_us = started_unix_us(pid);
  return started_us && std::abs(*started_us - backend_start_unix_us) <= kSameStartUs;
}

bool is_local_postgres(pid_t pid) {
  return read_file(fmt::format("/proc/{}/cmdline", pid)).find("postgres") != std::string::npos;
}

}  // namespace walstorm::process
