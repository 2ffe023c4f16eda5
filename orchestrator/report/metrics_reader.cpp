#include "orchestrator/report/metrics_reader.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "orchestrator/measure/figures/figure_table.h"
#include "orchestrator/text/json_fields.h"
#include "orchestrator/text/named.h"
#include "proto/wire/error.h"

namespace walstorm::report {
namespace {

using nlohmann::json;
using wire::Error;
using wire::ErrorKind;

constexpr int kSchemaVersion = 1;

/// A word of an enum; `value` stays where there is none.
template <typename T>
void take_word(const json& from, const char* key, T last, T& value) {
  std::string word;
  text::take(from, key, word);
  if (!word.empty()) value = text::named(word, last);
}

config::Load load_from(const json& target) {
  if (target.is_object()) {
    config::RampLoad ramp;
    text::take(target, "from", ramp.from);
    text::take(target, "to", ramp.to);
    return ramp;
  }
  if (target.is_string()) return config::MaxLoad{};
  if (!target.is_number()) throw Error(ErrorKind::data, "\"targetThroughput\" is no target");
  return config::ConstantLoad{target.get<double>()};
}

/// "2026-01-31T12:00:00.123Z", as iso_time() writes it.
void take_time(const json& from, const char* key, std::int64_t& unix_us) {
  std::string text;
  text::take(from, key, text);
  std::tm parts{};
  int milliseconds = 0;
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || std::sscanf(rest, ".%3dZ", &milliseconds) != 1)
    throw Error(ErrorKind::data, fmt::format("\"{}\" is no time", key));
  unix_us = (static_cast<std::int64_t>(::timegm(&parts)) * 1000 + milliseconds) * 1000;
}

/// Reads an object of the table of figures.
class Reader final {
 public:
  /// `from` outlives this.
  explicit Reader(const json& from) : from_(from) {}

  template <typename T>
  void figure(const char* name, T& member, measure::FigureTraits /*traits*/) {
    text::take(from_, name, member);
  }
  void count(const char* name, std::uint64_t& member, bool /*is_known*/, measure::FigureTraits /*traits*/) {
    text::take(from_, name, member);
  }
  void is_known(const char* name, bool& flag) { flag = !text::field(from_, name).is_null(); }
  void target(const char* name, config::Load& load, measure::FigureTraits /*traits*/) {
    load = load_from(text::field(from_, name));
  }

  template <typename T>
  void fact(const char* name, T& member) {
    text::take(from_, name, member);
  }
  template <typename T>
  void known_fact(const char* name, T& member, bool /*is_known*/) {
    text::take(from_, name, member);
  }
  void text(const char* name, std::string& member) { text::take(from_, name, member); }
  void time(const char* name, std::optional<std::int64_t>& unix_us) {
    if (!text::field(from_, name).is_null()) take_time(from_, name, unix_us.emplace());
  }
  template <typename T>
  void word(const char* name, T& member, T last) {
    take_word(from_, name, last, member);
  }

  template <typename Body>
  void object(const char* name, const Body& body) {
    Reader inner(text::field(from_, name));
    body(inner);
  }
  template <typename T, typename Body>
  void optional_object(const char* name, std::optional<T>& member, const Body& body) {
    const json& found = text::field(from_, name);
    const bool is_there =
        std::any_of(found.begin(), found.end(), [](const json& each) { return !each.is_null(); });
    if (is_there) object(name, [&](Reader& inner) { body(inner, member.emplace()); });
  }
  template <typename T>
  void list(const char* name, std::vector<T>& objects) {
    for (const json& each : text::field(from_, name)) {
      Reader inner(each);
      visit(inner, objects.emplace_back());
    }
  }
  void processes(const char* name, std::vector<measure::ProcessReport>& all) { list(name, all); }

