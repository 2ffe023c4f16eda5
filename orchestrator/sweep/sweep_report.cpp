#include "orchestrator/sweep/sweep_report.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "orchestrator/measure/figures/figures.h"

namespace walstorm::sweep {
namespace {

/// More than this many equals are counted, not listed.
constexpr std::size_t kEqualsListed = 3;

struct Aim {
  const char* path;
  const char* says;
};
constexpr std::array kAims{
    Aim{"consumer.lagMs.p99", "the lowest lag p99"},
    Aim{"consumer.cpuMicrosPerRecord", "the least consumer CPU per record"},
    Aim{"processes.clickhouse.cpuMicrosPerRecord", "the least ClickHouse CPU per record"}};

/// A figure that a sweep keeps, and what stands over its column.
struct Shown {
  const char* path;
  const char* label;
  bool tells_most = false;  ///< on the terminal too
};
constexpr std::array kShown{Shown{"producer.targetRatio", "of target"},
                            Shown{"consumer.throughput", "landed", true},
                            Shown{"consumer.lagMs.p50", "lag p50", true},
                            Shown{"consumer.lagMs.p99", "lag p99", true},
                            Shown{"consumer.flushMs.p50", "flush p50"},
                            Shown{"consumer.recordsPerFlush", "records/flush", true},
                            Shown{"producer.cpuMicrosPerRecord", "producer CPU/rec"},
                            Shown{"consumer.cpuMicrosPerRecord", "consumer CPU/rec", true},
                            Shown{"processes.clickhouse.cpuMicrosPerRecord", "ClickHouse CPU/rec"},
                            Shown{"processes.consumer-0.rssMaxBytes", "consumer memory"},
                            Shown{"drain.durationSec", "drain"}};

std::string equals_text(const SweepReport& report, const std::vector<std::size_t>& cells) {
  if (cells.size() > kEqualsListed) return fmt::format("{} other cells", cells.size());
  std::string text;
  for (const std::size_t cell : cells)
    text += (text.empty() ? "" : " or ") + cell_text(report.axes, report.cells[cell]);
  return text;
}

}  // namespace

const std::vector<std::string>& shown_figures() {
  static const std::vector<std::string> paths = [] {
    std::vector<std::string> all;
    for (const Shown& figure : kShown) all.emplace_back(figure.path);
    return all;
  }();
  return paths;
}

std::size_t failed_runs(const SweepReport& report) {
  return static_cast<std::size_t>(std::count_if(report.trials.begin(), report.trials.end(),
                                                [](const CellTrial& run) { return run.trial.failed(); }));
}

std::vector<FigureTable> tables_of(const SweepReport& report) {
  std::vector<FigureTable> tables;
  for (const Shown& figure : kShown) {
    FigureTable table;
    table.path = figure.path;
    table.label = figure.label;
    table.tells_most = figure.tells_most;
    const measure::Better better = measure::better_of(table.path);
    table.lower_is_better = better != measure::Better::higher;
    table.has_better = better != measure::Better::neither;
    table.samples.resize(report.cells.size());
    bool measured = false;
    for (const CellTrial& run : report.trials) {
      const auto value = run.trial.figures.find(table.path);
      if (run.trial.failed() || value == run.trial.figures.end()) continue;
      table.samples[run.cell].push_back(value->second);
      measured = true;
    }
    if (!measured) continue;
    table.analysis = analyse(report.axes, report.cells, table.samples, table.lower_is_better);
    tables.push_back(std::move(table));
  }
  return tables;
}

bool is_sustained(const SweepReport& report, std::size_t cell) {
  bool any = false;
  for (const CellTrial& run : report.trials) {
    if (run.cell != cell) continue;
    any = true;
    if (run.trial.failed()) return false;
    if (run.trial.verdict != measure::VerdictState::sustained || !run.trial.crossed.empty()) return false;
  }
  return any;
}

std::vector<std::string> advice(const SweepReport& report, const std::vector<FigureTable>& tables) {
  std::vector<std::string> lines;
  std::vector<bool> sustained;
  for (std::size_t cell = 0; cell < report.cells.size(); ++cell)
    sustained.push_back(is_sustained(report, cell));
  if (std::find(sustained.begin(), sustained.end(), true) == sustained.end())
    return {"no cell was sustained in every run: lower the load, or try other values"};
  for (const Aim& aim : kAims) {
    const auto table = std::find_if(tables.begin(), tables.end(),
                                    [&](const FigureTable& each) { return each.path == aim.path; });
    if (table == tables.end()) continue;
    auto samples = table->samples;
    for (std::size_t cell = 0; cell < samples.size(); ++cell) {
      if (!sustained[cell]) samples[cell].clear();
    }
    const FigureAnalysis found = analyse(report.axes, report.cells, samples, table->lower_is_better);
    if (!found.leader) continue;
    const std::string leader = cell_text(report.axes, report.cells[*found.leader]);
    if (found.best) {
      lines.push_back(fmt::format("for {}: {}", aim.says, leader));
    } else if (!found.as_good.empty()) {
      lines.push_back(fmt::format("for {}: {} led, but {} cannot be told from it{}", aim.says, leader,
                                  equals_text(report, found.as_good),
                                  report.repeats < 2 ? "; repeats would tell" : ""));
    }
  }
  return lines;
}

}  // namespace walstorm::sweep
