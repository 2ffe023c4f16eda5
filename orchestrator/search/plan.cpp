#include "orchestrator/search/plan.h"

#include <algorithm>
#include <fmt/format.h>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/text/format.h"
#include "proto/wire/error.h"

namespace walstorm::search {
namespace {

using wire::Error;
using wire::ErrorKind;

constexpr const char* kRateKey = "targetThroughput";
/// A trial without a target loads the machine more than any other: it is short, and only a hint.
constexpr double kUnthrottledWarmupSec = 2;
constexpr double kUnthrottledSec = 3;
constexpr double kUnthrottledDrainSec = 1;
/// Connections, caches and the sink's first parts settle.
constexpr double kWarmupSec = 3;
/// A value that was unclear, and one that is to be confirmed, get a longer look.
constexpr double kLongerLook = 2;
/// Of the load: a pipe that needs longer for what is left has failed already.
constexpr double kDrainShare = 0.25;
constexpr double kDrainSecMin = 5;
/// A run's time beside its load: preparing, draining, settling.
constexpr double kRunOverheadSec = 5;

double drain_sec(double load_sec) {
  return std::max(kDrainSecMin, kDrainShare * load_sec);
}

}  // namespace

Plan::Plan(const trial::Resolve& resolve, const Options& options)
    : resolve_(resolve),
      question_(options.question),
      base_(resolve({})),
      phase_(config::trial_phase(base_, options.phase)),
      by_rate_(question_.key == kRateKey),
      limits_(limits_of(question_)),
      thresholds_(config::trial_thresholds(base_, phase_.name)) {
  check_windows();
  check_trials();
}

Bracket::Limits Plan::limits_of(const Question& question) const {
  Bracket::Limits limits;
  limits.precision = question.precision;
  if (!by_rate_) {
    const config::NumericKey key = config::numeric_key(question.key);
    limits.min = key.min;
    limits.max = key.max;
    // A key of parts moves by a thousandth of where the search may begin, so that it can converge.
    limits.grain = key.whole ? 1 : std::max(question.min.value_or(key.min), 1.0) / 1000;
  }
  limits.min = std::max(question.min.value_or(limits.min), limits.grain);
  limits.max = question.max.value_or(limits.max);
  if (limits.min >= limits.max) {
    throw Error(ErrorKind::config, fmt::format("--min {} is not below --max {}", limits.min, limits.max));
  }
  return limits;
}

/// Said in the words of a search: the trial's phases are in no file that the user could look at.
void Plan::check_windows() const {
  std::string problems;
  for (const config::Threshold& threshold : thresholds_.judging) {
    if (!threshold.window_sec || *threshold.window_sec <= question_.trial_sec) continue;
    problems += fmt::format(
        "{}the threshold \"{}\" looks at {} s, which is longer than a trial's load: use "
        "--trial-duration {}s or more",
        problems.empty() ? "" : "\n", threshold.expr, *threshold.window_sec, *threshold.window_sec);
  }
  if (!problems.empty()) throw Error(ErrorKind::config, problems);
}

/// What is wrong with them is to be said before servers are started.
void Plan::check_trials() const {
  if (by_rate_) (void)first_look();
  (void)trial(limits_.min, question_.trial_sec, 1);
  if (question_.max) (void)trial(*question_.max, question_.trial_sec, 1);
}

double Plan::load_sec(Purpose purpose) const {
  const bool longer = purpose == Purpose::confirm || purpose == Purpose::repeat;
  return question_.trial_sec * (longer ? kLongerLook : 1);
}

double Plan::trial_sec() const {
  return question_.trial_sec + kWarmupSec + kRunOverheadSec;
}

config::Config Plan::resolved(const config::TrialLoad& load, std::vector<config::Override> overrides,
                              const std::string& name) const {
  const auto more = config::trial_overrides(load, name);
  overrides.insert(overrides.end(), more.begin(), more.end());
  return resolve_(overrides);
}

std::string Plan::first_look_target() const {
  return question_.max ? config::number_text(*question_.max) : "\"max\"";
}

config::Config Plan::first_look() const {
  return resolved({.phase = phase_.name,
                   .target = first_look_target(),
                   .warmup_sec = kUnthrottledWarmupSec,
                   .load_sec = kUnthrottledSec,
                   .drain_sec = kUnthrottledDrainSec,
                   .thresholds = {}},
                  {}, config::trial_name(base_.name, "unthrottled"));
}

config::Config Plan::trial(double value, double load_sec, std::size_t number) const {
  const std::string text = config::number_text(value);
  std::vector<config::Override> overrides;
  if (!by_rate_) overrides.push_back({fmt::format("--key {}=", question_.key), question_.key, text, false});
  return resolved({.phase = phase_.name,
                   .target = by_rate_ ? text : config::target_json(phase_.load),
                   .warmup_sec = kWarmupSec,
                   .load_sec = load_sec,
                   .drain_sec = drain_sec(load_sec),
                   .thresholds = thresholds_.judging},
                  overrides, config::trial_name(base_.name, fmt::format("{:02}", number)));
}

std::string Plan::values_text() const {
  const std::string most = question_.max || !by_rate_ ? "to " + text::number_text(limits_.max) : "up";
  std::string from = fmt::format("from {} {}", text::number_text(limits_.min), most);
  if (!by_rate_) return from;
  return fmt::format("{}; the first trial lasts {:g} s {}", from, kUnthrottledWarmupSec + kUnthrottledSec,
                     question_.max ? "at " + text::rate_text(question_.max) : "without a target");
}

std::string Plan::thresholds_text() const {
  std::string text;
  for (const config::Threshold& threshold : thresholds_.judging)
    text += (text.empty() ? "" : "; ") + threshold.expr;
  if (text.empty()) text = "none: a trial is judged by its verdict alone";
  const std::string left_out = left_out_text(thresholds_);
  return left_out.empty() ? text : fmt::format("{}\n{:14}{}", text, "", left_out);
}

std::string Plan::text() const {
  using text::sec_text;
  const double load = question_.trial_sec;
  std::string text = fmt::format("{}: dry run, nothing is started\n\n", base_.name);
  const auto add = [&text](const char* label, const std::string& value) {
    text += fmt::format("  {:<10}  {}\n", label, value);
  };
  add("searches", fmt::format("the highest {} that is sustained and crosses no threshold", question_.key));
  add("values", values_text());
  add("precision", fmt::format("{:g} %", question_.precision * 100));
  add("phase", fmt::format("\"{}\"{}", phase_.name,
                           by_rate_ ? "" : fmt::format(", target {}", config::target_text(phase_.load))));
  add("a trial",
      fmt::format("{} of warm-up, {} of load ({} where it was unclear or is confirmed), a drain of "
                  "up to {}: about {}",
                  sec_text(kWarmupSec), sec_text(load), sec_text(load * kLongerLook),
                  sec_text(drain_sec(load)), sec_text(trial_sec())));
  add("takes", fmt::format("{} at most: then no trial is begun", sec_text(question_.duration_sec_max)));
  add("thresholds", thresholds_text());
  add("results", base_.output_dir);
  return text;
}

std::string left_out_text(const config::TrialThresholds& thresholds) {
  std::string text;
  for (const config::Threshold& threshold : thresholds.left_out)
    text += (text.empty() ? "" : "; ") + threshold.expr;
  return text.empty() ? text : "left out, for they are about other phases: " + text;
}

}  // namespace walstorm::search
