#include "orchestrator/search/search.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <utility>

#include "orchestrator/config/trial_load.h"
#include "orchestrator/report/format.h"
#include "orchestrator/report/search_json.h"
#include "orchestrator/report/search_text.h"
#include "orchestrator/search/lag_creep.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::search {
namespace {

using measure::Outcome;
using measure::VerdictState;

constexpr const char* kRateKey = "targetThroughput";
/// A trial without a target loads the machine more than any other: it is short, and only a hint.
constexpr double kUnthrottledWarmupSec = 2;
constexpr double kUnthrottledSec = 3;
/// Connections, caches and the sink's first parts settle.
constexpr double kWarmupSec = 3;
/// A value that was unclear, and one that is to be confirmed, get a longer look.
constexpr double kLongerLook = 2;
/// Of the load: a pipe that needs longer for what is left has failed already.
constexpr double kDrainShare = 0.25;
constexpr double kDrainSecMin = 5;
/// A run's time beside its load: preparing, draining, settling.
constexpr double kRunOverheadSec = 5;
/// Unthrottled, the pipe did so much; a little less is where to begin.
constexpr double kHintShare = 0.9;
/// Without a hint from a trial, as for other keys than the rate.
constexpr double kFirstStep = 10;

/// What the table of trials shows, and the knee is read from.
const std::vector<std::string>& shown_figures() {
  static const std::vector<std::string> paths{
      "targetThroughput",    "producer.throughput",          "producer.targetRatio",
      "consumer.throughput", "consumer.lagMs.p50",           "consumer.lagMs.p99",
      "drain.durationSec",   "producer.cpuMicrosPerRecord",  "consumer.cpuMicrosPerRecord",
      "consumer.errorRate",  "consumer.loopUtilization.mean"};
  return paths;
}

Judged judge(const trial::Trial& trial, std::optional<double> lag_creep_ms) {
  if (!trial.crossed.empty()) return Judged::fails;
  switch (trial.verdict) {
    case VerdictState::sustained:
      return lag_creep_ms.value_or(0) > 0 ? Judged::unclear : Judged::passes;
    case VerdictState::marginal:
      return Judged::unclear;
    default:
      return Judged::fails;
  }
}

class Search final {
 public:
  Search(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
         const run::Display& display)
      : resolve_(resolve),
        options_(options),
        display_(display),
        base_(resolve({})),
        phase_(config::trial_phase(base_, options.phase)),
        by_rate_(options.question.key == kRateKey),
        limits_(limits_of(options.question)),
        report_(first_report()),
        trials_(loop, base_, "search", options.resume, display),
        began_us_(clock_.steady_us()) {}

  int carry_out() {
    try {
      search();
    } catch (const process::Interrupted&) {
      report_.stop_reason = "interrupted";
    }
    write();
    std::cout << report::search_text(report_, trials_.folder().path().string(), display_.colour)
              << std::flush;
    return exit_code();
  }

 private:
  [[nodiscard]] Bracket::Limits limits_of(const Question& question) const {
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
      throw wire::Error(wire::ErrorKind::config,
                        fmt::format("--min {} is not below --max {}", limits.min, limits.max));
    }
    return limits;
  }

  [[nodiscard]] SearchReport first_report() const {
    if (options_.resume) {
      SearchReport report = report::read_search(*options_.resume / report::kSearchFile);
      if (report.question.key != options_.question.key || report.name != base_.name) {
        throw wire::Error(
            wire::ErrorKind::config,
            fmt::format("{} is a search for {} of \"{}\": resume it with the same config and --key",
                        options_.resume->string(), report.question.key, report.name));
      }
      report.question = options_.question;
      report.stop_reason.clear();
      return report;
    }
    SearchReport report;
    report.name = base_.name;
    report.started_at_unix_us = clock_.unix_us();
    report.question = options_.question;
    return report;
  }

  void search() {
    Bracket bracket(limits_, hint());
    for (const ValueTrial& trial : report_.trials) bracket.take({trial.value, trial.purpose}, trial.judged);
    while (const auto step = bracket.next()) {
      if (!go_on() || !try_value(*step, bracket)) return conclude(bracket);
      bracket.take(*step, report_.trials.back().judged);
      conclude(bracket);
      write();  // what was learnt outlives a crash
      trials_.progress().print(report::trial_line(report_, report_.trials.size() - 1));
    }
    conclude(bracket);
  }

