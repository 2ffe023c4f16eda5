#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/config/load.h"

/// What commands that make many runs put over a config, trial by trial.
namespace walstorm::config {

/// One trial's load in place of a config's phases: a warm-up and one judged phase.
struct TrialLoad {
  std::string phase;      ///< its name, which thresholds know it by
  std::string target;     ///< of both, as JSON: 5000, "max"
  double warmup_sec = 0;  ///< 0: none
  double load_sec = 0;
  /// What has not been acknowledged by then is thrown away: the verdict does not need it.
  double drain_sec = 0;
  std::vector<Threshold> thresholds;  ///< in place of the config's
};

/// `run_name`: of the trial.
[[nodiscard]] std::vector<Override> trial_overrides(const TrialLoad& load, const std::string& run_name);

/// The name of a trial's run: "stress-unthrottled", with as much of a long name as leaves it a name.
[[nodiscard]] std::string trial_name(const std::string& name, const std::string& suffix);

/// A config's thresholds, as a trial sees them.
struct TrialThresholds {
  std::vector<Threshold> judging;   ///< what they ask for is in the trial's phase alone
  std::vector<Threshold> left_out;  ///< they judge another phase, or compare with one
};

/// `phase`: the one that trials are made of.
[[nodiscard]] TrialThresholds trial_thresholds(const Config& config, const std::string& phase);

/// The phase that a trial is made of: the one of this name, or without one the first that is no warm-up.
/// Throws Error{config}: "no phase "peek"; did you mean "peak"?".
[[nodiscard]] const Phase& trial_phase(const Config& config, const std::optional<std::string>& name);

/// A phase's target as a config has it: 5000, {"from":1000,"to":20000} or "max".
[[nodiscard]] std::string target_json(const Load& load);

/// A number's text as a config has it: "5000", "0.25".
[[nodiscard]] std::string number_text(double number);

/// The range of a numeric key, as the schema has it.
struct NumericKey {
  bool whole = false;
  double min = 0, max = 0;
};

/// Of "consumer.flushBatchSize". Throws Error{config} for a key that is not there (with what may have been
/// meant) or takes no number.
[[nodiscard]] NumericKey numeric_key(const std::string& path);

}  // namespace walstorm::config
