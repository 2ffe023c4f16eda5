#include "orchestrator/trial/trial_json.h"

#include "orchestrator/text/or_null.h"

namespace walstorm::trial {

using Json = nlohmann::ordered_json;

Json to_json(const Trial& trial) {
  Json figures = Json::object();
  for (const auto& [path, value] : trial.figures) figures[path] = text::or_null(value);
  return {{"run", trial.run},
          {"outcome", measure::to_string(trial.outcome)},
          {"failure", trial.failure.empty() ? Json(nullptr) : Json(trial.failure)},
          {"durationSec", text::or_null(trial.duration_sec)},
          {"verdict", measure::to_string(trial.verdict)},
          {"bottleneck", measure::to_string(trial.bottleneck)},
          {"why", trial.why},
          {"tryNext", trial.advice.empty() ? Json(nullptr) : Json(trial.advice)},
          {"thresholdsCrossed", trial.crossed},
          {"figures", figures}};
}

Trial trial_from_json(const Json& json) {
  using measure::to_string;
  Trial trial;
  trial.run = json.at("run").get<std::string>();
  trial.outcome = text::named(json.at("outcome").get<std::string>(), measure::Outcome::interrupted);
  if (json.at("failure").is_string()) trial.failure = json.at("failure").get<std::string>();
  trial.duration_sec = json.at("durationSec").get<double>();
  trial.verdict = text::named(json.at("verdict").get<std::string>(), measure::VerdictState::failed);
  trial.bottleneck = text::named(json.at("bottleneck").get<std::string>(), measure::Bottleneck::unknown);
  trial.why = json.at("why").get<std::string>();
  if (json.at("tryNext").is_string()) trial.advice = json.at("tryNext").get<std::string>();
  trial.crossed = json.at("thresholdsCrossed").get<std::vector<std::string>>();
  trial.figures = json.at("figures").get<std::map<std::string, double>>();
  return trial;
}

}  // namespace walstorm::trial
