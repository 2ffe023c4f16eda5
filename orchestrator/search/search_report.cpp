#include "orchestrator/search/search_report.h"

#include <algorithm>
#include <cstddef>
#include <fmt/format.h>
#include <map>

namespace walstorm::search {
namespace {

constexpr const char* kRate = "consumer.throughput";
constexpr const char* kLatency = "consumer.lagMs.p99";
constexpr std::size_t kKneePointsMin = 4;

}  // namespace

std::size_t failed_trials(const SearchReport& report) {
  const auto failed = std::count_if(report.trials.begin(), report.trials.end(),
                                    [](const ValueTrial& trial) { return trial.trial.failed(); });
  return static_cast<std::size_t>(failed) + (report.unthrottled && report.unthrottled->failed() ? 1 : 0);
}

const ValueTrial* trial_at(const SearchReport& report, std::optional<double> value, Judged judged) {
  const auto found = std::find_if(report.trials.rbegin(), report.trials.rend(), [&](const ValueTrial& trial) {
    return trial.value == value && trial.judged == judged;
  });
  return found == report.trials.rend() ? nullptr : &*found;
}

const ValueTrial* failing_trial(const SearchReport& report) {
  const ValueTrial* failing = trial_at(report, report.first_failing, Judged::fails);
  return failing != nullptr ? failing : trial_at(report, report.first_failing, Judged::unclear);
}

const ValueTrial* blamed_trial(const SearchReport& report) {
  const ValueTrial* blamed = nullptr;
  for (const ValueTrial& trial : report.trials) {
    if (trial.judged != Judged::fails || !report.first_failing || trial.value < *report.first_failing)
      continue;
    if (blamed == nullptr || trial.value <= blamed->value) blamed = &trial;
  }
  return blamed;
}

std::string bound_by(const SearchReport& report) {
  const ValueTrial* failing = blamed_trial(report);
  if (failing == nullptr) return "";
  const trial::Trial& trial = failing->trial;
  if (trial.failed()) return "failed run";
  if (!trial.crossed.empty()) return fmt::format("threshold {}", fmt::join(trial.crossed, ", "));
  if (trial.verdict == measure::VerdictState::generator_limited) {
    return fmt::format("generator ({})", measure::to_string(trial.bottleneck));
  }
  return measure::to_string(trial.bottleneck);
}

std::string confidence(const SearchReport& report) {
  if (!report.confirmed) return "low";
  std::map<double, std::pair<unsigned, unsigned>> tally;  // passes and others, by value
  for (const ValueTrial& trial : report.trials) {
    auto& [passes, others] = tally[trial.value];
    (trial.judged == Judged::passes ? passes : others)++;
  }
  const bool contradicted = std::any_of(tally.begin(), tally.end(), [](const auto& entry) {
    return entry.second.first > 0 && entry.second.second > 0;
  });
  if (contradicted) return "medium";
  if (!report.first_failing) return "high";
  if (trial_at(report, report.first_failing, Judged::fails) == nullptr) return "medium";
  return tally[*report.first_failing].second >= 2 ? "high" : "medium";
}

const ValueTrial* knee(const SearchReport& report) {
  struct Point {
    double rate, latency;
    const ValueTrial* trial;
  };
  std::vector<Point> points;
  for (const ValueTrial& trial : report.trials) {
    const auto& figures = trial.trial.figures;
    if (trial.judged != Judged::passes || !figures.contains(kRate) || !figures.contains(kLatency)) continue;
    points.push_back({figures.at(kRate), figures.at(kLatency), &trial});
  }
  if (points.size() < kKneePointsMin) return nullptr;
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.rate < b.rate; });
  const double width = points.back().rate - points.front().rate;
  const double height = points.back().latency - points.front().latency;
  if (width <= 0 || height <= 0) return nullptr;
  const auto below = [&](const Point& point) {
    return (point.rate - points.front().rate) / width - (point.latency - points.front().latency) / height;
  };
  const auto lowest = std::max_element(points.begin(), points.end(),
                                       [&](const Point& a, const Point& b) { return below(a) < below(b); });
  return below(*lowest) > 0 ? lowest->trial : nullptr;
}

}  // namespace walstorm::search
