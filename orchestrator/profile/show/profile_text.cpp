#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <vector>

#include "orchestrator/profile/show/profile_report.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"

namespace walstorm::profile {
namespace {

using Row = std::vector<std::string>;
using Table = std::vector<Row>;  // the header first

constexpr std::size_t kFunctionChars = 70;
constexpr std::size_t kSummaryTargets = 3;

std::string ratio_text(std::optional<double> ratio) {
  return ratio ? fmt::format("{:.1f}", *ratio) : "–";
}

std::string cpu_text(std::uint64_t ns) {
  return ns > 0 ? fmt::format("{:.2f} s", static_cast<double>(ns) / 1e9) : "–";
}

Table module_table(const TargetAnalysis& target) {
  Table table{{"module", "CPU", "CPU time", "samples", "with what it calls", "wall/CPU"}};
  for (const ModuleRow& row : target.modules) {
    table.push_back({row.module, text::percent_text(row.share), cpu_text(row.ns),
                     text::count_text(row.samples), text::percent_text(row.share_with_callees),
                     ratio_text(row.wall_per_cpu)});
  }
  return table;
}

Table function_table(const TargetAnalysis& target) {
  Table table{{"function", "CPU itself", "samples", "with what it calls", "module", "of"}};
  for (const FunctionRow& row : target.functions) {
    table.push_back({text::clipped(row.function, kFunctionChars), text::percent_text(row.share),
                     text::count_text(row.samples), text::percent_text(row.total_share), row.module,
                     row.object.empty() ? "–" : row.object});
  }
  return table;
}

Table wait_table(const TargetAnalysis& target) {
  Table table{{"what it waits for", "of wall time", "time", "waits sampled"}};
  for (const WaitRow& row : target.waits) {
    const std::string name = row.wait.starts_with("wait: ") ? row.wait.substr(6) : row.wait;
    table.push_back({name, text::percent_text(row.share), cpu_text(row.ns), text::count_text(row.count)});
  }
  return table;
}

std::string target_figures(const TargetAnalysis& target) {
  std::string text =
      fmt::format("{} {}", text::count_text(target.samples), target.samples == 1 ? "sample" : "samples");
  if (target.cpu_ns) text += fmt::format(", {} of CPU", cpu_text(*target.cpu_ns));
  if (target.cpu_ns && target.counted_cpu_ns)
    text += fmt::format(" (the kernel counted {})", cpu_text(*target.counted_cpu_ns));
  text += target.wall_per_cpu ? fmt::format(", wall over CPU {}", ratio_text(target.wall_per_cpu))
                              : ", wall over CPU not measured";
  return target.samples == 0 ? text : text + ", " + broken_text(target);
}

std::string markdown(const Table& table) {
  return text::markdown_table(table.front(), Table(table.begin() + 1, table.end()));
}

std::string aligned(const Table& table) {
  constexpr std::size_t kGap = 2;
  std::string text;
  for (const std::string& line : text::aligned(table, kGap)) text += line + "\n";
  return text + "\n";
}

/// The tables of a target, by `write`.
template <typename Write>
std::string tables(const TargetAnalysis& target, Write write) {
  std::string text = write(module_table(target)) + write(function_table(target));
  if (!target.waits.empty()) text += write(wait_table(target));
  return text;
}

}  // namespace

std::string how_text(const ProfileReport& report) {
  std::string text = "Sampled by " + report.how.by;
  if (!report.how.events.empty()) text += fmt::format(" ({})", fmt::join(report.how.events, ", "));
  if (report.how.frequency_hz) text += fmt::format(" at {:.0f} Hz", *report.how.frequency_hz);
  if (!report.how.unwinding.empty()) text += ", unwound by " + report.how.unwinding;
  return text;
}

std::string overhead_text(const ProfileReport& report) {
  if (!report.profiler_cpu_share) {
    return report.how.by.starts_with("perf")
               ? "what perf itself took was not measured"
               : "what sampling took is in the CPU time of those that were sampled";
  }
  return fmt::format("perf itself took {:.2f} % of a CPU ({:.2f} s), beside what sampling costs its targets",
                     *report.profiler_cpu_share * 100, report.profiler_cpu_sec.value_or(0));
}

namespace {

/// Of the stacks that were sampled.
std::string flame_section(const ProfileReport& report, const std::string& folder) {
  if (report.all.empty() && report.notes.empty()) return "";
  std::string text = "## Profile\n\n";
  for (const TargetAnalysis& target : report.all) text += fmt::format("- {}\n", target.conclusion);
  for (const std::string& note : report.notes) text += fmt::format("- note: {}\n", note);
  if (report.all.empty()) return text + "\n";
  text += fmt::format(
      "\n{}; {}. Limits: {}. The flame graph is `{}/flame.html`, all figures are in `{}/profile.json`.\n\n",
      how_text(report), overhead_text(report), limits_text(report.limits), folder, folder);
  for (const TargetAnalysis& target : report.all) {
    text += fmt::format("### Profile of {}\n\n{}.\n\n", target.target, target_figures(target));
    text += tables(target, markdown);
  }
  const bool broke_off = std::any_of(report.phases.begin(), report.phases.end(),
                                     [](const PhaseAnalysis& phase) { return !phase.broke_off.empty(); });
  if (report.phases.size() < 2 && !broke_off) return text;
  text += "### Profile by phase\n\n";
  for (const PhaseAnalysis& phase : report.phases) {
    const std::string name = fmt::format(
        "**{}**{}", phase.phase,
        phase.broke_off.empty() ? "" : fmt::format(" ({}: its stacks end there)", phase.broke_off));
    for (const TargetAnalysis& target : phase.targets)
      text += fmt::format("- {}: {}\n", name, target.conclusion);
    if (phase.targets.empty()) text += fmt::format("- {}: nothing was sampled\n", name);
  }
  return text + "\n";
}

}  // namespace

std::string profile_section(const ProfileReport& report, const std::string& folder) {
  return flame_section(report, folder) + heap_section(report.heap, folder) +
         contention_section(report.contention, folder);
}

std::string profile_text(const ProfileReport& report) {
  std::string text;
  for (const TargetAnalysis& target : report.all) {
    text += fmt::format("{}: {}\n\n{}", target.target.empty() ? "all" : target.target, target_figures(target),
                        tables(target, aligned));
  }
  for (const TargetAnalysis& target : report.all) text += target.conclusion + "\n";
  for (const std::string& note : report.notes) text += fmt::format("note: {}\n", note);
  return text + fmt::format("limits: {}\n", limits_text(report.limits));
}

std::vector<std::string> summary_lines(const ProfileReport& report) {
  std::vector<std::string> lines;
  for (const TargetAnalysis& target : report.all) {
    if (lines.size() < kSummaryTargets) lines.push_back(target.conclusion);
  }
  if (!report.all.empty()) lines.push_back(overhead_text(report) + ".");
  for (const auto& more : {heap_lines(report.heap), contention_lines(report.contention)})
    lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

}  // namespace walstorm::profile
