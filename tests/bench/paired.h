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
};

struct Contestant {
  std::string name;
  std::function<Take()> run;
};

/// A contestant's takes, round by round.
struct Row {
  std::string name;
  std::vector<Take> takes;
};

/// Of two rows' rates, or CPU per record, in the same round.
struct Ratio {
  double median = 0;
  double low = 0, high = 0;  ///< the median's 95 % confidence interval; below 6 rounds the least and the most
};
[[nodiscard]] Ratio rate_ratio(const Row& of, const Row& to);
[[nodiscard]] Ratio cpu_ratio(const Row& of, const Row& to);

/// Prints each one's median rate and CPU per record, and their ratios to the first one's: median (low-high).
/// A machine that gets slower or faster meanwhile does so for both sides of a ratio.
void print_paired(const std::string& title, const std::vector<Row>& rows);

/// Runs the contestants in turn, `rounds` times, and prints them so.
void run_paired(const std::string& title, const std::vector<Contestant>& contestants, int rounds);

/// The line above the tables.
void print_heading(const std::string& what);

}  // namespace walstorm::bench
