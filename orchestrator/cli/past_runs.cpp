#include "orchestrator/cli/past_runs.h"

#include <iostream>
#include <system_error>
#include <vector>

#include "orchestrator/cli/past_folders.h"
#include "orchestrator/config/json/secrets.h"
#include "orchestrator/report/junit_xml.h"
#include "orchestrator/report/metrics_reader.h"
#include "orchestrator/report/output.h"
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
  std::cout << config::hide_secrets(report::summary(run.report, named.string(), display.colour))
            << std::flush;
  report::Outputs outputs;
  outputs.attempt("report.md", [&] {
    report::RunFolder::open(named).write("report.md", report::report_md(run.report, run.tool, timelines));
  });
  if (display.junit_file)
    outputs.attempt("JUnit", [&] { report::JunitFile(*display.junit_file).write(run.report); });
  std::cerr << report::not_written_text(outputs.not_written(), 0);
  return report::exit_code_with(outputs.not_written(), 0);
}

int list_past_runs(const std::filesystem::path& folder, const std::filesystem::path& output_dir) {
  const std::filesystem::path& named = folder.empty() ? output_dir : folder;
  std::error_code unknown;
  const bool nothing_yet = folder.empty() && !std::filesystem::exists(named, unknown);
  const auto found = nothing_yet ? std::vector<PastFolder>() : past_folders(named);
  std::cout << past_folders_text(found, named) << std::flush;
  return 0;
}

}  // namespace walstorm
