#include "orchestrator/config/trial_load.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "orchestrator/config/json/did_you_mean.h"
#include "orchestrator/config/json/schema.h"
#include "orchestrator/config/thresholds.h"
#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

using wire::Error;
using wire::ErrorKind;

/// For keys whose node names no bound.
constexpr double kNoBound = std::numeric_limits<double>::max();

/// Of the config's name, so that a trial's still is a name (the schema: 64 characters).
constexpr std::size_t kNameMax = 50;

std::string meant_text(const std::string& word, const std::vector<std::string>& known) {
  const std::string meant = nearest(word, known);
  return meant.empty() ? "" : fmt::format("; did you mean {}?", meant);
}

Pointer pointer_to(const std::string& path) {
  std::string text = "/" + path;
  std::replace(text.begin(), text.end(), '.', '/');
  return Pointer(text);
}

}  // namespace

std::string target_json(const Load& load) {
  return to_json(load).dump();
}

std::string number_text(double number) {
  return Json(number == static_cast<double>(static_cast<std::int64_t>(number))
                  ? Json(static_cast<std::int64_t>(number))
                  : Json(number))
      .dump();
}

std::vector<Override> trial_overrides(const TrialLoad& load, const std::string& run_name) {
  Json phases = Json::array();
  const Json target = Json::parse(load.target);
  if (load.warmup_sec > 0) {
    std::string name = "warm-up";
    if (load.phase == name) name += "-1";  // two phases of one name could not be told apart
    phases.push_back(
        {{"name", name}, {"durationSec", load.warmup_sec}, {"targetThroughput", target}, {"warmup", true}});
  }
  phases.push_back({{"name", load.phase}, {"durationSec", load.load_sec}, {"targetThroughput", target}});
  Json thresholds = Json::array();
  for (const Threshold& threshold : load.thresholds) thresholds.push_back(to_json(threshold));
  return {{"the trial's ", "phases", phases.dump(), false},
          {"the trial's ", "thresholds", thresholds.dump(), false},
          {"the trial's ", "drain.timeoutSec", number_text(load.drain_sec), false},
          {"the trial's ", "name", run_name, true}};
}

std::string trial_name(const std::string& name, const std::string& suffix) {
  return fmt::format("{}-{}", name.substr(0, kNameMax), suffix);
}

TrialThresholds trial_thresholds(const Config& config, const std::string& phase) {
  TrialThresholds result;
  for (const Threshold& threshold : config.thresholds) {
    const auto figures = expression_of(threshold).figures();
    const bool of_others = threshold.phase.value_or(phase) != phase ||
                           std::any_of(figures.begin(), figures.end(), [](const Expression::Figure& figure) {
                             return !figure.phase.empty();
                           });
    (of_others ? result.left_out : result.judging).push_back(threshold);
  }
  return result;
}

const Phase& trial_phase(const Config& config, const std::optional<std::string>& name) {
  const auto found = std::find_if(config.phases.begin(), config.phases.end(), [&](const Phase& phase) {
    return name ? phase.name == *name : !phase.warmup;
  });
  if (found != config.phases.end()) return *found;
  if (!name) throw Error(ErrorKind::config, "the config has no phase that is not a warm-up");
  std::vector<std::string> names;
  for (const Phase& phase : config.phases) names.push_back(phase.name);
  throw Error(ErrorKind::config, fmt::format("no phase \"{}\"{}", *name, meant_text(*name, names)));
}

NumericKey numeric_key(const std::string& path) {
  Json document = Json::object();
  complete(schema(), document);
  const Json* node = schema_at(pointer_to(path), document);
  if (node == nullptr)
    throw Error(ErrorKind::config, fmt::format("no such key: {}{}", path, meant_text(path, known_paths())));
  node = branch_for(*node, Json(1));
  const std::string type = node != nullptr && node->contains("type") && (*node)["type"].is_string()
                               ? (*node)["type"].get<std::string>()
                               : "";
  if (type != "integer" && type != "number")
    throw Error(ErrorKind::config, fmt::format("{}: takes no number", path));
  return {type == "integer", node->value("minimum", 0.0), node->value("maximum", kNoBound)};
}

}  // namespace walstorm::config
