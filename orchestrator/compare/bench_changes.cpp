#include "orchestrator/compare/bench_changes.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "orchestrator/compare/change_text.h"
#include "orchestrator/text/format.h"

namespace walstorm::compare {
namespace {

std::vector<double> times_of(const std::vector<Bench>& benches, const std::string& name) {
  const auto found =
      std::find_if(benches.begin(), benches.end(), [&](const Bench& each) { return each.name == name; });
  return found == benches.end() ? std::vector<double>() : found->cpu_ns;
}

FigureChange bench_change(const std::vector<Bench>& base, const std::vector<Bench>& candidate,
                          const std::string& name) {
  return change_of(name, measure::Better::lower, times_of(base, name), times_of(candidate, name));
}

std::string time_text(const std::optional<MedianInterval>& side) {
  return side ? bench_time_text(side->median) : "–";
}

std::string repetitions_text(const FigureChange& bench) {
  return fmt::format("{}, {}", bench.base ? bench.base->count : 0,
                     bench.candidate ? bench.candidate->count : 0);
}

}  // namespace

std::vector<FigureChange> bench_changes(const std::vector<Bench>& base, const std::vector<Bench>& candidate) {
  std::vector<FigureChange> changes;
  for (const Bench& bench : base) changes.push_back(bench_change(base, candidate, bench.name));
  for (const Bench& bench : candidate) {
    if (times_of(base, bench.name).empty()) changes.push_back(bench_change(base, candidate, bench.name));
  }
  return changes;
}

std::string bench_time_text(double ns) {
  constexpr double kMicro = 1000;
  return ns < kMicro ? fmt::format("{:.1f} ns", ns) : text::micros_text(ns / kMicro);
}

std::string bench_text(const std::vector<FigureChange>& changes) {
  constexpr std::size_t kGap = 2;
  std::vector<std::vector<std::string>> rows{
      {"CPU time of one", "base", "candidate", "change", "p", "repetitions"}};
  std::size_t told = 0;
  for (const FigureChange& bench : changes) {
    if (bench.said != Said::untold) ++told;
    rows.push_back({bench.path, time_text(bench.base), time_text(bench.candidate), change_text(bench),
                    p_text(bench), repetitions_text(bench)});
  }
  std::string text;
  for (const std::string& line : text::aligned(rows, kGap)) text += line + "\n";
  if (told < changes.size())
    text +=
        fmt::format("? marks what the repetitions cannot tell from noise: {} a side could\n", runs_needed());
  if (told > 0)
    text += fmt::format(
        "~ is within noise (Mann-Whitney, p not below {:g}); of {} {}, chance alone makes up to {:.0f} "
        "look changed, on average\n",
        kSignificant, told, told == 1 ? "bench" : "benches",
        std::ceil(kSignificant * static_cast<double>(told)));
  return text;
}

}  // namespace walstorm::compare
