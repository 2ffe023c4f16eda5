#include "orchestrator/search/search.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "orchestrator/config/pipeline.h"
#include "orchestrator/search/lag_creep.h"
#include "orchestrator/search/search_json.h"
#include "orchestrator/search/search_text.h"
#include "orchestrator/text/format.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::search {
namespace {

using measure::Outcome;
using measure::VerdictState;

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
  if (trial.failed()) return Judged::fails;
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
      : options_(options),
        display_(display),
        plan_(resolve, options),
        report_(first_report()),
        trials_(loop, plan_.base(), "search", options.resume, display),
        began_us_(clock_.steady_us()) {}

  int carry_out() {
    try {
      search();
    } catch (const process::Interrupted&) {
      report_.stop_reason = "interrupted";
    } catch (const std::exception& error) {
      if (report_.trials.empty()) throw;  // nothing was learnt that a report could tell
      report_.stop_reason = "run-failed";
      report_.failure = error.what();
    }
    return trials_.conclude(
        [this] { return search_text(report_, trials_.folder().path().string(), display_.colour); },
        [this] { write(); }, exit_code());
  }

 private:
  [[nodiscard]] SearchReport first_report() const {
    if (options_.resume) {
      SearchReport report = read_search(*options_.resume / kSearchFile);
      if (report.question.key != options_.question.key || report.name != plan_.base().name) {
        throw wire::Error(
            wire::ErrorKind::config,
            fmt::format("{} is a search for {} of \"{}\": resume it with the same config and --key",
                        options_.resume->string(), report.question.key, report.name));
      }
      if (report.phase != plan_.phase().name) {
        throw wire::Error(
            wire::ErrorKind::config,
            fmt::format("{} is a search with phase \"{}\" and not \"{}\": resume it with --phase {}",
                        options_.resume->string(), report.phase, plan_.phase().name, report.phase));
      }
      config::require_same_pipeline(options_.resume->string(), report.config,
                                    config::pipeline_of(plan_.base()));
      report.question = options_.question;
      report.stop_reason.clear();
      return report;
    }
    SearchReport report;
    report.name = plan_.base().name;
    report.started_at_unix_us = clock_.unix_us();
    report.question = options_.question;
    report.phase = plan_.phase().name;
    report.config = config::pipeline_of(plan_.base());
    return report;
  }

  void search() {
    if (const std::string left_out = left_out_text(plan_.thresholds()); !left_out.empty())
      trials_.progress().print("thresholds " + left_out);
    Bracket bracket(plan_.limits(), hint());
    for (const ValueTrial& trial : report_.trials) bracket.take({trial.value, trial.purpose}, trial.judged);
    while (const auto step = bracket.next()) {
      if (!go_on() || !try_value(*step, bracket)) return conclude(bracket);
      bracket.take(*step, report_.trials.back().judged);
      conclude(bracket);
      write();  // what was learnt outlives a crash
      trials_.progress().print(trial_line(report_, report_.trials.size() - 1));
    }
    conclude(bracket);
  }

  /// Where to begin: what the pipe did without a target, or the config's own value.
  double hint() {
    if (!plan_.by_rate()) return std::max(plan_.limits().min, plan_.limits().min * kFirstStep);
    if (!report_.unthrottled && report_.trials.empty()) look_first();
    if (!report_.unthrottled) return plan_.limits().min;
    // Also of a look that failed: so much the pipe did until then.
    const auto& figures = report_.unthrottled->figures;
    double rate = plan_.limits().min;
    for (const char* path : {"consumer.throughput", "producer.throughput"}) {
      if (figures.contains(path)) rate = figures.at(path);
      if (rate > plan_.limits().min) break;
    }
    return kHintShare * rate;
  }

  void look_first() {
    const auto report = trials_.carry_out(plan_.first_look(), "a first look, without a target");
    // What was interrupted says nothing, however much it did before.
    if (report.outcome == Outcome::interrupted) throw process::Interrupted{};
    report_.unthrottled = trial_from(report);
    write();
    trials_.progress().print(unthrottled_line(*report_.unthrottled));
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

  /// False where the search ends with it.
  bool try_value(const Bracket::Step& step, const Bracket& bracket) {
    const double load_sec = plan_.load_sec(step.purpose);
    try {
      const auto report =
          trials_.carry_out(plan_.trial(step.value, load_sec, report_.trials.size() + 1),
                            progress_text(report_, step.value, bracket.trials_left(), plan_.trial_sec()));
      if (report.outcome == Outcome::interrupted) {
        report_.stop_reason = "interrupted";
        return false;
      }
      trial::Trial trial = trial_from(report);
      const auto creep_ms = trial.failed() ? std::nullopt : lag_creep_ms(trials_.lag_ms());
      const Judged judged = judge(trial, creep_ms);
      report_.trials.push_back({step.value, step.purpose, judged, load_sec, creep_ms, std::move(trial)});
      return true;
    } catch (const wire::Error& error) {
      if (report_.trials.empty() && !report_.unthrottled) throw;  // never ready
      report_.failure = fmt::format("trial {} could not begin: {}", report_.trials.size() + 1, error.what());
    }
    report_.stop_reason = "run-failed";
    return false;
  }

  [[nodiscard]] static trial::Trial trial_from(const measure::RunReport& report) {
    return trial::trial_of(report, std::filesystem::path(report.folder).filename().string(), shown_figures());
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
    trials_.outputs().attempt(kSearchFile,
                              [this] { trials_.folder().write(kSearchFile, search_json(report_)); });
    trials_.outputs().attempt("search.md",
                              [this] { trials_.folder().write("search.md", search_md(report_)); });
  }

  [[nodiscard]] int exit_code() const {
    if (report_.stop_reason == "interrupted") return 130;
    if (report_.stop_reason == "run-failed" || failed_trials(report_) > 0) return 1;
    return report_.last_passing ? 0 : 99;
  }

  const Options& options_;
  const run::Display display_;
  const wire::SystemClock clock_;
  const Plan plan_;
  SearchReport report_;
  trial::Trials trials_;
  const std::int64_t began_us_;
};

}  // namespace

int carry_out(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
              const run::Display& display) {
  return Search(loop, resolve, options, display).carry_out();
}

std::string dry_run_text(const trial::Resolve& resolve, const Options& options) {
  return Plan(resolve, options).text();
}

}  // namespace walstorm::search
