#include "orchestrator/report/metrics_json.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "orchestrator/measure/figures/figure_table.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/or_null.h"
#include "proto/wire/version.h"

namespace walstorm::report {
namespace {

using Json = nlohmann::ordered_json;

/// proto/wire/version.cmake writes "unknown" outside a clone.
Json known_git_revision() {
  const std::string revision = wire::kGitRevision;
  return text::or_null(revision == "unknown" ? "" : revision);
}

/// Writes an object of the table of figures.
class Writer final {
 public:
  Json written = Json::object();

  template <typename T>
  void figure(const char* name, const std::optional<T>& member, measure::FigureTraits traits) {
    // Bytes are whole, whatever they were reckoned with.
    const bool is_whole = std::is_floating_point_v<T> && traits.unit == measure::Unit::bytes;
    written[name] =
        is_whole && member ? Json(std::llround(static_cast<double>(*member))) : text::or_null(member);
  }
  template <typename T>
  void figure(const char* name, const T& member, measure::FigureTraits traits) {
    figure(name, std::optional(member), traits);
  }
  void count(const char* name, std::uint64_t member, bool is_known, measure::FigureTraits traits) {
    figure(name, is_known ? std::optional(member) : std::nullopt, traits);
  }
  static void is_known(const char* /*name*/, bool /*flag*/) {}
  void target(const char* name, const config::Load& load, measure::FigureTraits /*traits*/) {
    written[name] = config::to_json(load);
  }

  template <typename T>
  void fact(const char* name, const std::optional<T>& member) {
    written[name] = text::or_null(member);
  }
  void fact(const char* name, const std::string& member) { written[name] = text::or_null(member); }
  void fact(const char* name, const std::map<std::string, double>& member) {
    Json& shares = written[name] = Json::object();
    for (const auto& [each, share] : member) shares[each] = text::or_null(share);
  }
  template <typename T>
  void fact(const char* name, const T& member) {
    written[name] = member;
  }
  template <typename T>
  void known_fact(const char* name, const T& member, bool is_known) {
    written[name] = is_known ? Json(member) : Json(nullptr);
  }
  void text(const char* name, const std::string& member) { written[name] = member; }
  void time(const char* name, const std::optional<std::int64_t>& unix_us) {
    written[name] = unix_us ? Json(text::iso_time(*unix_us)) : Json(nullptr);
  }
  template <typename T>
  void word(const char* name, const T& member, T /*last*/) {
    written[name] = to_string(member);
  }

  template <typename Body>
  void object(const char* name, const Body& body) {
    Writer inner;
    body(inner);
    written[name] = std::move(inner.written);
  }
  template <typename T, typename Body>
  void optional_object(const char* name, const std::optional<T>& member, const Body& body) {
    object(name, [&](Writer& inner) {
      const T shown = member.value_or(T{});
      body(inner, shown);
      if (member) return;
      for (Json& each : inner.written) each = nullptr;
    });
  }
  template <typename T>
  void list(const char* name, const std::vector<T>& objects) {
    Json& all = written[name] = Json::array();
    for (const T& object : objects) {
      Writer inner;
      visit(inner, object);
      all.push_back(std::move(inner.written));
    }
  }
  void processes(const char* name, const std::vector<measure::ProcessReport>& all) { list(name, all); }
};

template <typename Object>
Json to_json(const Object& object) {
  Writer writer;
  visit(writer, object);
  return std::move(writer.written);
}

/// Whole but for a container's share; null where it is not known.
Json cpus_json(double count) {
  if (count == 0) return nullptr;
  const auto whole = static_cast<std::uint64_t>(count);
  return static_cast<double>(whole) == count ? Json(whole) : text::or_null(count);
}

Json clocks_json(const std::vector<measure::ClockReport>& clocks) {
  Json list = Json::array();
  for (const measure::ClockReport& clock : clocks) {
    list.push_back(Json{{"role", clock.role},
                        {"aheadMs", text::or_null(static_cast<double>(clock.ahead_us) / 1000)},
                        {"errorMs", text::or_null(static_cast<double>(clock.error_us) / 1000)}});
  }
  return list;
}

Json environment_json(const measure::Environment& e) {
  return {{"host", text::or_null(e.host)},
          {"kernel", text::or_null(e.kernel)},
          {"cpuModel", text::or_null(e.cpu_model)},
          {"cpuCount", cpus_json(e.cpu_count)},
          {"memoryBytes", e.memory_bytes == 0 ? Json(nullptr) : Json(e.memory_bytes)},
          {"postgresVersion", text::or_null(e.postgres_version)},
          {"postgresSettings", e.postgres_settings},
          {"clickhouseVersion", text::or_null(e.clickhouse_version)},
          {"clocks", clocks_json(e.clocks)}};
}

}  // namespace

nlohmann::ordered_json metrics_json(const measure::RunReport& report, const nlohmann::json& config) {
  Json phases = Json::array();
  for (const auto& phase : report.phases) phases.push_back(to_json(phase));
  Json json;
  json["schemaVersion"] = 1;
  json["tool"] = {{"name", "walstorm"},
                  {"version", wire::kToolVersion},
                  {"gitRevision", known_git_revision()},
                  {"buildType", wire::kBuildType}};
  json["run"] = {{"name", report.name},
                 {"startedAt", text::iso_time(report.started_at_unix_us)},
                 {"endedAt", text::iso_time(report.ended_at_unix_us)},
                 {"outcome", measure::to_string(report.outcome)},
                 {"exitCode", report.exit_code},
                 {"failure", text::or_null(report.failure)},
                 {"notes", report.notes}};
  json["environment"] = environment_json(report.environment);
  json["config"] = config;
  json["phases"] = phases;
  json["ledger"] = {{"changes", to_json(report.changes)},
                    {"rows", to_json(report.rows)},
                    {"content", to_json(report.content)}};
  return json;
}

}  // namespace walstorm::report
