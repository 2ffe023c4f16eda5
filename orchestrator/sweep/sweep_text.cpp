#include "orchestrator/sweep/sweep_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <vector>

#include "orchestrator/measure/figures/figures.h"
#include "orchestrator/text/csv.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"
#include "orchestrator/text/or_null.h"

namespace walstorm::sweep {
namespace {

using Row = std::vector<std::string>;

constexpr double kSignificant = 0.05;
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string stop_text(const SweepReport& report) {
  if (report.stop_reason == "interrupted") return "interrupted; the same command with --resume goes on";
  if (report.stop_reason == "run-failed") return report.failure + "; the same command with --resume goes on";
  return report.stop_reason;
}

/// "12.1 ms ±8 %", the wider side of the interval; a mark on the one cell that beats all others.
std::string stat_text(const SweepReport& report, const FigureTable& table, std::size_t cell) {
  const CellStat& stat = table.analysis.cells[cell];
  std::string text = measure::figure_text(table.path, stat.median);
  text += text::spread_text(stat.median, stat.low, stat.high);
  if (stat.count > 0 && stat.count < report.repeats)
    text += fmt::format(" ({} of {} runs)", stat.count, report.repeats);
  if (table.has_better && table.analysis.best == cell) text += " *";
  return text;
}

Row settings_of(const SweepReport& report, const Cell& cell) {
  Row settings;
  for (std::size_t axis = 0; axis < report.axes.size(); ++axis)
    settings.push_back(cell[axis] ? report.axes[axis].values[*cell[axis]] : "–");
  return settings;
}

std::string verdicts_text(const SweepReport& report, std::size_t cell) {
  std::vector<std::string> said;
  for (const CellTrial& run : report.trials) {
    if (run.cell != cell) continue;
    std::string text = run.trial.failed() ? "run failed" : measure::to_string(run.trial.verdict);
    if (!run.trial.crossed.empty()) text += ", thresholds crossed";
    if (std::find(said.begin(), said.end(), text) == said.end()) said.push_back(text);
  }
  return said.empty() ? "not run" : fmt::format("{}", fmt::join(said, "; "));
}

std::vector<Row> cell_rows(const SweepReport& report, const std::vector<FigureTable>& tables) {
  Row header;
  for (const Axis& axis : report.axes) header.push_back(axis.key.substr(axis.key.rfind('.') + 1));
  for (const FigureTable& table : tables) header.push_back(table.label);
  header.emplace_back("verdict");
  std::vector<Row> rows{header};
  for (std::size_t cell = 0; cell < report.cells.size(); ++cell) {
    Row row = settings_of(report, report.cells[cell]);
    for (const FigureTable& table : tables) row.push_back(stat_text(report, table, cell));
    row.push_back(verdicts_text(report, cell));
    rows.push_back(std::move(row));
  }
  return rows;
}

/// What each key did to each figure where that is beyond noise.
std::vector<std::string> effect_lines(const SweepReport& report, const std::vector<FigureTable>& tables) {
  std::vector<std::string> lines;
  for (std::size_t axis = 0; axis < report.axes.size(); ++axis) {
    const Axis& varied = report.axes[axis];
    std::string said;
    for (const FigureTable& table : tables) {
      const AxisEffect& effect = table.analysis.axes[axis];
      if (!effect.p || *effect.p >= kSignificant) continue;
      std::string values;
      for (std::size_t value = 0; value < varied.values.size(); ++value) {
        values += fmt::format("{}{}: {}", value == 0 ? "" : ", ", varied.values[value],
                              measure::figure_text(table.path, effect.means[value]));
      }
      said += fmt::format("\n  {} ({}, p {:.2g})", table.label, values, *effect.p);
    }
    lines.push_back(fmt::format("{}:{}", varied.key, said.empty() ? " no effect beyond noise" : said));
  }
  return lines;
}

std::vector<FigureTable> most_telling(std::vector<FigureTable> tables) {
  std::erase_if(tables, [](const FigureTable& table) { return !table.tells_most; });
  return tables;
}

/// What the figures in the cells are. Of two runs the median is what lies halfway between them.
std::string legend(const std::vector<FigureTable>& tables) {
  const bool all_logarithmic = std::all_of(
      tables.begin(), tables.end(), [](const FigureTable& table) { return table.analysis.logarithmic; });
  return fmt::format(
      "median of the runs (of two of them their geometric mean{}) and 95 % interval; * beats every other "
      "cell "
      "beyond noise",
      all_logarithmic ? "" : ", or the arithmetic one of a figure that was 0 in some run");
}

/// The runs that failed, which no figure here is of.
std::vector<std::string> failure_lines(const SweepReport& report) {
  std::vector<std::string> lines;
  for (const CellTrial& run : report.trials) {
    if (!run.trial.failed()) continue;
    lines.push_back(fmt::format("{}: {}", cell_text(report.axes, report.cells[run.cell]),
                                run.trial.run.empty()
                                    ? run.trial.failure_line()
                                    : fmt::format("{} ({})", run.trial.failure_line(), run.trial.run)));
  }
  return lines;
}

std::string failures_title(const SweepReport& report) {
  return fmt::format("{} of {} runs failed; no figure is of them", failed_runs(report), report.trials.size());
}

}  // namespace

std::string cell_run_line(const SweepReport& report, std::size_t index) {
  const CellTrial& run = report.trials.at(index);
  const auto figure = [&run](const char* path) {
    const auto& figures = run.trial.figures;
    return measure::figure_text(path,
                                figures.contains(path) ? std::optional(figures.at(path)) : std::nullopt);
  };
  const std::string which = fmt::format("run {} of {}: {}", index + 1, report.cells.size() * report.repeats,
                                        cell_text(report.axes, report.cells[run.cell]));
  if (run.trial.failed()) return fmt::format("{}: failed: {}", which, run.trial.failure_line());
  return fmt::format("{}: {}, landed {}, lag p99 {}", which, measure::to_string(run.trial.verdict),
                     figure("consumer.throughput"), figure("consumer.lagMs.p99"));
}

std::string sweep_text(const SweepReport& report, const std::string& folder, bool colour) {
  const auto tables = tables_of(report);
  std::string text = "\n";
  const auto lines = text::aligned(cell_rows(report, most_telling(tables)), 2);
  for (const std::string& line : lines) text += line + "\n";
  text += fmt::format("\n{}\n\n", legend(tables));
  for (const std::string& line : effect_lines(report, tables)) text += line + "\n";
  text += "\n";
  for (const std::string& line : advice(report, tables))
    text += colour ? fmt::format("{}{}{}\n", kGreen, line, kPlain) : line + "\n";
  const auto failures = failure_lines(report);
  if (!failures.empty()) text += "\n" + failures_title(report) + ":\n";
  for (const std::string& line : failures) text += "  " + line + "\n";
  if (report.stop_reason != "finished") text += fmt::format("stopped: {}\n", stop_text(report));
  return text +
         fmt::format(
             "report  {}/sweep.md, sweep.json, a CSV for each figure; a folder for each run beside them\n",
             folder);
}

std::string sweep_md(const SweepReport& report) {
  const auto tables = tables_of(report);
  std::string text = fmt::format("# Sweep of {}\n\n{} cells, {} of {} runs; stopped: {}\n\n", report.name,
                                 report.cells.size(), report.trials.size(),
                                 report.cells.size() * report.repeats, stop_text(report));
  for (const std::string& line : advice(report, tables)) text += fmt::format("- {}\n", line);
  const auto rows = cell_rows(report, tables);
  text += "\n" + text::markdown_table(rows.front(), {rows.begin() + 1, rows.end()});
  std::string said = legend(tables);
  said.front() = 'M';
  text += said + ".\n\n## What each key did\n\n";
  for (const std::string& line : effect_lines(report, tables)) text += "- " + line + "\n";
  const auto failures = failure_lines(report);
  if (!failures.empty()) text += fmt::format("\n## Runs that failed\n\n{}.\n\n", failures_title(report));
  for (const std::string& line : failures) text += "- " + line + "\n";
  return text;
}

std::string sweep_csv(const SweepReport& report, const FigureTable& table) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{}", text::rounded(*value)) : std::string();
  };
  std::vector<std::string> fields;
  for (const Axis& axis : report.axes) fields.push_back(axis.key);
  fields.insert(fields.end(), {"median", "low", "high"});
  for (std::size_t repeat = 1; repeat <= report.repeats; ++repeat)
    fields.push_back(fmt::format("run{}", repeat));
  std::string text = text::csv_row(fields);
  for (std::size_t cell = 0; cell < report.cells.size(); ++cell) {
    fields = settings_of(report, report.cells[cell]);
    const CellStat& stat = table.analysis.cells[cell];
    fields.insert(fields.end(), {number(stat.median), number(stat.low), number(stat.high)});
    for (std::size_t run = 0; run < report.repeats; ++run)
      fields.push_back(run < table.samples[cell].size() ? number(table.samples[cell][run]) : "");
    text += text::csv_row(fields);
  }
  return text;
}

}  // namespace walstorm::sweep