 private:
  const json& from_;
};

template <typename Object>
void read(const json& from, Object& object) {
  Reader reader(from);
  visit(reader, object);
}

void read_environment(const json& from, measure::Environment& e) {
  text::take(from, "host", e.host);
  text::take(from, "kernel", e.kernel);
  text::take(from, "cpuModel", e.cpu_model);
  text::take(from, "cpuCount", e.cpu_count);
  text::take(from, "memoryBytes", e.memory_bytes);
  text::take(from, "postgresVersion", e.postgres_version);
  text::take(from, "postgresSettings", e.postgres_settings);
  text::take(from, "clickhouseVersion", e.clickhouse_version);
  for (const json& each : text::field(from, "clocks")) {
    measure::ClockReport& clock = e.clocks.emplace_back();
    double ahead_ms = 0;
    double error_ms = 0;
    text::take(each, "role", clock.role);
    text::take(each, "aheadMs", ahead_ms);
    text::take(each, "errorMs", error_ms);
    clock.ahead_us = std::llround(ahead_ms * 1000);
    clock.error_us = std::llround(error_ms * 1000);
  }
}

measure::RunReport report_from(const json& document) {
  measure::RunReport report;
  const json& run = text::field(document, "run");
  text::take(run, "name", report.name);
  take_time(run, "startedAt", report.started_at_unix_us);
  take_time(run, "endedAt", report.ended_at_unix_us);
  take_word(run, "outcome", measure::Outcome::interrupted, report.outcome);
  text::take(run, "exitCode", report.exit_code);
  text::take(run, "failure", report.failure);
  text::take(run, "notes", report.notes);
  read_environment(text::field(document, "environment"), report.environment);
  for (const json& each : text::field(document, "phases")) read(each, report.phases.emplace_back());
  const json& ledger = text::field(document, "ledger");
  read(text::field(ledger, "changes"), report.changes);
  read(text::field(ledger, "rows"), report.rows);
  read(text::field(ledger, "content"), report.content);
  return report;
}

/// Every value that is no object or array, by its path as --set takes it: "phases.0.name".
void add_leaves(const json& value, const std::string& path, std::map<std::string, std::string>& leaves) {
  if (!value.is_structured()) {
    leaves[path] = value.is_string() ? value.get<std::string>() : value.dump();
    return;
  }
  std::size_t index = 0;
  for (const auto& [key, member] : value.items()) {
    const std::string name = value.is_array() ? std::to_string(index++) : key;
    add_leaves(member, path.empty() ? name : fmt::format("{}.{}", path, name), leaves);
  }
}

ToolVersion tool_from(const json& from) {
  ToolVersion tool{"", "unknown", ""};
  text::take(from, "version", tool.version);
  text::take(from, "gitRevision", tool.git_revision);
  text::take(from, "buildType", tool.build_type);
  return tool;
}

constexpr const char* kWhatToDo = "name the folder of a run; `walstorm list` shows them";

}  // namespace

RecordedRun parse_run(std::string_view text, const std::string& source) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("run") ||
      text::field(document, "schemaVersion") != kSchemaVersion) {
    throw Error(ErrorKind::config,
                fmt::format("{}: is not the report of a run that this version knows; {}", source, kWhatToDo));
  }
  try {
    RecordedRun run{report_from(document), tool_from(text::field(document, "tool")), {}};
    add_leaves(text::field(document, "config"), "", run.config);
    return run;
  } catch (const std::exception& error) {
    throw Error(ErrorKind::config,
                fmt::format("{}: is not the report of a run: {}; {}", source, error.what(), kWhatToDo));
  }
}

RecordedRun read_run(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kMetricsFile;
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    throw Error(ErrorKind::config,
                fmt::format("{}: there is no {} in it; {}", folder.string(), kMetricsFile, kWhatToDo));
  }
  std::stringstream text;
  text << in.rdbuf();
  RecordedRun run = parse_run(text.str(), file.string());
  run.report.folder = folder.string();
  return run;
}

}  // namespace walstorm::report
