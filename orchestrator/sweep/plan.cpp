#include "orchestrator/sweep/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "orchestrator/config/json/secrets.h"
#include "orchestrator/config/pipeline.h"
#include "orchestrator/config/trial_load.h"
#include "orchestrator/sweep/sweep_json.h"
#include "orchestrator/text/format.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::sweep {
namespace {

using wire::Error;
using wire::ErrorKind;

/// More cells than this are a mistake: they would take weeks.
constexpr std::size_t kCellsMax = 1000;
/// A run's time beside its load: preparing, draining, settling.
constexpr double kRunOverheadSec = 4;

/// The runs of the sweep that is resumed, which must be the same one.
void take_over(SweepReport& report, SweepReport earlier, const std::string& folder) {
  const auto same_axis = [](const Axis& one, const Axis& other) {
    return one.key == other.key && one.values == other.values;
  };
  if (earlier.name != report.name || earlier.mode != report.mode || earlier.seed != report.seed ||
      !std::equal(earlier.axes.begin(), earlier.axes.end(), report.axes.begin(), report.axes.end(),
                  same_axis)) {
    throw Error(ErrorKind::config,
                "that folder holds a sweep of other keys, values or seed: resume it with the "
                "config and options that it was begun with");
  }
  config::require_same_pipeline(folder, earlier.config, report.config);
  report.started_at_unix_us = earlier.started_at_unix_us;
  report.trials = std::move(earlier.trials);
}

std::vector<Axis> axes_of(const config::Config& base, const Options& options) {
  if (!options.axes.empty()) return options.axes;
  std::vector<Axis> axes;
  for (const config::SweepAxis& axis : base.sweep.axes) axes.push_back({axis.key, axis.values});
  return axes;
}

/// As a report may show them. Values that differ in a secret alone are told apart by a number.
std::vector<Axis> shown_axes(std::vector<Axis> axes) {
  for (Axis& axis : axes) {
    std::map<std::string, int> seen;
    for (std::string& value : axis.values) {
      const bool is_secret = config::names_a_secret(axis.key);
      const std::string shown = is_secret ? "\"***\"" : config::shown_value(value);
      const bool is_hidden = shown != value && shown.find("***") != std::string::npos;
      if (!is_hidden) continue;  // as it was written
      const int nth = ++seen[shown];
      value = nth == 1 || !shown.ends_with('"')
                  ? shown
                  : fmt::format("{} ({})\"", shown.substr(0, shown.size() - 1), nth);
    }
  }
  return axes;
}

SweepReport first_report(const config::Config& base, const Options& options) {
  SweepReport report;
  report.name = base.name;
  report.started_at_unix_us = wire::SystemClock().unix_us();
  report.axes = shown_axes(axes_of(base, options));
  report.mode = options.mode.value_or(base.sweep.one_at_a_time ? Mode::one_at_a_time : Mode::full);
  report.repeats = options.repeats.value_or(base.sweep.repeats);
  report.seed = base.seed;
  report.config = config::pipeline_of(base);
  if (report.axes.empty()) {
    throw Error(
        ErrorKind::config,
        "nothing to vary: give --vary consumer.flushBatchSize=50,200,1000, or \"sweep\" in the config");
  }
  if (cell_count(report.axes, report.mode, kCellsMax + 1) > kCellsMax) {
    throw Error(ErrorKind::config,
                fmt::format("more than {} combinations: vary fewer keys{}", kCellsMax,
                            report.mode == Mode::full ? ", or one at a time (--mode oneAtATime)" : ""));
  }
  report.cells = cells_of(report.axes, report.mode);
  if (options.resume) take_over(report, read_sweep(*options.resume / kSweepFile), options.resume->string());
  return report;
}

std::vector<config::Config> configs_of_cells(const trial::Resolve& resolve, const std::string& name,
                                             const SweepReport& report, const std::vector<Axis>& axes) {
  std::vector<config::Config> configs;
  std::string problems;
  for (std::size_t number = 0; number < report.cells.size(); ++number) {
    std::vector<config::Override> overrides{
        {"the cell's ", "name", config::trial_name(name, fmt::format("cell{:02}", number + 1)), true}};
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      if (!report.cells[number][axis]) continue;
      const Axis& varied = axes[axis];
      const std::string& value = varied.values[*report.cells[number][axis]];
      overrides.push_back({fmt::format("--vary {}=", varied.key), varied.key, value, false});
    }
    try {
      configs.push_back(resolve(overrides));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::config) throw;
      const std::string said = error.what();
      if (problems.find(said) == std::string::npos) problems += (problems.empty() ? "" : "\n") + said;
    }
  }
  if (!problems.empty()) throw Error(ErrorKind::config, problems);
  return configs;
}

}  // namespace

Plan plan_of(const trial::Resolve& resolve, const Options& options) {
  config::Config base = resolve({});
  SweepReport report = first_report(base, options);
  auto configs = configs_of_cells(resolve, base.name, report, axes_of(base, options));
  auto order = run_order(report.cells.size(), report.repeats, report.seed);
  return {std::move(base), std::move(report), std::move(configs), std::move(order)};
}

double run_sec(const config::Config& config) {
  double seconds = kRunOverheadSec;
  for (const config::Phase& phase : config.phases) seconds += phase.duration_sec;
  return seconds;
}

std::string plan_text(const Plan& plan) {
  const SweepReport& report = plan.report;
  std::string text = fmt::format("{}: dry run, nothing is started\n\n", report.name);
  for (std::size_t cell = 0; cell < report.cells.size(); ++cell)
    text += fmt::format("  cell {:>4}  {}\n", cell + 1, cell_text(report.axes, report.cells[cell]));
  double seconds = 0;
  for (std::size_t run = report.trials.size(); run < plan.order.size(); ++run)
    seconds += run_sec(plan.configs[plan.order[run]]);
  const std::string made =
      report.trials.empty() ? "" : fmt::format(", {} of them made already", report.trials.size());
  text += fmt::format("\n  {:<9}  {}: {} cells, {} of each{}\n", "runs", plan.order.size(),
                      report.cells.size(), report.repeats, made);
  text += fmt::format("  {:<9}  about {}\n", "takes", text::sec_text(seconds));
  return text + fmt::format("  {:<9}  {}\n", "results", plan.base.output_dir);
}

}  // namespace walstorm::sweep
