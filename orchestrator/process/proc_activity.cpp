#include "orchestrator/process/proc_activity.h"

#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <unistd.h>

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;

/// Empty when it cannot be read.
std::string proc_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text;
  // By read(), which takes the process's end in mid-read as the end of the file: stream iterators throw.
  std::array<char, 4096> chunk{};
  while (in.read(chunk.data(), chunk.size()), in.gcount() > 0)
    text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
  return text;
}

/// The number after "Name:" in a status file.
std::optional<std::uint64_t> status_number(const std::string& status, const std::string& name) {
  const auto at = status.find("\n" + name + ":");
  if (at == std::string::npos) return std::nullopt;
  std::istringstream rest(status.substr(at + name.size() + 2));
  std::uint64_t number = 0;
  if (!(rest >> number)) return std::nullopt;
  return number;
}

/// Of any thread that tells it.
void add(std::optional<std::uint64_t>& sum, std::optional<std::uint64_t> part) {
  if (part) sum = sum.value_or(0) + *part;
}

std::optional<std::uint64_t> run_queue_us_of(const fs::path& thread) {
  std::istringstream schedstat(proc_text(thread / "schedstat"));
  std::uint64_t on_cpu_ns = 0;
  std::uint64_t waited_ns = 0;
  if (!(schedstat >> on_cpu_ns >> waited_ns)) return std::nullopt;
  return waited_ns / 1000U;
}

/// Fields of stat by their numbers in proc(5); the second is the command in parentheses and may hold any of
/// them, so they count from the last ')'.
bool read_stat(const std::string& stat, ProcActivity& activity) {
  const auto after_command = stat.rfind(')');
  if (after_command == std::string::npos || after_command + 2 > stat.size()) return false;
  std::istringstream fields(stat.substr(after_command + 2));
  std::string skipped;
  for (int field = 3; field < 10; ++field) fields >> skipped;
  std::uint64_t of_children = 0;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  fields >> activity.minor_faults >> of_children >> activity.major_faults >> of_children >> user_ticks >>
      system_ticks;
  const auto us_per_tick = 1'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  activity.cpu_user_us = user_ticks * us_per_tick;
  activity.cpu_system_us = system_ticks * us_per_tick;
  return static_cast<bool>(fields);
}

}  // namespace

std::optional<ProcActivity> read_proc_activity(pid_t pid, const fs::path& proc) {
  const fs::path folder = proc / std::to_string(pid);
  ProcActivity activity;
  if (!read_stat(proc_text(folder / "stat"), activity)) return std::nullopt;
  if (const auto kib = status_number(proc_text(folder / "status"), "VmRSS"))
    activity.rss_bytes = *kib * 1024U;
  std::error_code unreadable;
  for (fs::directory_iterator thread(folder / "task", unreadable), end; !unreadable && thread != end;
       thread.increment(unreadable)) {
    const std::string status = proc_text(thread->path() / "status");
    add(activity.voluntary_switches, status_number(status, "voluntary_ctxt_switches"));
    add(activity.involuntary_switches, status_number(status, "nonvoluntary_ctxt_switches"));
    add(activity.run_queue_us, run_queue_us_of(thread->path()));
  }
  return activity;
}

}  // namespace walstorm::process
