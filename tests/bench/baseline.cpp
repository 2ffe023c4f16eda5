#include "tests/bench/baseline.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "orchestrator/compare/bench_changes.h"
#include "orchestrator/compare/change_text.h"
#include "proto/wire/version.h"

namespace walstorm::bench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

std::string rate_text(const Run& run) {
  const auto of = [&run](const char* name) {
    const auto found = run.counters.find(name);
    return found == run.counters.end() ? 0 : found->second.value;
  };
  const double bytes = of("bytes_per_second"), wire_bytes = of(kWireBytesPerItem);
  std::string text = bytes > 0 ? fmt::format("{:.0f} MB/s", bytes / 1e6)
                               : fmt::format("{:.2f} M/s", of("items_per_second") / 1e6);
  if (wire_bytes > 0) text += fmt::format(", {:.0f} bytes on the wire", wire_bytes);
  return text;
}

}  // namespace

BaselineReporter::BaselineReporter(const std::string& file) : file_(file) {
  std::ifstream in(file);
  if (!in) return;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  baseline_ = compare::parse_benches(text, file);
}

bool BaselineReporter::ReportContext(const Context&) {
  fmt::print("{:<34} {:>12} {:>12} {:>15}  {}\n", "CPU time of one", "now", "baseline", "change", "rate");
  return true;
}

/// All repetitions of a benchmark at once, and its aggregates by themselves.
void BaselineReporter::ReportRuns(const std::vector<Run>& runs) {
  compare::Bench now;
  for (const Run& run : runs) {
    const auto items = run.counters.find("items_per_second");
    if (run.run_type != Run::RT_Iteration || run.error_occurred || items == run.counters.end()) continue;
    now.name = run.run_name.function_name;
    now.cpu_ns.push_back(1e9 / items->second.value);
  }
  if (now.cpu_ns.empty()) return;
  std::vector<compare::Bench> before;
  std::copy_if(baseline_.begin(), baseline_.end(), std::back_inserter(before),
               [&now](const compare::Bench& each) { return each.name == now.name; });
  const compare::FigureChange change = compare::bench_changes(before, {now}).front();
  fmt::print("{:<34} {:>12} {:>12} {:>15}  {}\n", now.name,
             compare::bench_time_text(change.candidate->median),
             change.base ? compare::bench_time_text(change.base->median) : "-", compare::change_text(change),
             rate_text(runs.front()));
  std::fflush(stdout);
  measured_.push_back(std::move(now));
}

void BaselineReporter::write_baseline() const {
  std::vector<compare::Bench> all = baseline_;
  for (const compare::Bench& bench : measured_) {
    const auto old =
        std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == bench.name; });
    if (old == all.end()) {
      all.push_back(bench);
    } else {
      *old = bench;
    }
  }
  std::ofstream(file_) << compare::bench_file_text(
      all, {{"gitRevision", wire::kGitRevision}, {"buildType", wire::kBuildType}, {"compiler", __VERSION__}});
}

}  // namespace walstorm::bench
