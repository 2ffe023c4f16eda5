#include "orchestrator/search/search_json.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "orchestrator/text/document.h"
#include "orchestrator/text/or_null.h"
#include "orchestrator/text/record_file.h"
#include "orchestrator/trial/trial_json.h"

namespace walstorm::search {
namespace {

using Json = nlohmann::ordered_json;

Json figure(const trial::Trial& trial, const char* path) {
  return trial.figures.contains(path) ? text::or_null(trial.figures.at(path)) : Json(nullptr);
}

Json end_json(const SearchReport& report, const ValueTrial* trial) {
  if (trial == nullptr) return nullptr;
  Json json{{"value", trial->value}};
  if (report.question.key == "targetThroughput") json["targetThroughput"] = trial->value;
  json["achieved"] = figure(trial->trial, "producer.throughput");
  json["run"] = trial->trial.run;
  return json;
}

Json confirmation_json(const SearchReport& report) {
  const auto last = std::find_if(report.trials.rbegin(), report.trials.rend(),
                                 [](const ValueTrial& trial) { return trial.purpose == Purpose::confirm; });
  if (last == report.trials.rend()) return nullptr;
  return {{"value", last->value},
          {"passed", last->judged == Judged::passes},
          {"loadSec", last->load_sec},
          {"run", last->trial.run}};
}

Json trials_json(const SearchReport& report) {
  Json trials = Json::array();
  for (const ValueTrial& trial : report.trials) {
    Json json{{"value", trial.value},
              {"purpose", to_string(trial.purpose)},
              {"judged", to_string(trial.judged)},
              {"loadSec", trial.load_sec},
              {"lagCreepMs", text::or_null(trial.lag_creep_ms)}};
    json.update(to_json(trial.trial));
    trials.push_back(std::move(json));
  }
  return trials;
}

SearchReport search_from(const Json& json) {
  SearchReport report;
  report.name = json.at("name").get<std::string>();
  report.started_at_unix_us = json.at("startedAtUnixUs").get<std::int64_t>();
  report.question.key = json.at("key").get<std::string>();
  report.phase = json.at("phase").get<std::string>();
  report.config = json.at("config").dump();
  report.stop_reason = json.at("stopReason").is_string() ? json.at("stopReason").get<std::string>() : "";
  if (json.at("unthrottled").is_object()) report.unthrottled = trial::trial_from_json(json.at("unthrottled"));
  for (const Json& each : json.at("trials")) {
    report.trials.push_back(
        {each.at("value").get<double>(), text::named(each.at("purpose").get<std::string>(), Purpose::confirm),
         text::named(each.at("judged").get<std::string>(), Judged::unclear), each.at("loadSec").get<double>(),
         each.at("lagCreepMs").is_number() ? std::optional(each.at("lagCreepMs").get<double>())
                                           : std::nullopt,
         trial::trial_from_json(each)});
  }
  return report;
}

}  // namespace

std::string search_json(const SearchReport& report) {
  Json json = text::record_head(report.name, report.started_at_unix_us, report.ended_at_unix_us);
  json.update(Json{{"key", report.question.key},
                   {"phase", report.phase},
                   {"precision", report.question.precision},
                   {"min", text::or_null(report.question.min)},
                   {"max", text::or_null(report.question.max)},
                   {"trialSec", report.question.trial_sec},
                   {"lastPassing", end_json(report, trial_at(report, report.last_passing, Judged::passes))},
                   {"firstFailing", end_json(report, failing_trial(report))},
                   {"width", text::or_null(report.width)}});
  const std::string bound = bound_by(report);
  json["boundBy"] = text::or_null(bound);
  json["confidence"] = confidence(report);
  json["stopReason"] = text::or_null(report.stop_reason);
  json["failure"] = text::or_null(report.failure);
  json["failedRuns"] = failed_trials(report);
  json["confirmation"] = confirmation_json(report);
  const ValueTrial* bend = knee(report);
  json["knee"] = bend == nullptr ? Json(nullptr) : end_json(report, bend);
  json["unthrottled"] = report.unthrottled ? to_json(*report.unthrottled) : Json(nullptr);
  json["trials"] = trials_json(report);
  json["config"] = report.config.empty() ? Json(nullptr) : Json::parse(report.config);
  return text::document_text(json);
}

SearchReport read_search(const std::filesystem::path& file) {
  return text::read_record<SearchReport>(file, "a search", search_from);
}

}  // namespace walstorm::search
