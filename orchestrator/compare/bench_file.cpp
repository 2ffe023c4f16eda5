#include "orchestrator/compare/bench_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "orchestrator/text/document.h"
#include "proto/wire/error.h"

namespace walstorm::compare {
namespace {

using Json = nlohmann::ordered_json;
using wire::Error;
using wire::ErrorKind;

constexpr std::array<std::string_view, 4> kHowLong{
    "min_time:", "min_warmup_time:", "iterations:", "repeats:"};
constexpr std::string_view kIteration = "iteration";

double ns_of_unit(const std::string& unit) {
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  return unit == "s" ? 1e9 : 1;
}

/// Of one item; items are counted by CPU time too.
std::optional<double> cpu_ns_of(const Json& run) {
  const double per_sec = run.value("items_per_second", 0.0);
  if (per_sec > 0) return 1e9 / per_sec;
  const auto time = run.find("cpu_time");
  if (time == run.end()) return std::nullopt;
  return time->get<double>() * ns_of_unit(run.value("time_unit", "ns"));
}

Bench& named(std::vector<Bench>& benches, const std::string& name) {
  const auto found =
      std::find_if(benches.begin(), benches.end(), [&](const Bench& each) { return each.name == name; });
  if (found != benches.end()) return *found;
  benches.push_back({name, {}});
  return benches.back();
}

std::vector<Bench> benches_in(const Json& runs) {
  std::vector<Bench> benches, medians;
  for (const Json& run : runs) {
    if (run.value("error_occurred", false)) continue;
    const std::string full = run.value("run_name", run.value("name", ""));
    const bool repeated = run.value("run_type", std::string(kIteration)) == kIteration;
    if (!repeated && run.value("aggregate_name", "") != "median") continue;
    Bench& bench = named(repeated ? benches : medians, bench_name(full));
    if (const auto ns = cpu_ns_of(run)) bench.cpu_ns.push_back(*ns);
  }
  for (Bench& median : medians) {
    Bench& bench = named(benches, median.name);
    if (bench.cpu_ns.empty()) bench.cpu_ns = std::move(median.cpu_ns);
  }
  return benches;
}

}  // namespace

std::string bench_name(const std::string& full) {
  std::string name;
  for (std::size_t at = 0; at <= full.size();) {
    const std::size_t end = std::min(full.find('/', at), full.size());
    const std::string part = full.substr(at, end - at);
    at = end + 1;
    const bool how_long = std::any_of(kHowLong.begin(), kHowLong.end(),
                                      [&part](std::string_view each) { return part.starts_with(each); });
    if (!how_long) name += (name.empty() ? "" : "/") + part;
  }
  return name;
}

bool is_bench_file(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '{') return false;
  const Json json = Json::parse(text, nullptr, false);
  return json.is_object() && json.contains("benchmarks") && json["benchmarks"].is_array();
}

std::vector<Bench> parse_benches(std::string_view text, const std::string& source) {
  if (!is_bench_file(text))
    throw Error(ErrorKind::config,
                fmt::format("{} is no JSON of Google Benchmark: it has no \"benchmarks\"", source));
  try {
    return benches_in(Json::parse(text)["benchmarks"]);
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::config,
                fmt::format("{} is no JSON of Google Benchmark: {}", source, error.what()));
  }
}

std::string bench_file_text(const std::vector<Bench>& benches,
                            const std::vector<std::pair<std::string, std::string>>& context) {
  constexpr double kTenths = 10;
  Json about = Json::object();
  for (const auto& [key, value] : context) about[key] = value;
  std::string text;
  for (const Bench& bench : benches) {
    for (std::size_t i = 0; i < bench.cpu_ns.size(); ++i) {
      // A line each, which is what a change of the file shows.
      const Json run{{"name", bench.name},
                     {"run_type", kIteration},
                     {"repetition_index", i},
                     {"cpu_time", std::round(bench.cpu_ns[i] * kTenths) / kTenths},
                     {"time_unit", "ns"}};
      text += fmt::format("{}\n    {}", text.empty() ? "" : ",", run.dump());
    }
  }
  return fmt::format("{{\n  \"context\": {},\n  \"benchmarks\": [{}\n  ]\n}}\n", about.dump(), text);
}

}  // namespace walstorm::compare
