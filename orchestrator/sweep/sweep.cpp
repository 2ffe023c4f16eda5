#include "orchestrator/sweep/sweep.h"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <utility>

#include "orchestrator/report/format.h"
#include "orchestrator/report/sweep_json.h"
#include "orchestrator/report/sweep_text.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::sweep {
namespace {

using measure::Outcome;
using wire::Error;
using wire::ErrorKind;

/// More cells than this are a mistake: they would take weeks.
constexpr std::size_t kCellsMax = 1000;
/// A run's time beside its load: preparing, draining, settling.
constexpr double kRunOverheadSec = 4;

class Sweep final {
 public:
  Sweep(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
        const run::Display& display)
      : display_(display),
        base_(resolve({})),
        report_(first_report(options)),
        configs_(configs_of_cells(resolve)),
        order_(run_order(report_.cells.size(), report_.repeats, report_.seed)),
        trials_(loop, base_, "sweep", options.resume, display) {}

  int carry_out() {
    try {
      run_all();
    } catch (const process::Interrupted&) {
      report_.stop_reason = "interrupted";
    }
    write();
    std::cout << report::sweep_text(report_, trials_.folder().path().string(), display_.colour) << std::flush;
    if (report_.stop_reason == "interrupted") return 130;
    return report_.stop_reason == "finished" ? 0 : 1;
  }

 private:
  [[nodiscard]] SweepReport first_report(const Options& options) const {
    SweepReport report;
    report.name = base_.name;
    report.started_at_unix_us = wire::SystemClock().unix_us();
    for (const config::SweepAxis& axis : base_.sweep.axes) report.axes.push_back({axis.key, axis.values});
    if (!options.axes.empty()) report.axes = options.axes;
    report.mode = options.mode.value_or(base_.sweep.one_at_a_time ? Mode::one_at_a_time : Mode::full);
    report.repeats = options.repeats.value_or(base_.sweep.repeats);
    report.seed = base_.seed;
    if (report.axes.empty()) {
      throw Error(
          ErrorKind::config,
          "nothing to vary: give --vary consumer.flushBatchSize=50,200,1000, or \"sweep\" in the config");
    }
    std::size_t cells = 1;
    for (const Axis& axis : report.axes) cells = std::min(kCellsMax + 1, cells * axis.values.size());
    if (cells > kCellsMax) {
      throw Error(ErrorKind::config,
                  fmt::format("more than {} combinations: vary fewer keys, or one at a time", kCellsMax));
    }
    report.cells = cells_of(report.axes, report.mode);
    if (options.resume) take_over(report, report::read_sweep(*options.resume / report::kSweepFile));
    return report;
  }

  /// The runs of the sweep that is resumed, which must be the same one.
  static void take_over(SweepReport& report, SweepReport earlier) {
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
    report.started_at_unix_us = earlier.started_at_unix_us;
    report.trials = std::move(earlier.trials);
  }

  /// Resolved before anything runs, so that a bad value in the last cell costs nothing.
  [[nodiscard]] std::vector<config::Config> configs_of_cells(const trial::Resolve& resolve) const {
    std::vector<config::Config> configs;
    std::string problems;
    for (std::size_t number = 0; number < report_.cells.size(); ++number) {
      std::vector<config::Override> overrides{
          {"the cell's ", "name", fmt::format("{}-cell{:02}", base_.name.substr(0, kNameMax), number + 1),
           true}};
      for (std::size_t axis = 0; axis < report_.axes.size(); ++axis) {
        if (!report_.cells[number][axis]) continue;
        const Axis& varied = report_.axes[axis];
        const std::string& value = varied.values[*report_.cells[number][axis]];
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

  void run_all() {
    for (std::size_t number = report_.trials.size(); number < order_.size(); ++number) {
      if (trials_.interrupted()) {
        report_.stop_reason = "interrupted";
        return;
      }
      if (!run_cell(order_[number])) return;
      write();  // what was learnt outlives a crash
      trials_.progress().print(report::cell_run_line(report_, number));
    }
    report_.stop_reason = "finished";
  }

  bool run_cell(std::size_t cell) {
    const std::size_t left = order_.size() - report_.trials.size();
    const auto report = trials_.carry_out(
        configs_[cell], fmt::format("run {} of {}: {}; about {} left", report_.trials.size() + 1,
                                    order_.size(), cell_text(report_.axes, report_.cells[cell]),
                                    report::sec_text(static_cast<double>(left) * run_sec(configs_[cell]))));
    if (report.outcome == Outcome::interrupted) {
      report_.stop_reason = "interrupted";
      return false;
    }
    trial::Trial trial =
        trial::trial_of(report, std::filesystem::path(report.folder).filename().string(), shown_figures());
    if (report.outcome == Outcome::failed) {
      report_.stop_reason = "run-failed";
      report_.failure = fmt::format("{}: {}", trial.run, trial.failure);
      return false;
    }
    report_.trials.push_back({cell, std::move(trial)});
    return true;
  }

  [[nodiscard]] static double run_sec(const config::Config& config) {
    double seconds = kRunOverheadSec;
    for (const config::Phase& phase : config.phases) seconds += phase.duration_sec;
    return seconds;
  }

  void write() {
    report_.ended_at_unix_us = wire::SystemClock().unix_us();
    const report::RunFolder& folder = trials_.folder();
    folder.write(report::kSweepFile, report::sweep_json(report_));
    folder.write("sweep.md", report::sweep_md(report_));
    for (const FigureTable& table : tables_of(report_)) {
      folder.write(table.path + ".csv", report::sweep_csv(report_, table));
    }
  }

  /// Of the base's name, so that a cell's still is a name.
  static constexpr std::size_t kNameMax = 50;

  const run::Display display_;
  const config::Config base_;
  SweepReport report_;
  const std::vector<config::Config> configs_;  // by cell
  const std::vector<std::size_t> order_;
  trial::Trials trials_;
};

}  // namespace

int carry_out(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
              const run::Display& display) {
  return Sweep(loop, resolve, options, display).carry_out();
}

}  // namespace walstorm::sweep
