#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::report {

/// One thing that a run shows or leaves: the terminal, metrics.json, timeseries.csv, ... Each may fail alone,
/// and then says so by an exception.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  virtual ~Output() = default;

  /// As messages call it: "metrics.json".
  [[nodiscard]] virtual std::string name() const = 0;
  /// A second of a phase, as it passes; on the loop that judges, so nothing here may block.
  virtual void take(const measure::Second& /*second*/) {}
  /// The run is over.
  virtual void conclude(const measure::RunReport& report) = 0;
};

/// What a command writes, part by part: one that cannot be written is remembered, and the others are.
class Outputs final {
 public:
  /// They are concluded in the order in which they were added.
  void add(std::unique_ptr<Output> output) { outputs_.push_back(std::move(output)); }

  void conclude(const measure::RunReport& report);

  /// Carries out `write` for the part called `name`. A part that is written again and again counts as it went
  /// last. False when it threw.
  bool attempt(const std::string& name, const std::function<void()>& write);

  /// What another one's Outputs could not write: a run's, of a command of many.
  void take_over(const std::string& whose, const std::vector<std::string>& not_written);

  /// A sentence for each part that could not be written: "metrics.json: write ...: No space left on device".
  [[nodiscard]] std::vector<std::string> not_written() const;

 private:
  std::vector<std::unique_ptr<Output>> outputs_;
  std::vector<std::pair<std::string, std::string>> failures_;  // name, why
};

/// A line for each of `not_written`, and what it means for a program that would have exited well; empty for
/// none. `exit_code`: what it exits with otherwise.
[[nodiscard]] std::string not_written_text(const std::vector<std::string>& not_written, int exit_code);

/// What a command exits with: one whose results are not where they were asked for has failed, whatever they
/// say.
[[nodiscard]] int exit_code_with(const std::vector<std::string>& not_written, int exit_code);

}  // namespace walstorm::report
