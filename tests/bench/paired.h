#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace walstorm::bench {

/// What one contestant needed for its records.
struct Take {
  double wall_sec = 0;
  double cpu_sec = 0;  ///< of its processes, user and system
  std::uint64_t records = 0;
  double pipe_bytes_per_sec = 0;  ///< of a worker: what it sent of itself
};

struct Contestant {
  std::string name;
  std::function<Take()> run;
};

/// Runs the contestants in turn, `rounds` times, and prints each one's rate and CPU per record, and their
/// ratios to the first one's of the same round: the median and, behind it, the least and the most. A machine
/// that gets slower or faster meanwhile does so for both sides of a ratio.
void run_paired(const std::string& title, const std::vector<Contestant>& contestants, int rounds);

/// The line above the tables of run_paired.
void print_heading(const std::string& what);

}  // namespace walstorm::bench