  /// Where to begin: what the pipe did without a target, or the config's own value.
  double hint() {
    if (!by_rate_) return std::max(limits_.min, limits_.min * kFirstStep);
    if (!report_.unthrottled && report_.trials.empty()) {
      const std::string target =
          options_.question.max ? config::number_text(*options_.question.max) : "\"max\"";
      const auto report =
          carry_out_run({phase_.name, target, kUnthrottledWarmupSec, kUnthrottledSec, 1}, {},
                        fmt::format("{}-unthrottled", base_.name), "a first look, without a target");
      report_.unthrottled = trial_from(report);
      require_run(*report_.unthrottled);
      write();
      trials_.progress().print(report::unthrottled_line(*report_.unthrottled));
    }
    if (!report_.unthrottled) return limits_.min;
    const auto& figures = report_.unthrottled->figures;
    double rate = limits_.min;
    for (const char* path : {"consumer.throughput", "producer.throughput"}) {
      if (figures.contains(path)) rate = figures.at(path);
      if (rate > limits_.min) break;
    }
    return kHintShare * rate;
  }

  [[nodiscard]] double seconds_left() const {
    const double spent = static_cast<double>(clock_.steady_us() - began_us_) / 1e6;
    return options_.question.duration_sec_max - spent;
  }

  bool go_on() {
    if (trials_.interrupted()) {
      report_.stop_reason = "interrupted";
    } else if (seconds_left() < options_.question.trial_sec) {
      report_.stop_reason = "time-out";
    }
    return report_.stop_reason.empty();
  }

  bool try_value(const Bracket::Step& step, const Bracket& bracket) {
    const bool longer = step.purpose == Purpose::confirm || step.purpose == Purpose::repeat;
    const double load_sec = options_.question.trial_sec * (longer ? kLongerLook : 1);
    const std::string value = config::number_text(step.value);
    std::vector<config::Override> overrides;
    if (!by_rate_)
      overrides.push_back(
          {fmt::format("--key {}=", options_.question.key), options_.question.key, value, false});
    const std::string target = by_rate_ ? value : config::target_text(phase_.load);
    const double drain_sec = std::max(kDrainSecMin, kDrainShare * load_sec);
    const auto report =
        carry_out_run({phase_.name, target, kWarmupSec, load_sec, drain_sec}, overrides,
                      fmt::format("{}-{:02}", base_.name, report_.trials.size() + 1),
                      report::progress_text(report_, step.value, bracket.trials_left(),
                                            options_.question.trial_sec + kWarmupSec + kRunOverheadSec));
    if (report.outcome == Outcome::interrupted) {
      report_.stop_reason = "interrupted";
      return false;
    }
    trial::Trial trial = trial_from(report);
    if (report.outcome == Outcome::failed) {
      report_.stop_reason = "run-failed";
      report_.failure = fmt::format("{}: {}", trial.run, trial.failure);
      return false;
    }
    const auto creep_ms = lag_creep_ms(trials_.lag_ms());
    const Judged judged = judge(trial, creep_ms);
    report_.trials.push_back({step.value, step.purpose, judged, load_sec, creep_ms, std::move(trial)});
    return true;
  }

  measure::RunReport carry_out_run(const config::TrialLoad& load, std::vector<config::Override> overrides,
                                   const std::string& name, const std::string& doing) {
    const auto more = config::trial_overrides(load, name);
    overrides.insert(overrides.end(), more.begin(), more.end());
    return trials_.carry_out(resolve_(overrides), doing);
  }

  [[nodiscard]] static trial::Trial trial_from(const measure::RunReport& report) {
    return trial::trial_of(report, std::filesystem::path(report.folder).filename().string(), shown_figures());
  }

  void require_run(const trial::Trial& trial) {
    if (trial.outcome == Outcome::interrupted) throw process::Interrupted{};
    if (trial.outcome != Outcome::failed) return;
    report_.stop_reason = "run-failed";
    report_.failure = fmt::format("{}: {}", trial.run, trial.failure);
  }

  void conclude(const Bracket& bracket) {
    report_.last_passing = bracket.last_passing();
    report_.first_failing = bracket.first_failing();
    report_.width = bracket.width();
    report_.confirmed = bracket.confirmed();
    if (report_.stop_reason.empty()) report_.stop_reason = to_string(bracket.stop_reason());
  }

  void write() {
    report_.ended_at_unix_us = clock_.unix_us();
    trials_.folder().write(report::kSearchFile, report::search_json(report_));
    trials_.folder().write("search.md", report::search_md(report_));
  }

  [[nodiscard]] int exit_code() const {
    if (report_.stop_reason == "interrupted") return 130;
    if (report_.stop_reason == "run-failed") return 1;
    return report_.last_passing ? 0 : 99;
  }

  const trial::Resolve& resolve_;
  const Options& options_;
  const run::Display display_;
  const wire::SystemClock clock_;
  const config::Config base_;
  const config::Phase& phase_;
  const bool by_rate_;
  const Bracket::Limits limits_;
  SearchReport report_;
  trial::Trials trials_;
  const std::int64_t began_us_;
};

}  // namespace

int carry_out(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
              const run::Display& display) {
  return Search(loop, resolve, options, display).carry_out();
}

}  // namespace walstorm::search
