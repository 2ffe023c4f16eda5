#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/doctor/show/doctor_text.h"
#include "orchestrator/profile/doctor/show/figures.h"
#include "orchestrator/text/dygraphs.h"
#include "orchestrator/text/or_null.h"
#include "orchestrator/text/script_json.h"

namespace walstorm::profile::doctor {
namespace {

using Json = nlohmann::ordered_json;
using text::or_null;

Json thresholds_json(const Thresholds& limits) {
  return {{"windowsMin", limits.windows_min},
          {"windowsShare", limits.windows_share},
          {"runQueueShare", limits.run_queue_share},
          {"starvedBusyShare", limits.starved_busy_share},
          {"busyShare", limits.busy_share},
          {"flushesShare", limits.flushes_share},
          {"bufferedShare", limits.buffered_share},
          {"heldUpMs", limits.held_up_ms},
          {"postgresWaitMs", limits.postgres_wait_ms},
          {"connectionsShare", limits.connections_share},
          {"growthWindowsMin", limits.growth_windows_min},
          {"growthBytes", limits.growth_bytes},
          {"growthShare", limits.growth_share},
          {"growthStepShare", limits.growth_step_share},
          {"loopDelayP99Ms", limits.loop_delay_p99_ms},
          {"majorFaultsPerSec", limits.major_faults_per_sec}};
}

const char* unit_name(Unit unit) {
  switch (unit) {
    case Unit::share:
      return "share";
    case Unit::ms:
      return "ms";
    case Unit::bytes:
      return "bytes";
    case Unit::per_sec:
      return "perSec";
    case Unit::count:
      return "count";
  }
  return "count";
}

Json worker_json(const Examined& each, const std::vector<Figure>& shown) {
  const Diagnosis& diagnosis = each.diagnosis;
  Json also = Json::array(), states = Json::array(), from = Json::array(), to = Json::array();
  for (const Category category : diagnosis.also) also.push_back(to_string(category));
  for (const Category category : diagnosis.states) states.push_back(to_string(category));
  Json over_phase = Json::object(), series = Json::object();
  for (const Window& window : each.watched.windows) {
    from.push_back(text::rounded(window.from_sec));
    to.push_back(text::rounded(window.to_sec));
  }
  series["fromSec"] = std::move(from);
  series["toSec"] = std::move(to);
  series["state"] = std::move(states);
  for (const Figure& figure : shown) {
    const Overall all = over(each.watched.windows, figure.of);
    over_phase[figure.key] = {
        {"mean", or_null(all.mean)}, {"median", or_null(all.median)}, {"max", or_null(all.highest)}};
    Json values = Json::array();
    for (const Window& window : each.watched.windows) values.push_back(or_null(window.*(figure.of)));
    series[figure.key] = std::move(values);
  }
  return {{"worker", each.watched.worker},
          {"brokeOff", or_null(each.broke_off)},
          {"category", to_string(diagnosis.category)},
          {"also", std::move(also)},
          {"says", diagnosis.says},
          {"nextStep", diagnosis.next_step},
          {"remarks", diagnosis.remarks},
          {"windows", each.watched.windows.size()},
          {"figures", std::move(over_phase)},
          {"series", std::move(series)}};
}

void put(std::string& page, std::string_view place, const std::string& text) {
  page.replace(page.find(place), place.size(), text);
}

}  // namespace

Json doctor_json(const DoctorReport& report) {
  const std::vector<Figure> shown = figures(report.limits);
  Json phases = Json::array();
  for (const Examined& each : report.examined) {
    if (phases.empty() || phases.back()["phase"] != each.watched.phase)
      phases.push_back({{"phase", each.watched.phase}, {"workers", Json::array()}});
    phases.back()["workers"].push_back(worker_json(each, shown));
  }
  return {{"thresholds", thresholds_json(report.limits)}, {"phases", std::move(phases)}};
}

std::string doctor_page(const DoctorReport& report, const std::string& title) {
  Json data = doctor_json(report);
  data["title"] = title;
  data["categories"] = Json::array();
  for (const Rule& rule : rules(report.limits))
    data["categories"].push_back(
        {{"category", to_string(rule.category)}, {"words", words(rule.category)}, {"when", rule.says}});
  data["figures"] = Json::array();
  for (const Figure& figure : figures(report.limits))
    data["figures"].push_back({{"key", figure.key},
                               {"name", figure.name},
                               {"unit", unit_name(figure.unit)},
                               {"byMedian", figure.by_median},
                               {"limit", or_null(figure.limit)}});
  std::string page = kDoctorPage;
  put(page, "@CHART_STYLE@", text::kDygraphsStyle);
  put(page, "@CHART_LIBRARY@", text::kDygraphsScript);
  put(page, "@DATA@", text::script_json(data));  // last: it may hold anything
  return page;
}

}  // namespace walstorm::profile::doctor
