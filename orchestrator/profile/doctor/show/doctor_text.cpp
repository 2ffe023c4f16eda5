#include "orchestrator/profile/doctor/show/doctor_text.h"

#include <algorithm>
#include <fmt/format.h>

#include "orchestrator/profile/doctor/show/figures.h"
#include "orchestrator/text/markdown.h"

namespace walstorm::profile::doctor {
namespace {

constexpr std::size_t kSummaryLines = 4;

using Workers = std::vector<const Examined*>;  // of one phase

std::vector<Workers> by_phase(const DoctorReport& report) {
  std::vector<Workers> phases;
  for (const Examined& each : report.examined) {
    if (phases.empty() || phases.back().front()->watched.phase != each.watched.phase) phases.emplace_back();
    phases.back().push_back(&each);
  }
  return phases;
}

/// "mean / highest", a dash where nothing was measured.
std::string cell(const Figure& figure, const Examined& examined) {
  const Overall all = over(examined.watched.windows, figure.of);
  if (!all.highest) return "–";
  return fmt::format("{} / {}", figure_text(figure.unit, figure.by_median ? all.median : all.mean),
                     figure_text(figure.unit, all.highest));
}

/// Figures by worker. What no worker has is left out.
std::string phase_table(const Workers& workers, const Thresholds& limits) {
  std::vector<std::string> header{"figure"};
  for (const Examined* each : workers) header.push_back(each->watched.worker);
  header.emplace_back("limit");
  std::vector<std::vector<std::string>> rows;
  for (const Figure& figure : figures(limits)) {
    std::vector<std::string> row{figure.name};
    for (const Examined* each : workers) row.push_back(cell(figure, *each));
    if (std::all_of(row.begin() + 1, row.end(), [](const std::string& text) { return text == "–"; }))
      continue;
    row.push_back(figure.limit ? figure_text(figure.unit, figure.limit) : "–");
    rows.push_back(std::move(row));
  }
  return text::markdown_table(header, rows);
}

std::string finding_text(const Examined& each) {
  std::string text = fmt::format("- **{}**: {} Next: {}.\n", each.watched.phase, each.diagnosis.says,
                                 each.diagnosis.next_step);
  if (!each.broke_off.empty())
    text += fmt::format("  - the phase {}: this is said of what went before\n", each.broke_off);
  for (const std::string& remark : each.diagnosis.remarks) text += fmt::format("  - {}\n", remark);
  return text;
}

std::string rules_table(const Thresholds& limits) {
  std::vector<std::vector<std::string>> rows;
  for (const Rule& rule : rules(limits)) rows.push_back({words(rule.category), rule.says});
  return text::markdown_table({"category", "when"}, rows);
}

}  // namespace

std::string doctor_section(const DoctorReport& report, const std::string& folder) {
  std::string text = "## Doctor\n\n";
  for (const Examined& each : report.examined) text += finding_text(each);
  if (report.examined.empty()) return text + "Nothing was looked at: no judged phase began.\n\n";
  text += fmt::format(
      "\nOf windows of about a second; mean (of waits, delays and memory the median) / highest of a window. "
      "The charts are in `{}/doctor.html`, all figures in `{}/profile.json`.\n\n",
      folder, folder);
  for (const Workers& workers : by_phase(report)) {
    text += fmt::format("### Doctor: {}\n\n", workers.front()->watched.phase);
    text += phase_table(workers, report.limits);
  }
  return text + "### Doctor's categories\n\n" + rules_table(report.limits);
}

std::vector<std::string> doctor_lines(const DoctorReport& report) {
  std::vector<std::string> lines;
  std::size_t ailing = 0;
  for (const Examined& each : report.examined) {
    if (each.diagnosis.category == Category::healthy || ++ailing > kSummaryLines) continue;
    lines.push_back(
        fmt::format("{}: {} Next: {}.", each.watched.phase, each.diagnosis.says, each.diagnosis.next_step));
  }
  if (ailing > kSummaryLines) lines.push_back(fmt::format("and {} more findings", ailing - kSummaryLines));
  const auto cut = std::find_if(report.examined.begin(), report.examined.end(),
                                [](const Examined& each) { return !each.broke_off.empty(); });
  if (cut != report.examined.end()) {
    lines.push_back(fmt::format("{}the phase \"{}\" {}: what the doctor says ends there.",
                                lines.empty() ? "no worker was at a limit, but " : "", cut->watched.phase,
                                cut->broke_off));
  } else if (lines.empty() && !report.examined.empty()) {
    lines.emplace_back("all workers are healthy in all judged phases.");
  }
  return lines;
}

}  // namespace walstorm::profile::doctor
