#include "orchestrator/compare/compare_json.h"

#include <optional>

#include "orchestrator/profile/show/diff_text.h"
#include "orchestrator/text/document.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/or_null.h"
#include "orchestrator/text/record_file.h"

namespace walstorm::compare {
namespace {

using Json = nlohmann::ordered_json;

const char* word_of(measure::Better better) {
  switch (better) {
    case measure::Better::lower:
      return "lower";
    case measure::Better::higher:
      return "higher";
    case measure::Better::neither:
      return "neither";
  }
  return "neither";
}

Json interval_json(const std::optional<MedianInterval>& interval) {
  if (!interval) return nullptr;
  return {{"count", interval->count},
          {"median", text::or_null(interval->median)},
          {"low", text::or_null(interval->low)},
          {"high", text::or_null(interval->high)}};
}

Json to_json(const FigureChange& figure) {
  return {{"better", word_of(figure.better)},
          {"base", interval_json(figure.base)},
          {"candidate", interval_json(figure.candidate)},
          {"change", text::or_null(figure.change)},
          {"p", text::or_null(figure.p)},
          {"says", to_string(figure.said)}};
}

Json runs_json(const std::vector<ComparedRun>& runs) {
  Json all = Json::array();
  for (const ComparedRun& run : runs) {
    all.push_back(Json{{"folder", run.folder},
                       {"name", run.name},
                       {"startedAt", text::iso_time(run.started_at_unix_us)},
                       {"outcome", measure::to_string(run.outcome)},
                       {"ledgerIsClean", run.ledger_is_clean},
                       {"warnings", run.warnings}});
  }
  return all;
}

Json verdicts_json(const Verdicts& verdicts) {
  Json all = Json::object();
  for (const auto& [state, count] : verdicts) all[measure::to_string(state)] = count;
  return all;
}

Json phases_json(const Comparison& comparison) {
  Json all = Json::array();
  for (const PhaseComparison& phase : comparison.phases) {
    Json figures = Json::object();
    for (const FigureChange& figure : phase.figures) figures[figure.path] = to_json(figure);
    all.push_back(
        Json{{"name", phase.name},
             {"base", {{"runs", phase.base_runs}, {"verdicts", verdicts_json(phase.base_verdicts)}}},
             {"candidate",
              {{"runs", phase.candidate_runs}, {"verdicts", verdicts_json(phase.candidate_verdicts)}}},
             {"figures", figures}});
  }
  return all;
}

Json gates_json(const Comparison& comparison) {
  Json all = Json::array();
  for (const GateResult& gate : comparison.gates) {
    Json phases = Json::array();
    for (const GatePhase& phase : gate.phases) {
      Json json{{"phase", phase.phase}, {"holds", phase.holds}};
      json.update(to_json(phase.change));
      phases.push_back(std::move(json));
    }
    all.push_back(Json{{"condition", gate.gate.text}, {"holds", gate.holds}, {"phases", phases}});
  }
  return all;
}

Json profile_json(const std::optional<ProfileChange>& profile) {
  if (!profile) return nullptr;
  Json json{{"baseRuns", profile->base_runs},
            {"candidateRuns", profile->candidate_runs},
            {"notes", profile->notes}};
  json.update(profile::diff_json(profile->targets));
  return json;
}

}  // namespace

std::string compare_json(const Comparison& comparison, std::int64_t compared_at_unix_us) {
  Json json = text::record_head("compare", compared_at_unix_us, compared_at_unix_us);
  Json differences = Json::array();
  for (const Difference& difference : comparison.differences) {
    differences.push_back(Json{{"kind", to_string(difference.kind)},
                               {"what", difference.what},
                               {"base", difference.base},
                               {"candidate", difference.candidate}});
  }
  json["outcome"] = measure::to_string(comparison.crossed() ? measure::Outcome::thresholds_crossed
                                                            : measure::Outcome::passed);
  json["loadDiffers"] = load_differs(comparison.differences);
  json["base"] = runs_json(comparison.base);
  json["candidate"] = runs_json(comparison.candidate);
  json["differences"] = differences;
  json["gates"] = gates_json(comparison);
  json["significantBelow"] = kSignificant;
  json["tested"] = comparison.tested;
  json["phases"] = phases_json(comparison);
  json["profile"] = profile_json(comparison.profile);
  return text::document_text(json);
}

}  // namespace walstorm::compare
