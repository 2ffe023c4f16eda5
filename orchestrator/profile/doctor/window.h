#pragma once

#include <optional>
#include <string>
#include <vector>

namespace walstorm::profile::doctor {

/// About one second of a worker. Rates are per second of the window; a share of 1 is one CPU, or all of the
/// time. What was not measured is nullopt.
struct Window {
  double from_sec = 0, to_sec = 0;  ///< since the phase began

  // From outside, by /proc.
  std::optional<double> cpu_share;
  std::optional<double> run_queue_share;  ///< ready to run, with no CPU free for it
  std::optional<double> voluntary_per_sec, involuntary_per_sec;
  std::optional<double> minor_faults_per_sec, major_faults_per_sec;
  std::optional<double> rss_bytes;

  // From inside, by its own loop.
  std::optional<double> loop_delay_p50_ms, loop_delay_p99_ms, loop_delay_max_ms;
  std::optional<double> utilization;  ///< share of the time in which the loop was not asleep

  std::optional<double> records_per_sec;  ///< of a consumer: acknowledged; of a producer: committed

  // Of a consumer.
  std::optional<double> flushes_in_flight;  ///< at the window's end
  std::optional<double> flushes_share;      ///< of those that the settings allow at once
  std::optional<double> buffered_share;     ///< of the memory that batches may hold
  std::optional<double> sink_wait_ms;       ///< p50 of a record's flush, of those acknowledged in the window
  std::optional<double> postgres_wait_ms;   ///< p50 from commit to read, of the same

  // Of a producer.
  std::optional<double> connections_share;  ///< of the connections' time, in a transaction under way
};

enum class Role { consumer, producer };

/// A worker's windows of one phase.
struct Watched {
  std::string worker;  ///< "consumer-0"
  Role role = Role::consumer;
  std::string phase;
  std::vector<Window> windows;
};

}  // namespace walstorm::profile::doctor
