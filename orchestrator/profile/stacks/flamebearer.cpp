#include "orchestrator/profile/stacks/flamebearer.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/text/json_fields.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

using nlohmann::json;

constexpr std::size_t kBarNumbers = 4;

[[noreturn]] void refuse_flamebearer(const std::string& why) {
  throw wire::Error(wire::ErrorKind::data, "read Pyroscope's JSON: " + why);
}

/// A function in its place: from `at` on, `total` wide.
struct Bar {
  std::uint64_t at = 0, total = 0, self = 0;
  std::vector<std::uint32_t> frames;  ///< its callers and itself
};

std::uint64_t number_at(const json& row, std::size_t at) {
  if (!row[at].is_number_integer() || row[at].get<std::int64_t>() < 0)
    refuse_flamebearer("a bar holds no whole numbers");
  return row[at].get<std::uint64_t>();
}

/// The bars of a row, where each begins counted from the left; frames not yet known.
std::vector<std::pair<Bar, std::uint64_t>> bars_of(const json& row) {
  if (!row.is_array() || row.size() % kBarNumbers != 0) refuse_flamebearer("a level is no list of bars");
  std::vector<std::pair<Bar, std::uint64_t>> bars;
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < row.size(); i += kBarNumbers) {
    Bar bar{end + number_at(row, i), number_at(row, i + 1), number_at(row, i + 2), {}};
    end = bar.at + bar.total;
    bars.emplace_back(std::move(bar), number_at(row, i + 3));
  }
  return bars;
}

/// Nanoseconds that one of its units stands for; 0 when it counts something else than time.
double ns_per_unit(const json& metadata) {
  const json& units = text::field(metadata, "units");
  const json& rate = text::field(metadata, "sampleRate");
  if (units == "samples" && rate.is_number() && rate.get<double>() > 0) return 1e9 / rate.get<double>();
  return units == "nanoseconds" || units == "lock_nanoseconds" ? 1 : 0;
}

}  // namespace

Profile read_flamebearer(std::string_view text, const std::string& target) {
  const json document = json::parse(text, nullptr, false);
  const json& flame = text::field(document, "flamebearer");
  const json& names = text::field(flame, "names");
  const json& levels = text::field(flame, "levels");
  if (!names.is_array() || !levels.is_array())
    refuse_flamebearer("there is no flamebearer with names and levels in it");
  const json& metadata = text::field(document, "metadata");
  const json& format = text::field(metadata, "format");
  if (format.is_string() && format != "single")
    refuse_flamebearer("it compares two profiles; ask for a single one");
  const double unit_ns = ns_per_unit(metadata);
  const bool counts_samples = text::field(metadata, "units") != "nanoseconds";
  Profile profile;
  std::vector<Bar> callers;  // the row above
  for (std::size_t depth = 0; depth < levels.size(); ++depth) {
    std::vector<Bar> row;
    std::size_t caller = 0;
    for (auto& [bar, name] : bars_of(levels[depth])) {
      if (name >= names.size() || !names[name].is_string()) refuse_flamebearer("a name is missing");
      while (caller < callers.size() && callers[caller].at + callers[caller].total <= bar.at) ++caller;
      if (depth > 0 && (caller == callers.size() || callers[caller].at > bar.at))
        refuse_flamebearer("a bar has no caller");
      if (depth > 0) bar.frames = callers[caller].frames;
      // The first row is the whole: "total".
      if (depth > 0) bar.frames.push_back(profile.frame({names[name].get<std::string>(), "", false}));
      if (bar.self > 0) {
        profile.add({"", target, Kind::on_cpu}, bar.frames, false, counts_samples ? bar.self : 0,
                    static_cast<std::uint64_t>(std::llround(static_cast<double>(bar.self) * unit_ns)));
      }
      row.push_back(std::move(bar));
    }
    callers = std::move(row);
  }
  return profile;
}

}  // namespace walstorm::profile
