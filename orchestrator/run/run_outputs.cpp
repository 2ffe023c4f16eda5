#include "orchestrator/run/run_outputs.h"

#include <system_error>
#include <utility>

#include "orchestrator/config/process_roles.h"
#include "orchestrator/config/sink_kind.h"
#include "orchestrator/report/run_files.h"

namespace walstorm::run {

RunOutputs::RunOutputs(process::EventLoop& loop, const config::Config& config,
                       const std::filesystem::path& output_dir, const Display& display,
                       std::int64_t started_unix_us)
    : loop_(loop),
      config_(config),
      display_(display),
      junit_(display.junit_file ? std::optional<report::JunitFile>(*display.junit_file) : std::nullopt),
      folder_(output_dir, config.name, started_unix_us),
      terminal_(config, display, folder_.path().string()) {
  try {
    folder_.write("config.json", report::config_text(config));
    timeseries_ = std::make_unique<TimeseriesFile>(
        loop, folder_.path(),
        config::process_roles(config.producer.worker_count,
                              config::sink_kind(config) != config::SinkKind::mock));
  } catch (...) {
    discard();
    throw;
  }
  if (config.profiling.doctor()) doctor_.emplace(config, folder_.path());
  outputs_.add(std::make_unique<report::MetricsFile>(folder_, config));
  outputs_.add(std::make_unique<report::ReportFile>(folder_));
  if (junit_) outputs_.add(std::make_unique<report::JunitOutput>(std::move(*junit_)));
}

profile::Profiler* RunOutputs::profiler() {
  if (!profiler_ && profile::Profiler::is_wanted(config_.profiling)) {
    terminal_.say("looking what can be profiled here");
    profiler_ = std::make_unique<profile::Profiler>(loop_, config_, display_.profile, folder_.path());
  }
  return profiler_.get();
}

std::vector<std::string> RunOutputs::worker_variables(WorkerProcess::Role role, const std::string& name) {
  profile::Profiler* const by = profiler();
  if (by == nullptr) return {};
  return by->equip(name, role == WorkerProcess::Role::producer ? profile::kProducer : profile::kConsumer);
}

void RunOutputs::say(const std::string& line) {
  terminal_.say(line);
}

void RunOutputs::begin_phase(std::size_t phase_index) {
  terminal_.begin_phase(phase_index);
}

void RunOutputs::begin_preload() {
  terminal_.begin_preload();
}

void RunOutputs::end_preload(const std::string& line) {
  terminal_.end_preload(line);
}

void RunOutputs::show(const measure::Second& second) {
  outputs_.attempt(timeseries_->name(), [&] { timeseries_->take(second); });
  outputs_.attempt(terminal_.name(), [&] { terminal_.take(second); });
  if (display_.on_second) display_.on_second(second);
}

void RunOutputs::end_phase(std::size_t phase_index, const measure::PhaseReport& report) {
  terminal_.end_phase(phase_index, report);
}

void RunOutputs::conclude(measure::RunReport& report) {
  if (profiler_) {
    terminal_.say("reading the profile");
    profiler_->conclude(report);
  }
  if (doctor_) doctor_->conclude(report);
  // Its last lines are written, or known to be lost, before the report tells of them and draws them.
  outputs_.attempt(timeseries_->name(), [&] { timeseries_->conclude(report); });
  for (const std::string& lost : outputs_.not_written()) report.notes.push_back(lost);
  outputs_.attempt(terminal_.name(), [&] { terminal_.conclude(report); });
  outputs_.conclude(report);
  const auto not_written = outputs_.not_written();
  if (display_.summary) terminal_.add(report::not_written_text(not_written, report.exit_code));
  if (display_.on_not_written) display_.on_not_written(not_written);
  report.exit_code = report::exit_code_with(not_written, report.exit_code);
  terminal_.finish(loop_);
}

void RunOutputs::discard() {
  terminal_.end_view();
  timeseries_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_.path(), ignored);
  terminal_.finish(loop_);
}

}  // namespace walstorm::run
