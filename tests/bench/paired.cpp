#include "tests/bench/paired.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fmt/format.h>

#include "orchestrator/compare/statistics.h"

namespace walstorm::bench {
namespace {

/// What is compared: records/s, or CPU microseconds per record.
using Figure = double (*)(const Take&);

double rate(const Take& take) {
  return static_cast<double>(take.records) / take.wall_sec;
}

double cpu_micros(const Take& take) {
  return take.cpu_sec / static_cast<double>(take.records) * 1e6;
}

double median_of(const Row& row, Figure figure) {
  std::vector<double> values;
  for (const Take& take : row.takes) values.push_back(figure(take));
  return compare::median_interval(values)->median;
}

Ratio ratio(const Row& of, const Row& to, Figure figure) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < of.takes.size(); ++i)
    ratios.push_back(figure(of.takes[i]) / figure(to.takes[i]));
  const auto interval = *compare::median_interval(ratios);
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return {interval.median, interval.low.value_or(*least), interval.high.value_or(*most)};
}

std::string ratio_text(const Ratio& ratio) {
  return fmt::format("{:.3f} ({:.3f}-{:.3f})", ratio.median, ratio.low, ratio.high);
}

void print_line(const std::string& name, const std::string& rate, const std::string& cpu,
                const std::string& rate_ratio, const std::string& cpu_ratio) {
  fmt::print("  {:<32} {:>11} {:>13} {:>20} {:>20}\n", name, rate, cpu, rate_ratio, cpu_ratio);
}

}  // namespace

void print_heading(const std::string& what) {
  fmt::print("{}\n", what);
  std::fflush(stdout);
}

Ratio rate_ratio(const Row& of, const Row& to) {
  return ratio(of, to, rate);
}

Ratio cpu_ratio(const Row& of, const Row& to) {
  return ratio(of, to, cpu_micros);
}

void print_paired(const std::string& title, const std::vector<Row>& rows) {
  fmt::print("\n{}\n", title);
  print_line("", "records/s", "CPU us/record", "rate ratio", "CPU ratio");
  for (const Row& row : rows) {
    const bool first = &row == &rows.front();
    print_line(row.name, fmt::format("{:.0f}", median_of(row, rate)),
               fmt::format("{:.2f}", median_of(row, cpu_micros)),
               first ? "1" : ratio_text(rate_ratio(row, rows.front())),
               first ? "1" : ratio_text(cpu_ratio(row, rows.front())));
  }
  std::fflush(stdout);
}

void run_paired(const std::string& title, const std::vector<Contestant>& contestants, int rounds) {
  std::vector<Row> rows;
  for (const Contestant& contestant : contestants) rows.push_back({contestant.name, {}});
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      // Each is the first of a round in its turn.
      const std::size_t at = (i + static_cast<std::size_t>(round)) % contestants.size();
      rows[at].takes.push_back(contestants[at].run());
    }
  }
  print_paired(title, rows);
}

}  // namespace walstorm::bench
