#include "orchestrator/past_runs.h"

#include <fmt/format.h>
#include <iostream>

#include "orchestrator/report/junit_xml.h"
#include "orchestrator/report/metrics_reader.h"
#include "orchestrator/report/past_folders.h"
#include "orchestrator/report/report_md.h"
#include "orchestrator/report/run_folder.h"
#include "orchestrator/report/summary.h"
#include "orchestrator/report/timeseries_csv.h"

namespace walstorm {

int report_again(const std::filesystem::path& folder, const run::Display& display) {
  // "results/x/" is the folder "results/x".
  const std::filesystem::path named = folder.has_filename() ? folder : folder.parent_path();
  const report::RecordedRun run = report::read_run(named);
  const auto timelines = report::read_timelines(named / report::kTimeseriesFile);
  report::RunFolder::open(named).write("report.md", report::report_md(run.report, run.tool, timelines));
  if (display.junit_file) report::JunitFile(*display.junit_file).write(run.report);
  std::cout << report::summary(run.report, named.string(), display.colour) << std::flush;
  return 0;
}

int list_past_runs(const std::filesystem::path& output) {
  std::cout << report::past_folders_text(report::past_folders(output), output) << std::flush;
  return 0;
}

}  // namespace walstorm
