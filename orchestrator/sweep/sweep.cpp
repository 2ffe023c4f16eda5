#include "orchestrator/sweep/sweep.h"

#include <exception>
#include <fmt/format.h>
#include <functional>
#include <utility>

#include "orchestrator/report/format.h"
#include "orchestrator/report/sweep_json.h"
#include "orchestrator/report/sweep_text.h"
#include "proto/wire/clock.h"

namespace walstorm::sweep {
namespace {

using measure::Outcome;
class Sweep final {
 public:
  Sweep(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
        const run::Display& display)
      : display_(display),
        plan_(plan_of(resolve, options)),
        report_(plan_.report),
        trials_(loop, plan_.base, "sweep", options.resume, display) {}

  int carry_out() {
    try {
      run_all();
    } catch (const process::Interrupted&) {
      report_.stop_reason = "interrupted";
    } catch (const std::exception& error) {
      if (report_.trials.empty()) throw;  // nothing was learnt that a report could tell
      report_.stop_reason = "run-failed";
      report_.failure = error.what();
    }
    return trials_.conclude(
        [this] { return report::sweep_text(report_, trials_.folder().path().string(), display_.colour); },
        [this] { write(); }, exit_code());
  }

 private:
  [[nodiscard]] int exit_code() const {
    if (report_.stop_reason == "interrupted") return 130;
    return report_.stop_reason == "finished" ? 0 : 1;
  }

  void run_all() {
    for (std::size_t number = report_.trials.size(); number < plan_.order.size(); ++number) {
      if (trials_.interrupted()) {
        report_.stop_reason = "interrupted";
        return;
      }
      if (!run_cell(plan_.order[number])) return;
      write();  // what was learnt outlives a crash
      trials_.progress().print(report::cell_run_line(report_, number));
    }
    report_.stop_reason = "finished";
  }

  bool run_cell(std::size_t cell) {
    const std::size_t left = plan_.order.size() - report_.trials.size();
    const auto report = trials_.carry_out(
        plan_.configs[cell],
        fmt::format("run {} of {}: {}; about {} left", report_.trials.size() + 1, plan_.order.size(),
                    cell_text(report_.axes, report_.cells[cell]),
                    report::sec_text(static_cast<double>(left) * run_sec(plan_.configs[cell]))));
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

  void write() {
    report_.ended_at_unix_us = wire::SystemClock().unix_us();
    write_file(report::kSweepFile, [this] { return report::sweep_json(report_); });
    write_file("sweep.md", [this] { return report::sweep_md(report_); });
    for (const FigureTable& table : tables_of(report_)) {
      write_file(table.path + ".csv", [&] { return report::sweep_csv(report_, table); });
    }
  }

  void write_file(const std::string& name, const std::function<std::string()>& text) {
    trials_.outputs().attempt(name, [&] { trials_.folder().write(name, text()); });
  }

  const run::Display display_;
  const Plan plan_;
  SweepReport report_;
  trial::Trials trials_;
};

}  // namespace

int carry_out(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
              const run::Display& display) {
  return Sweep(loop, resolve, options, display).carry_out();
}

std::string dry_run_text(const trial::Resolve& resolve, const Options& options) {
  return plan_text(plan_of(resolve, options));
}

}  // namespace walstorm::sweep
