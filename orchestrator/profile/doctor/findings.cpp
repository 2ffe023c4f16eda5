#include "orchestrator/profile/doctor/findings.h"

#include <cmath>
#include <fmt/format.h>

#include "orchestrator/profile/doctor/diagnosis.h"
#include "orchestrator/text/format.h"

namespace walstorm::profile::doctor {
namespace {

using text::ms_text;
using text::percent_text;

Overall of(const Found& found, std::optional<double> Window::*figure) {
  return over(found.watched.windows, figure);
}

std::string bytes(double count) {
  return text::bytes_text(static_cast<std::uint64_t>(std::llround(std::max(0.0, count))));
}

std::string in_windows(const Found& found) {
  return fmt::format("in {} of {} windows", found.windows, found.watched.windows.size());
}

/// " It used 12 % of a CPU, and its loop slept for 85 % of the time." As far as it is known.
std::string at_leisure(const Found& found) {
  const Overall cpu = of(found, &Window::cpu_share);
  const Overall busy = of(found, &Window::utilization);
  std::string text;
  if (cpu.mean) text = fmt::format("it used {} of a CPU", percent_text(cpu.mean));
  if (busy.mean)
    text += fmt::format("{}its loop slept for {} of the time", text.empty() ? "" : " and ",
                        percent_text(1 - *busy.mean));
  return text.empty() ? "" : "; " + text;
}

/// For how long its loop slept says little here: it wakes late.
std::string starved(const Found& found) {
  const Overall waited = of(found, &Window::run_queue_share);
  return fmt::format(
      "{} it was ready to run and had no CPU for {} of the time or more ({} on average, {} at most); it used "
      "{} of a CPU",
      in_windows(found), percent_text(found.limits.run_queue_share), percent_text(waited.mean),
      percent_text(waited.highest), percent_text(of(found, &Window::cpu_share).mean));
}

std::string cpu_bound(const Found& found) {
  const Overall cpu = of(found, &Window::cpu_share);
  if (!cpu.mean) {
    return fmt::format("{} its loop was at work for {} of the time or more ({} on average)",
                       in_windows(found), percent_text(found.limits.busy_share),
                       percent_text(of(found, &Window::utilization).mean));
  }
  return fmt::format(
      "{} its one thread was on a CPU, or ready for one, for {} of the time or more; on average it used {} "
      "of a CPU and waited for one for {}",
      in_windows(found), percent_text(found.limits.busy_share), percent_text(cpu.mean),
      percent_text(of(found, &Window::run_queue_share).mean));
}

std::string on_sink(const Found& found) {
  return fmt::format(
      "{} it had all the flushes under way that it may have at once, or held all the memory that it may hold "
      "(on average {} of the flushes, {} of the memory); a record's flush took {} (p50){}",
      in_windows(found), percent_text(of(found, &Window::flushes_share).mean),
      percent_text(of(found, &Window::buffered_share).mean), ms_text(of(found, &Window::sink_wait_ms).median),
      at_leisure(found));
}

std::string on_postgres(const Found& found) {
  if (found.watched.role == Role::producer) {
    return fmt::format(
        "{} its connections were in transactions for {} of their time or more ({} on average){}",
        in_windows(found), percent_text(found.limits.connections_share),
        percent_text(of(found, &Window::connections_share).mean), at_leisure(found));
  }
  const Overall wait = of(found, &Window::postgres_wait_ms);
  return fmt::format("{} its records came {} or more after their commit ({} p50, {} at most){}",
                     in_windows(found), ms_text(found.limits.postgres_wait_ms), ms_text(wait.median),
                     ms_text(wait.highest), at_leisure(found));
}

std::string growing(const Found& found) {
  return fmt::format("its resident memory grew from {} to {}, by {} a second, and had not stopped",
                     bytes(found.growth->from_bytes), bytes(found.growth->to_bytes),
                     bytes(found.growth->bytes_per_sec));
}

std::string well(const Found& found) {
  std::string text = "nothing that has a limit reached it";
  const Overall late = of(found, &Window::loop_delay_p99_ms);
  text += at_leisure(found);
  if (late.median) text += fmt::format("; the loop was late by {} (p99)", ms_text(late.median));
  return text;
}

}  // namespace

std::string sentence(const Found& found, Category category) {
  const auto says = [&]() -> std::string {
    switch (category) {
      case Category::too_little_data:
        return fmt::format("{} of about a second, and it takes {}",
                           found.watched.windows.size() == 1
                               ? "there is 1 window"
                               : fmt::format("there are {} windows", found.watched.windows.size()),
                           found.limits.windows_min);
      case Category::memory_growing:
        return growing(found);
      case Category::scheduler_starved:
        return starved(found);
      case Category::cpu_bound:
        return cpu_bound(found);
      case Category::io_bound_on_sink:
        return on_sink(found);
      case Category::io_bound_on_postgres:
        return on_postgres(found);
      case Category::healthy:
        return well(found);
    }
    return "";
  };
  return category == Category::too_little_data
             ? fmt::format("{}: too little data: {}.", found.watched.worker, says())
             : fmt::format("{} is {}: {}.", found.watched.worker, words(category), says());
}

std::string next_step(Role role, Category category, const Thresholds& limits) {
  const bool consumer = role == Role::consumer;
  switch (category) {
    case Category::too_little_data:
      return fmt::format("make the phase last {} s or more", limits.windows_min + 2);
    case Category::memory_growing:
      return consumer
                 ? "find out what it holds: consumer.maxBufferedMB bounds its batches, and what a slow sink "
                   "leaves behind fills them; a longer phase shows whether it ends there"
                 : "producer.maxLiveRows bounds the rows that it remembers; a longer phase shows whether it "
                   "ends there";
    case Category::scheduler_starved:
      return "give it a CPU: run the servers or other load elsewhere, raise a container's CPU quota, or pin "
             "and prioritise it (taskset, nice)";
    case Category::cpu_bound:
      return consumer ? "see what it computes with --profile flame; consumer.compression none or lz4, "
                        "consumer.insertFormat native and a larger consumer.flushBatchSize cost it less"
                      : "raise producer.workerCount, or producer.batchSize; --profile flame --set "
                        "profiling.targets='[\"producer\"]' shows what it computes";
    case Category::io_bound_on_sink:
      return "raise consumer.flushBatchSize or consumer.maxFlushConcurrency, or make the sink faster";
    case Category::io_bound_on_postgres:
      return consumer
                 ? "look at the walsender: its CPU (--profile flame --set "
                   "profiling.targets='[\"postgres-walsender\"]'), logical_decoding_work_mem, the network"
                 : "raise producer.batchSize or producer.connections, use producer.writeMode copy, or look "
                   "at what PostgreSQL's commits wait for (synchronous_commit, the disk)";
    case Category::healthy:
      return "nothing to mend; a higher target shows where it ends (walstorm search)";
  }
  return "";
}

std::vector<std::string> remarks(const Found& found, Category category) {
  std::vector<std::string> all;
  const Overall late = of(found, &Window::loop_delay_p99_ms);
  if (late.highest && *late.highest >= found.limits.loop_delay_p99_ms)
    all.push_back(
        fmt::format("its loop was late by up to {} (p99 of a window; limit {}): timers and answers waited",
                    ms_text(late.highest), ms_text(found.limits.loop_delay_p99_ms)));
  const Overall waited = of(found, &Window::run_queue_share);
  const bool known_already = category == Category::scheduler_starved;
  if (!known_already && waited.mean && *waited.mean >= found.limits.run_queue_share)
    all.push_back(fmt::format("it waited for a CPU for {} of the time (limit {}): what it does comes later",
                              percent_text(waited.mean), percent_text(found.limits.run_queue_share)));
  const Overall faults = of(found, &Window::major_faults_per_sec);
  if (faults.mean && *faults.mean >= found.limits.major_faults_per_sec)
    all.push_back(
        fmt::format("{:.0f} page faults a second read from a disk (limit {:.0f}): the machine is short "
                    "of memory",
                    *faults.mean, found.limits.major_faults_per_sec));
  const Overall busy = of(found, &Window::utilization);
  const Overall cpu = of(found, &Window::cpu_share);
  constexpr double kUnexplained = 0.2;
  if (busy.mean && cpu.mean && *busy.mean - *cpu.mean - waited.mean.value_or(0) >= kUnexplained)
    all.push_back(
        fmt::format("its loop was awake for {} of the time and used a CPU for {}: something in it "
                    "blocks, a disk or a call",
                    percent_text(busy.mean), percent_text(cpu.mean)));
  return all;
}

}  // namespace walstorm::profile::doctor
