#include "orchestrator/sweep/sweep_json.h"

#include <algorithm>
#include <fmt/format.h>

#include "orchestrator/text/document.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/or_null.h"
#include "orchestrator/text/record_file.h"
#include "orchestrator/trial/trial_json.h"
#include "proto/wire/error.h"

namespace walstorm::sweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFull = "full";
constexpr const char* kOneAtATime = "oneAtATime";

/// The value's own JSON: 50 and not "50".
Json value_json(const std::string& text) {
  return Json::parse(text, nullptr, false).is_discarded() ? Json(text) : Json::parse(text);
}

Json settings_json(const SweepReport& report, const Cell& cell) {
  Json settings = Json::object();
  for (std::size_t axis = 0; axis < report.axes.size(); ++axis) {
    if (cell[axis]) settings[report.axes[axis].key] = value_json(report.axes[axis].values[*cell[axis]]);
  }
  return settings;
}

std::size_t failed_runs_of(const SweepReport& report, std::size_t cell) {
  return static_cast<std::size_t>(
      std::count_if(report.trials.begin(), report.trials.end(),
                    [cell](const CellTrial& run) { return run.cell == cell && run.trial.failed(); }));
}

Json cells_json(const SweepReport& report, const std::vector<FigureTable>& tables) {
  Json cells = Json::array();
  for (std::size_t number = 0; number < report.cells.size(); ++number) {
    Json figures = Json::object();
    for (const FigureTable& table : tables) {
      const CellStat& stat = table.analysis.cells[number];
      figures[table.path] = {{"count", stat.count},
                             {"median", text::or_null(stat.median)},
                             {"low", text::or_null(stat.low)},
                             {"high", text::or_null(stat.high)}};
    }
    cells.push_back({{"settings", settings_json(report, report.cells[number])},
                     {"sustained", is_sustained(report, number)},
                     {"failedRuns", failed_runs_of(report, number)},
                     {"figures", figures}});
  }
  return cells;
}

Json effects_json(const SweepReport& report, const std::vector<FigureTable>& tables) {
  Json effects = Json::object();
  for (const FigureTable& table : tables) {
    Json axes = Json::object();
    for (std::size_t axis = 0; axis < report.axes.size(); ++axis) {
      const AxisEffect& effect = table.analysis.axes[axis];
      Json means = Json::array();
      for (const auto& mean : effect.means) means.push_back(text::or_null(mean));
      axes[report.axes[axis].key] = {{"means", means}, {"p", text::or_null(effect.p)}};
    }
    // Of what the medians between two runs, the means and the intervals are: of the logarithms or not.
    effects[table.path] = {{"scale", table.analysis.logarithmic ? "logarithmic" : "linear"},
                           {"best", table.has_better ? text::or_null(table.analysis.best) : Json(nullptr)},
                           {"keys", axes}};
  }
  return effects;
}

SweepReport sweep_from(const Json& json) {
  SweepReport report;
  report.name = json.at("name").get<std::string>();
  report.started_at_unix_us = json.at("startedAtUnixUs").get<std::int64_t>();
  report.seed = json.at("seed").get<std::uint64_t>();
  report.config = json.at("config").dump();
  report.repeats = json.at("repeats").get<std::size_t>();
  report.mode = json.at("mode") == kFull ? Mode::full : Mode::one_at_a_time;
  for (const Json& axis : json.at("axes"))
    report.axes.push_back(
        {axis.at("key").get<std::string>(), axis.at("values").get<std::vector<std::string>>()});
  report.cells = cells_of(report.axes, report.mode);
  for (const Json& run : json.at("trials")) {
    const auto cell = run.at("cell").get<std::size_t>();
    if (cell >= report.cells.size()) throw wire::Error(wire::ErrorKind::data, "a run is of no cell");
    report.trials.push_back({cell, trial::trial_from_json(run)});
  }
  return report;
}

}  // namespace

std::string sweep_json(const SweepReport& report) {
  const auto tables = tables_of(report);
  Json axes = Json::array();
  for (const Axis& axis : report.axes) axes.push_back({{"key", axis.key}, {"values", axis.values}});
  Json trials = Json::array();
  for (const CellTrial& run : report.trials) {
    Json json{{"cell", run.cell}};
    json.update(to_json(run.trial));
    trials.push_back(std::move(json));
  }
  Json json = text::record_head(report.name, report.started_at_unix_us, report.ended_at_unix_us);
  json["mode"] = report.mode == Mode::full ? kFull : kOneAtATime;
  json["repeats"] = report.repeats;
  json["seed"] = report.seed;
  json["stopReason"] = text::or_null(report.stop_reason);
  json["failure"] = text::or_null(report.failure);
  json["failedRuns"] = failed_runs(report);
  json["advice"] = advice(report, tables);
  json["axes"] = axes;
  json["cells"] = cells_json(report, tables);
  json["effects"] = effects_json(report, tables);
  json["trials"] = trials;
  json["config"] = report.config.empty() ? Json(nullptr) : Json::parse(report.config);
  return text::document_text(json);
}

SweepReport read_sweep(const std::filesystem::path& file) {
  return text::read_record<SweepReport>(file, "a sweep", sweep_from);
}

}  // namespace walstorm::sweep
