#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace walstorm::report {

/// What a phase did second by second, its drain included; nullopt where a second has no such figure.
struct Timeline {
  std::vector<std::optional<double>> produced_per_sec, landed_per_sec, lag_p99_ms;
};

/// The phases of a timeseries.csv, by name. What is not in it is in no timeline: an empty or foreign file has
/// none.
[[nodiscard]] std::map<std::string, Timeline> read_timelines(std::istream& csv);
[[nodiscard]] std::map<std::string, Timeline> read_timelines(const std::filesystem::path& file);

/// A block of Markdown with a line of bars for each figure, from 0 to its highest, at most 60 of them: a rate
/// as the mean, a lag as the worst of the seconds that a bar stands for. Empty for phases too short to show
/// a course.
[[nodiscard]] std::string timeline_text(const Timeline& timeline);

}  // namespace walstorm::report
