#include "orchestrator/sweep/sweep.h"

#include <exception>
#include <fmt/format.h>
#include <functional>
#include <utility>

#include "orchestrator/sweep/sweep_json.h"
#include "orchestrator/sweep/sweep_text.h"
#include "orchestrator/text/format.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::sweep {
namespace {

using measure::Outcome;

/// So many runs in a row that could not begin are no matter of their cells: a server is gone.
constexpr std::size_t kNotBegunMax = 3;

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
        [this] { return sweep_text(report_, trials_.folder().path().string(), display_.colour); },
        [this] { write(); }, exit_code());
  }

 private:
  [[nodiscard]] int exit_code() const {
    if (report_.stop_reason == "interrupted") return 130;
    return report_.stop_reason == "finished" && failed_runs(report_) == 0 ? 0 : 1;
  }

  void run_all() {
    for (std::size_t number = report_.trials.size(); number < plan_.order.size(); ++number) {
      if (trials_.interrupted()) {
        report_.stop_reason = "interrupted";
        return;
      }
      if (!run_cell(plan_.order[number])) return;
      write();  // what was learnt outlives a crash
      trials_.progress().print(cell_run_line(report_, number));
    }
    report_.stop_reason = "finished";
  }

  /// False where the sweep ends with it. Throws the Error of an environment that was never ready.
  bool run_cell(std::size_t cell) {
    try {
      const auto report = trials_.carry_out(plan_.configs[cell], doing(cell));
      if (report.outcome == Outcome::interrupted) {
        report_.stop_reason = "interrupted";
        return false;
      }
      not_begun_ = 0;
      report_.trials.push_back({cell, trial::trial_of(report, folder_name(report), shown_figures())});
      return true;
    } catch (const wire::Error& error) {
      report_.trials.push_back({cell, {}});
      report_.trials.back().trial.failure = fmt::format("could not begin: {}", error.what());
      ++not_begun_;
      const bool all_made = report_.trials.size() == plan_.order.size();
      const bool none_ever_began = report_.trials.size() == not_begun_;
      if (none_ever_began && (all_made || not_begun_ == kNotBegunMax)) throw;
      if (not_begun_ < kNotBegunMax) return true;
      report_.failure =
          fmt::format("{} runs in a row could not begin; the last: {}", not_begun_, error.what());
    }
    report_.stop_reason = "run-failed";
    report_.trials.resize(report_.trials.size() - not_begun_);
    return false;
  }

  [[nodiscard]] std::string doing(std::size_t cell) const {
    const std::size_t left = plan_.order.size() - report_.trials.size();
    return fmt::format("run {} of {}: {}; about {} left", report_.trials.size() + 1, plan_.order.size(),
                       cell_text(report_.axes, report_.cells[cell]),
                       text::sec_text(static_cast<double>(left) * run_sec(plan_.configs[cell])));
  }

  [[nodiscard]] static std::string folder_name(const measure::RunReport& report) {
    return std::filesystem::path(report.folder).filename().string();
  }

  void write() {
    report_.ended_at_unix_us = wire::SystemClock().unix_us();
    write_file(kSweepFile, [this] { return sweep_json(report_); });
    write_file("sweep.md", [this] { return sweep_md(report_); });
    for (const FigureTable& table : tables_of(report_)) {
      write_file(table.path + ".csv", [&] { return sweep_csv(report_, table); });
    }
  }

  void write_file(const std::string& name, const std::function<std::string()>& text) {
    trials_.outputs().attempt(name, [&] { trials_.folder().write(name, text()); });
  }

  const run::Display display_;
  const Plan plan_;
  SweepReport report_;
  trial::Trials trials_;
  std::size_t not_begun_ = 0;  // runs in a row, up to the last one
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
