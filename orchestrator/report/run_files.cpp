#include "orchestrator/report/run_files.h"

#include <nlohmann/json.hpp>

#include "orchestrator/report/metrics_json.h"
#include "orchestrator/report/report_md.h"
#include "orchestrator/report/timeseries_csv.h"

namespace walstorm::report {
namespace {

/// A text that is not UTF-8 all the same costs its bytes, and not the file.
template <typename Json>
std::string text_of(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string config_text(const config::Config& config) {
  return text_of(config::to_json(config));
}

void MetricsFile::conclude(const measure::RunReport& report) {
  folder_.write(name(), text_of(metrics_json(report, config::to_json(config_))));
}

void ReportFile::conclude(const measure::RunReport& report) {
  folder_.write(name(), report_md(report, this_tool(), read_timelines(folder_.path() / kTimeseriesFile)));
}

}  // namespace walstorm::report
