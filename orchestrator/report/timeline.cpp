#include "orchestrator/report/timeline.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <string_view>

#include "orchestrator/text/csv.h"
#include "orchestrator/text/format.h"

namespace walstorm::report {
namespace {

using Values = std::vector<std::optional<double>>;

constexpr std::size_t kBarsMax = 60;
/// Fewer seconds show no course.
constexpr std::size_t kSecondsMin = 3;
constexpr std::array<const char*, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

enum class Pooled { mean, worst };

std::optional<double> number_in(const std::string& field) {
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size()) return std::nullopt;
  return value;
}

/// As many values as there are bars, each of about as many seconds.
Values pooled(const Values& seconds, Pooled how) {
  const std::size_t bars = std::min(kBarsMax, seconds.size());
  Values values;
  for (std::size_t bar = 0; bar < bars; ++bar) {
    std::optional<double> value;
    double measured = 0;
    for (std::size_t i = bar * seconds.size() / bars; i < (bar + 1) * seconds.size() / bars; ++i) {
      if (!seconds[i]) continue;
      value =
          how == Pooled::mean ? value.value_or(0) + *seconds[i] : std::max(value.value_or(0), *seconds[i]);
      ++measured;
    }
    if (value && how == Pooled::mean) *value /= measured;
    values.push_back(value);
  }
  return values;
}

/// Blank where nothing was measured.
std::string bars_of(const Values& values, double highest) {
  std::string text;
  for (const auto& value : values) {
    if (!value) {
      text += ' ';
      continue;
    }
    const double share = highest > 0 ? std::clamp(*value / highest, 0.0, 1.0) : 0;
    text += kBars.at(std::min(kBars.size() - 1, static_cast<std::size_t>(share * kBars.size())));
  }
  return text;
}

template <typename Text>
std::string chart_line(const char* label, const Values& seconds, Pooled how, const Text& text_of) {
  const Values values = pooled(seconds, how);
  std::optional<double> highest;
  for (const auto& value : values) {
    if (value && (!highest || *value > *highest)) highest = value;
  }
  if (!highest) return "";
  return fmt::format("{:<9}{}  up to {}\n", label, bars_of(values, *highest), text_of(highest));
}

/// Seconds without a line, as when the orchestrator stood still, keep their place and stay blank.
void add_unseen(Timeline& timeline, double sec_since_last) {
  constexpr double kSecondsMax = 86'400;
  const auto unseen = static_cast<std::size_t>(std::clamp(std::round(sec_since_last) - 1, 0.0, kSecondsMax));
  for (Values* values : {&timeline.produced_per_sec, &timeline.landed_per_sec, &timeline.lag_p99_ms})
    values->insert(values->end(), unseen, std::nullopt);
}

}  // namespace

std::map<std::string, Timeline> read_timelines(std::istream& csv) {
  std::map<std::string, Timeline> timelines;
  std::string line;
  if (!std::getline(csv, line)) return timelines;
  const std::vector<std::string> header = text::csv_fields(line);
  const auto column = [&header](std::string_view name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  const std::size_t phase = column("phase");
  const std::size_t produced = column("producedPerSec");
  const std::size_t landed = column("landedPerSec");
  const std::size_t lag = column("lagP99Ms");
  const std::size_t elapsed = column("phaseElapsedSec");
  std::map<std::string, double> last_sec;
  while (std::getline(csv, line)) {
    const std::vector<std::string> fields = text::csv_fields(line);
    // A line that a dying run could not finish has fewer.
    if (fields.size() != header.size() || phase >= fields.size()) continue;
    const auto value = [&fields](std::size_t at) {
      return at < fields.size() ? number_in(fields[at]) : std::nullopt;
    };
    Timeline& timeline = timelines[fields[phase]];
    const double sec = value(elapsed).value_or(0);
    const auto before = last_sec.find(fields[phase]);
    if (before != last_sec.end()) add_unseen(timeline, sec - before->second);
    last_sec[fields[phase]] = sec;
    timeline.produced_per_sec.push_back(value(produced));
    timeline.landed_per_sec.push_back(value(landed));
    timeline.lag_p99_ms.push_back(value(lag));
  }
  return timelines;
}

std::map<std::string, Timeline> read_timelines(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return read_timelines(in);
}

std::string timeline_text(const Timeline& timeline) {
  const std::size_t seconds = timeline.produced_per_sec.size();
  if (seconds < kSecondsMin) return "";
  const std::string lines = chart_line("produced", timeline.produced_per_sec, Pooled::mean, text::rate_text) +
                            chart_line("landed", timeline.landed_per_sec, Pooled::mean, text::rate_text) +
                            chart_line("lag p99", timeline.lag_p99_ms, Pooled::worst, text::ms_text);
  if (lines.empty()) return "";
  return "Over time, drain included:\n\n```\n" + lines + "```\n\n";
}

}  // namespace walstorm::report
