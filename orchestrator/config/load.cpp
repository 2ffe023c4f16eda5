#include "orchestrator/config/load.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <utility>

#include "orchestrator/config/json/explain.h"
#include "orchestrator/config/json/json_text.h"
#include "orchestrator/config/json/schema_check.h"
#include "orchestrator/config/layers.h"
#include "orchestrator/config/not_yet.h"
#include "orchestrator/config/rules.h"
#include "orchestrator/config/thresholds.h"
#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

using wire::Error;
using wire::ErrorKind;

constexpr std::size_t kFileBytesMax = 1U << 20U;
constexpr int kLonePhaseSec = 60;

std::string read_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw Error(ErrorKind::config, fmt::format("{}: is a folder; name a config file", path.string()));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  if (!file) {
    throw Error(ErrorKind::config,
                fmt::format("{}: there is no such file, or it cannot be read", path.string()));
  }
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileBytesMax) {
    throw Error(ErrorKind::config,
                fmt::format("{}: is larger than 1 MiB: that is no config file", path.string()));
  }
  return text;
}

ParsedJson read_config_file(const std::filesystem::path& path) {
  ParsedJson parsed = parse_json(read_file(path));
  if (parsed.error.empty() && !parsed.value.is_object()) parsed.error = "must be an object, {...}";
  if (!parsed.error.empty()) {
    throw Error(ErrorKind::config, fmt::format("{}: {}", path.string(), parsed.error));
  }
  return parsed;
}

/// A name that can be a folder's: of "My stress test.json" this makes "My-stress-test".
std::string name_from(const std::filesystem::path& file) {
  constexpr std::size_t kLengthMax = 64;
  std::string name = file.stem().string().substr(0, kLengthMax);
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  }
  name.erase(0, name.find_first_not_of("-._"));
  return name.empty() ? "walstorm" : name;
}

/// What the file says, or without one the run that the command line describes, with a name in any case.
Json base_document(const LoadRequest& request, Json from_file) {
  if (!request.file) {
    const Json phase{{"name", "load"}, {"durationSec", kLonePhaseSec}};
    return {{"name", "walstorm"}, {"phases", Json::array({phase})}};
  }
  if (!from_file.contains("name")) from_file["name"] = name_from(*request.file);
  return from_file;
}

/// Replaces ${NAME} in every text below `value`.
void expand_all(Json& value, const Pointer& at, const Environment& environment,
                std::vector<Problem>& problems) {
  if (value.is_string()) {
    value = expand(value.get<std::string>(), environment, [&](const std::string& name) {
      problems.push_back(
          {at, fmt::format("{} is set neither in the environment nor in .env.local", name), false});
    });
  }
  if (!value.is_structured()) return;
  for (const auto& [key, child] : value.items()) expand_all(child, at / key, environment, problems);
}

/// Adds all that is wrong with a complete document: one problem for each place, the first one found.
void add_problems_of(const Json& document, const FigureNames& figures, std::vector<Problem>& problems) {
  const auto add = [&](const std::vector<Problem>& more) {
    for (const Problem& problem : more) {
      const bool told = std::any_of(problems.begin(), problems.end(),
                                    [&](const Problem& earlier) { return earlier.at == problem.at; });
      if (!told) problems.push_back(problem);
    }
  };
  add(explain(violations_of(document), document));
  add(not_yet_problems(document));
  add(rule_problems(document, problems));
  add(threshold_problems(document, problems, figures));
}

/// A run has to have somewhere to write to: nothing is chosen for the user that would make the figures
/// another pipeline's.
std::optional<Error> sink_error(const Json& document) {
  const Pointer use_mock("/consumer/useMockClickhouse");
  if (!document.contains(use_mock) || document.at(use_mock) != false) return std::nullopt;
  if (document.contains(Pointer("/clickhouse/url"))) return std::nullopt;
  return Error(
      ErrorKind::unavailable,
      "there is nothing to replicate into: consumer.useMockClickhouse is false and no ClickHouse is "
      "named. Set CLICKHOUSE_URL or clickhouse.url to a server, use --private-clickhouse to have one "
      "started and removed, or --mock-clickhouse");
}

/// The server that a variable of the environment names, where file and flags name none.
void name_server(Layers& layers, const char* section, const char* variable, const Environment& environment) {
  const Json& document = layers.document();
  if (!document.at(section).is_object() || document.at(section).contains("url")) return;
  if (const auto value = environment(variable))
    layers.put({fmt::format("{}=", variable), fmt::format("{}.url", section), *value, true});
}

/// Whether nothing will be asked of a ClickHouse: then what the environment says of one does not matter.
bool is_mocked(const Json& document) {
  const Pointer use_mock("/consumer/useMockClickhouse");
  return document.contains(use_mock) && document.at(use_mock) == true;
}

/// A file's text is, or it would not have parsed; an argument's need not be, and no report could hold it.
bool is_utf8(const Json& document) {
  try {
    static_cast<void>(document.dump());
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

/// One line for each problem, also where one flag makes the same mistake in every phase.
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  std::vector<std::string> seen;
  for (const std::string& line : lines) {
    if (std::find(seen.begin(), seen.end(), line) != seen.end()) continue;
    seen.push_back(line);
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

}  // namespace

Config load(const LoadRequest& request, const Environment& process, const std::filesystem::path& working_dir,
            const FigureNames& figures) {
  const Environment environment = layered_environment(process, request.env_file, working_dir, request.file);
  const ParsedJson file = request.file ? read_config_file(*request.file) : ParsedJson{};

  Layers layers(base_document(request, file.value), request.file ? request.file->string() : "walstorm");
  layers.fill_in_defaults();
  for (const Override& override : request.overrides) layers.put(override);
  name_server(layers, "database", "DATABASE_URL", environment);
  if (!is_mocked(layers.document())) name_server(layers, "clickhouse", "CLICKHOUSE_URL", environment);
  layers.fill_in_defaults();  // of what the overrides made: a phase's keys

  std::vector<Problem> problems;
  for (const Pointer& at : file.given_twice) problems.push_back({at, "given twice", false});
  // Messages show the document as it was written, without what the environment put in.
  Json document = layers.document();
  for (const char* section : {"database", "clickhouse"}) {
    if (document.contains(section)) expand_all(document[section], Pointer() / section, environment, problems);
  }
  add_problems_of(document, figures, problems);

  std::vector<std::string> lines = layers.problems();
  for (const Problem& problem : problems) lines.push_back(layers.line_of(problem));
  const std::optional<Error> no_sink = request.needs_sink ? sink_error(document) : std::nullopt;
  if (no_sink && !lines.empty()) lines.emplace_back(no_sink->what());
  if (!is_utf8(document))
    lines.emplace_back("the command line or the environment holds text that is not UTF-8");
  if (!lines.empty()) throw Error(ErrorKind::config, joined(lines));
  if (no_sink) throw *no_sink;
  return from_json(document);
}

}  // namespace walstorm::config
