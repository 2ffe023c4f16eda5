#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/config/trial_load.h"
#include "orchestrator/search/bracket.h"
#include "orchestrator/search/search_report.h"
#include "orchestrator/trial/trials.h"

namespace walstorm::search {

struct Options {
  Question question;
  std::optional<std::string> phase;  ///< the one that trials are made of; else the first that is no warm-up
  std::optional<std::filesystem::path> resume;
};

/// What a search will do, settled before anything is started: its limits, and the config of every trial that
/// it may make.
class Plan final {
 public:
  /// `resolve` outlives this. Throws Error{config} for options that suit no search of this config, and for
  /// what would be wrong with its trials: one of each kind is resolved here.
  Plan(const trial::Resolve& resolve, const Options& options);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  [[nodiscard]] const config::Config& base() const { return base_; }
  [[nodiscard]] const config::Phase& phase() const { return phase_; }
  /// Whether it is the rate that is raised, and not another key.
  [[nodiscard]] bool by_rate() const { return by_rate_; }
  [[nodiscard]] const Bracket::Limits& limits() const { return limits_; }
  /// Those that judge a trial, and those that cannot: they are about other phases.
  [[nodiscard]] const config::TrialThresholds& thresholds() const { return thresholds_; }

  /// Of a trial's load alone.
  [[nodiscard]] double load_sec(Purpose purpose) const;
  /// Of a trial of the usual length with all that comes beside its load, about.
  [[nodiscard]] double trial_sec() const;

  /// The run without a target that shows where to begin. No threshold judges it.
  [[nodiscard]] config::Config first_look() const;
  /// `number`: of the trial, from 1.
  [[nodiscard]] config::Config trial(double value, double load_sec, std::size_t number) const;

  /// For --dry-run: all of it in words.
  [[nodiscard]] std::string text() const;

 private:
  [[nodiscard]] Bracket::Limits limits_of(const Question& question) const;
  void check_windows() const;
  void check_trials() const;
  [[nodiscard]] std::string first_look_target() const;
  [[nodiscard]] std::string values_text() const;
  [[nodiscard]] std::string thresholds_text() const;
  [[nodiscard]] config::Config resolved(const config::TrialLoad& load,
                                        std::vector<config::Override> overrides,
                                        const std::string& name) const;

  const trial::Resolve& resolve_;
  const Question question_;
  const config::Config base_;
  const config::Phase& phase_;  // of base_
  const bool by_rate_;
  const Bracket::Limits limits_;
  const config::TrialThresholds thresholds_;
};

/// "left out, for they judge other phases: a < b; c < d"; empty when all judge the trials.
[[nodiscard]] std::string left_out_text(const config::TrialThresholds& thresholds);

}  // namespace walstorm::search
