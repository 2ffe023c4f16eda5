#include "orchestrator/run/presentation.h"

#include <iostream>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/config/process_roles.h"
#include "orchestrator/report/metrics_json.h"
#include "orchestrator/report/report_md.h"
#include "orchestrator/report/summary.h"
#include "orchestrator/report/timeseries_csv.h"

namespace walstorm::run {
namespace {

using report::kTimeseriesFile;

std::optional<live::Screen> terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return live::Screen{size.ws_col, size.ws_row};
}

}  // namespace

Presentation::Presentation(const config::Config& config, const std::filesystem::path& output_dir,
                           const Display& display, std::int64_t started_unix_us)
    : config_(config),
      display_(display),
      junit_(display.junit_file ? std::optional<report::JunitFile>(*display.junit_file) : std::nullopt),
      folder_(output_dir, config.name, started_unix_us),
      roles_(config::process_roles(config.producer.worker_count, !config.consumer.use_mock_clickhouse)),
      timeseries_(folder_.path() / kTimeseriesFile) {
  folder_.write("config.json", config::to_json(config).dump(2) + "\n");
  timeseries_ << report::csv_header(roles_);
  if (display_.quiet) return;
  const auto screen = [terminal = display.terminal] { return terminal ? terminal_size() : std::nullopt; };
  std::vector<config::Phase> shown = config.phases;
  if (config.producer.preload_rows > 0) {
    shown.insert(shown.begin(), config::preload_phase(config));
    shown.front().duration_sec = 0;  // its time is a limit, not a plan
    first_phase_shown_ = 1;
  }
  live_ = std::make_unique<live::LiveView>(std::cout, screen, shown);
}

void Presentation::say(const std::string& line) {
  if (live_) live_->print(line + "\n");
}

void Presentation::begin_phase(std::size_t phase_index) {
  if (live_) live_->phase_started(first_phase_shown_ + phase_index);
}

void Presentation::begin_preload() {
  if (live_) live_->phase_started(0);
}

void Presentation::end_preload(const std::string& line) {
  if (live_) live_->phase_ended(0, std::nullopt);
  say(line);
}

void Presentation::show(const measure::Second& second) {
  timeseries_ << report::csv_line(second, roles_) << std::flush;
  if (live_) live_->show(second);
  if (display_.on_second) display_.on_second(second);
}

void Presentation::end_phase(std::size_t phase_index, const measure::PhaseReport& report) {
  if (!live_) return;
  live_->phase_ended(first_phase_shown_ + phase_index, report.verdict.state);
  live_->print(report::phase_line(report, display_.colour));
}

void Presentation::write_report(const measure::RunReport& report) {
  live_.reset();
  folder_.write("metrics.json", report::metrics_json(report, config::to_json(config_)).dump(2) + "\n");
  timeseries_.close();
  folder_.write("report.md", report::report_md(report, report::this_tool(),
                                               report::read_timelines(folder_.path() / kTimeseriesFile)));
  if (junit_) junit_->write(report);
  if (display_.summary)
    std::cout << report::summary(report, folder_.path().string(), display_.colour) << std::flush;
}

void Presentation::discard() {
  live_.reset();
  timeseries_.close();
  std::error_code ignored;
  std::filesystem::remove_all(folder_.path(), ignored);
}

}  // namespace walstorm::run
