#include "orchestrator/measure/fold/usage_fold.h"

#include <algorithm>

namespace walstorm::measure {
namespace {

constexpr std::int64_t kNoPid = -1;

/// What a counter added; nothing when it fell, which means another process under the same pid.
std::uint64_t grown(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

}  // namespace

void UsageFold::add(const ProcessSample& sample) {
  if (first_at_us_ == 0) first_at_us_ = last_at_us_ = second_began_us_ = sample.at_unix_us;
  last_at_us_ = std::max(last_at_us_, sample.at_unix_us);
  if (sample.pid) {
    several_pids_ = several_pids_ || (pid_ && *pid_ != *sample.pid);
    pid_ = sample.pid;
  }
  const auto [at, is_new] = processes_.try_emplace(sample.pid.value_or(kNoPid), Process{sample});
  if (!is_new) {
    const ProcessSample& before = at->second.last;
    cpu_user_us_ += grown(before.cpu_user_us, sample.cpu_user_us);
    cpu_system_us_ += grown(before.cpu_system_us, sample.cpu_system_us);
    cpu_wait_us_ += grown(before.cpu_wait_us.value_or(0), sample.cpu_wait_us.value_or(0));
    context_switches_ += grown(before.context_switches, sample.context_switches);
    // The high-water mark is the process's own, of its whole life: it tells of this phase only if it rose in
    // it.
    if (sample.rss_max_bytes > before.rss_max_bytes) {
      rss_max_bytes_ = std::max(rss_max_bytes_, sample.rss_max_bytes);
    }
    at->second = Process{sample};
  }
  rss_max_bytes_ = std::max(rss_max_bytes_, rss_now());
  waits_known_ = waits_known_ && sample.cpu_wait_us;
  cpu_curve_.add({sample.at_unix_us, cpu_user_us_ + cpu_system_us_});
  wait_curve_.add({sample.at_unix_us, cpu_wait_us_});
}

std::uint64_t UsageFold::rss_now() const {
  std::uint64_t bytes = 0;
  for (const auto& [pid, process] : processes_) bytes += process.last.rss_bytes;
  return bytes;
}

Second::Process UsageFold::close_second(const std::string& role) {
  Second::Process second{.role = role, .records_per_sec = {}, .cpu_share = {}, .rss_bytes = {}};
  const std::uint64_t cpu_us = cpu_user_us_ + cpu_system_us_;
  if (last_at_us_ > second_began_us_) {
    second.cpu_share =
        static_cast<double>(cpu_us - second_base_us_) / static_cast<double>(last_at_us_ - second_began_us_);
    second_began_us_ = last_at_us_;
    second_base_us_ = cpu_us;
  }
  for (auto& [pid, process] : processes_) ++process.seconds_unseen;
  std::erase_if(processes_,
                [](const auto& entry) { return entry.second.seconds_unseen > kUnseenSecondsMax; });
  if (!processes_.empty()) second.rss_bytes = rss_now();
  return second;
}

std::optional<std::uint64_t> UsageFold::cpu_us() const {
  if (last_at_us_ == first_at_us_) return std::nullopt;
  return cpu_user_us_ + cpu_system_us_;
}

CpuLoad UsageFold::cpu_load(double from_unix_us, double to_unix_us) const {
  CpuLoad load;
  load.share = rise_share(cpu_curve_, from_unix_us, to_unix_us);
  if (waits_known_) load.wait_share = rise_share(wait_curve_, from_unix_us, to_unix_us);
  return load;
}

ProcessReport UsageFold::report(const std::string& role, std::uint64_t records) const {
  ProcessReport report;
  report.role = role;
  if (!several_pids_) report.pid = pid_;
  if (first_at_us_ != 0) report.rss_max_bytes = rss_max_bytes_;
  const auto cpu = cpu_us();
  if (!cpu) return report;
  report.cpu_user_sec = static_cast<double>(cpu_user_us_) / 1e6;
  report.cpu_system_sec = static_cast<double>(cpu_system_us_) / 1e6;
  if (records > 0) report.cpu_micros_per_record = static_cast<double>(*cpu) / static_cast<double>(records);
  report.context_switches = context_switches_;
  return report;
}

}  // namespace walstorm::measure
