#pragma once

#include <cstddef>
#include <string>
#include <vector>

/// What a doctor's categories mean: the one table of them. Everything that judges or shows reads it here.
namespace walstorm::profile::doctor {

/// In the order in which they are looked for in a window.
enum class Category {
  too_little_data,
  memory_growing,
  scheduler_starved,
  cpu_bound,
  io_bound_on_sink,
  io_bound_on_postgres,
  healthy,
};

/// As profile.json has it: "io-bound-on-the-sink".
[[nodiscard]] std::string to_string(Category category);
/// As people read it: "io-bound on the sink".
[[nodiscard]] std::string words(Category category);

struct Thresholds {
  /// Fewer windows than this are no ground for a diagnosis.
  std::size_t windows_min = 3;
  /// A phase is in a category when at least this share of its windows is.
  double windows_share = 0.3;

  // Of a window.
  double run_queue_share = 0.2;     ///< starved: so much of its time ready, and without a CPU
  double starved_busy_share = 0.5;  ///< ... and so much of it on a CPU or ready for one: it has work
  double busy_share = 0.85;         ///< cpu-bound: so much of its time on a CPU, or ready for one
  double flushes_share = 1;         ///< on the sink: of the flushes allowed, under way
  double buffered_share = 0.9;      ///< ... or of the memory allowed, held
  double held_up_ms = 50;           ///< ... and the reader held up by that: p50 from commit to read
  double postgres_wait_ms = 500;    ///< on PostgreSQL, consumer: p50 from commit to read
  double connections_share = 0.9;   ///< ... producer: of its connections' time, in transactions

  // Of a phase: the median of its last third of windows against that of its first.
  std::size_t growth_windows_min = 6;
  double growth_bytes = 32.0 * 1024 * 1024;
  double growth_share = 0.1;  ///< of what there was
  /// Of the growth, the part that came from the first third to the second, and from the second to the last:
  /// what grew once and stays is no growth.
  double growth_step_share = 0.25;

  // Worth a word, and no category.
  double loop_delay_p99_ms = 50;
  double major_faults_per_sec = 10;
};

/// A line of the table that report and page print.
struct Rule {
  Category category;
  std::string says;
};
[[nodiscard]] std::vector<Rule> rules(const Thresholds& thresholds);

}  // namespace walstorm::profile::doctor
