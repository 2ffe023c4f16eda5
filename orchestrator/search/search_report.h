#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/search/bracket.h"
#include "orchestrator/trial/trial.h"

namespace walstorm::search {

/// What was asked for.
struct Question {
  std::string key = "targetThroughput";  ///< or a config key such as consumer.mockClickhouseDelay
  double precision = 0.05;
  std::optional<double> min, max;
  double trial_sec = 20;
  double duration_sec_max = 1800;  ///< of the whole search
};

/// One trial of one value.
struct ValueTrial {
  double value = 0;
  Purpose purpose = Purpose::bracket;
  Judged judged = Judged::unclear;
  double load_sec = 0;
  /// By how much the lag crept up (lag_creep.h); nullopt when that cannot be told.
  std::optional<double> lag_creep_ms;
  trial::Trial trial;
};

/// A search, under way or over: the content of search.json.
struct SearchReport {
  std::string name;
  std::int64_t started_at_unix_us = 0, ended_at_unix_us = 0;
  Question question;
  std::string phase;   ///< that trials are made of
  std::string config;  ///< what it was begun with, as JSON (config/pipeline.h)
  /// The trial without a target, whose rate was the first hint; nullopt where another key made none
  /// necessary, and where it was interrupted.
  std::optional<trial::Trial> unthrottled;
  std::vector<ValueTrial> trials;
  std::optional<double> last_passing, first_failing, width;
  bool confirmed = false;
  /// "converged", "max-passes", "min-fails", "edge-unclear", "time-out", "interrupted", "run-failed"; empty
  /// while it goes on.
  std::string stop_reason;
  std::string failure;  ///< of the run that could not begin and so ended it; else empty
};

/// How many runs failed, the first look among them.
[[nodiscard]] std::size_t failed_trials(const SearchReport& report);

/// The trial that speaks for one end of the bracket: the last one of that value that was judged so. nullptr
/// where there is none.
[[nodiscard]] const ValueTrial* trial_at(const SearchReport& report, std::optional<double> value,
                                         Judged judged);

/// The trial that speaks for the first failing value, or for one that was not shown to pass. nullptr where
/// there is none.
[[nodiscard]] const ValueTrial* failing_trial(const SearchReport& report);

/// The trial that says why the values from the first failing one on fail: of that one itself, or where it was
/// only not shown to pass, of the next greater one that failed. nullptr where none failed.
[[nodiscard]] const ValueTrial* blamed_trial(const SearchReport& report);

/// What kept the first failing value from passing: "failed run", the thresholds it crossed, "generator", or
/// its bottleneck.
[[nodiscard]] std::string bound_by(const SearchReport& report);

/// How sure the answer is: "high" with a confirmed lower end, an upper one that failed twice and no
/// contradiction; "medium" with a confirmed lower end; else "low".
[[nodiscard]] std::string confidence(const SearchReport& report);

/// Of the passing trials by rate, the one after which latency rises fastest: farthest below the line from the
/// first to the last, both axes scaled to 0..1. nullptr with fewer than 4 of them, or where latency does not
/// rise.
[[nodiscard]] const ValueTrial* knee(const SearchReport& report);

}  // namespace walstorm::search
