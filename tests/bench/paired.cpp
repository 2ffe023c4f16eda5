#include "tests/bench/paired.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fmt/format.h>

namespace walstorm::bench {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Figures {
  std::vector<double> rates, cpu_micros;  // by round
};

std::string ratio_text(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < of.size(); ++i) ratios.push_back(of[i] / to[i]);
  return fmt::format("{:.3f} ({:.3f}-{:.3f})", median(ratios),
                     *std::min_element(ratios.begin(), ratios.end()),
                     *std::max_element(ratios.begin(), ratios.end()));
}

void print_line(const std::string& name, const std::string& rate, const std::string& cpu,
                const std::string& rate_ratio, const std::string& cpu_ratio) {
  fmt::print("  {:<28} {:>11} {:>13} {:>20} {:>20}\n", name, rate, cpu, rate_ratio, cpu_ratio);
}

}  // namespace

void print_heading(const std::string& what) {
  fmt::print("{}\n", what);
  std::fflush(stdout);
}

void run_paired(const std::string& title, const std::vector<Contestant>& contestants, int rounds) {
  std::vector<Figures> figures(contestants.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      // Each is the first of a round in its turn.
      const std::size_t at = (i + static_cast<std::size_t>(round)) % contestants.size();
      const Take take = contestants[at].run();
      const auto records = static_cast<double>(take.records);
      figures[at].rates.push_back(records / take.wall_sec);
      figures[at].cpu_micros.push_back(take.cpu_sec / records * 1e6);
    }
  }
  fmt::print("\n{}\n", title);
  print_line("", "records/s", "CPU us/record", "rate ratio", "CPU ratio");
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    print_line(contestants[i].name, fmt::format("{:.0f}", median(figures[i].rates)),
               fmt::format("{:.2f}", median(figures[i].cpu_micros)),
               i == 0 ? "1" : ratio_text(figures[i].rates, figures[0].rates),
               i == 0 ? "1" : ratio_text(figures[i].cpu_micros, figures[0].cpu_micros));
  }
  std::fflush(stdout);
}

}  // namespace walstorm::bench
