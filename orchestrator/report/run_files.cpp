#include "orchestrator/report/run_files.h"

#include "orchestrator/report/metrics_json.h"
#include "orchestrator/report/report_md.h"
#include "orchestrator/report/timeseries_csv.h"
#include "orchestrator/text/document.h"

namespace walstorm::report {
std::string config_text(const config::Config& config) {
  return text::document_text(config::to_json(config));
}

void MetricsFile::conclude(const measure::RunReport& report) {
  folder_.write(name(), text::document_text(metrics_json(report, config::to_json(config_))));
}

void ReportFile::conclude(const measure::RunReport& report) {
  folder_.write(name(), report_md(report, this_tool(), read_timelines(folder_.path() / kTimeseriesFile)));
}

}  // namespace walstorm::report
