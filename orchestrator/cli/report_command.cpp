#include <filesystem>
#include <iostream>

#include "orchestrator/cli/command.h"
#include "orchestrator/profile/profile_folder.h"
#include "orchestrator/report/metrics_reader.h"
#include "orchestrator/report/output.h"
#include "orchestrator/report/report_md.h"
#include "orchestrator/report/run_folder.h"
#include "orchestrator/report/summary.h"
#include "orchestrator/report/timeseries_csv.h"

namespace walstorm {
namespace {

void describe_report(CLI::App& report, Words& words) {
  report.add_option("DIR", words.folder, "The run's folder")->type_name("DIR");
}

std::string read_report(const CLI::App& /*command*/, const Words& words, CommandLine& line) {
  if (words.folder.empty()) return "report: name a run's folder";
  line.folder = words.folder;
  return {};
}

int carry_out_report(const CommandLine& line) {
  // "results/x/" is the folder "results/x".
  const std::filesystem::path folder = line.folder.has_filename() ? line.folder : line.folder.parent_path();
  report::RecordedRun run = report::read_run(folder);
  run.report.profile_section = profile::read_section(folder);
  const auto timelines = report::read_timelines(folder / report::kTimeseriesFile);
  show(report::summary(run.report, folder.string(), display_of(line).colour));
  report::Outputs outputs;
  outputs.attempt("report.md", [&] {
    report::RunFolder::open(folder).write("report.md", report::report_md(run.report, run.tool, timelines));
  });
  std::cerr << report::not_written_text(outputs.not_written(), 0);
  return report::exit_code_with(outputs.not_written(), 0);
}

}  // namespace

CommandPage report_command() {
  return {.command = Command::report,
          .name = "report",
          .says = "Write a run's report.md again from its metrics.json, and print its summary",
          .usage = "DIR [options]",
          .about = R"(It reads metrics.json and timeseries.csv in the run's folder and starts no server.)",
          .options = {"no-color"},
          .examples = R"text(  walstorm report profiling-results/quickstart-2026-01-31T12-00-00Z
  walstorm report "$(ls -td profiling-results/quickstart-* | head -1)")text",
          .describe = describe_report,
          .read = read_report,
          .carry_out = carry_out_report};
}

}  // namespace walstorm
