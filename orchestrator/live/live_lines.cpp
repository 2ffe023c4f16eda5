#include "orchestrator/live/live_lines.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/fold/server_fold.h"
#include "orchestrator/text/format.h"

namespace walstorm::live {
namespace {

using measure::Second;
using text::bytes_text;
using text::ms_text;
using text::percent_text;
using text::rate_text;
using text::sec_text;

constexpr std::size_t kBarWidth = 30;
constexpr std::size_t kNameWidth = 14;

/// To the screen's width of a name, which need not be ASCII.
std::string padded(const std::string& text, std::size_t width) {
  const std::string shown = text::clipped(text, width);
  return shown + std::string(width - text::display_width(shown), ' ');
}

std::string progress_text(const PhaseProgress& phase) {
  switch (phase.stage) {
    case Stage::waiting:
      return phase.planned_sec > 0 ? sec_text(phase.planned_sec) : "";
    case Stage::loading:
      if (phase.planned_sec <= 0) return sec_text(std::floor(phase.elapsed_sec));
      return fmt::format("{} left",
                         sec_text(std::ceil(std::max(0.0, phase.planned_sec - phase.elapsed_sec))));
    case Stage::draining:
      return "draining";
    case Stage::ended:
      return phase.verdict ? measure::to_string(*phase.verdict) : "ended";
  }
  return {};
}

std::string bar_line(const PhaseProgress& phase, std::size_t name_width) {
  double share = phase.planned_sec > 0 ? std::clamp(phase.elapsed_sec / phase.planned_sec, 0.0, 1.0) : 0;
  if (phase.stage == Stage::draining || phase.stage == Stage::ended) share = 1;
  if (phase.stage == Stage::waiting) share = 0;
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
  return fmt::format("{} [{}{}] {}", padded(phase.name, name_width), std::string(filled, '#'),
                     std::string(kBarWidth - filled, '.'), progress_text(phase));
}

/// The bytes of WAL that no one has confirmed: the sum of the ladder's distances, known when all of them are.
std::optional<std::uint64_t> behind_bytes(const Second& second) {
  std::uint64_t sum = 0;
  for (const auto& part : {second.head_to_sent_bytes, second.sent_to_received_bytes,
                           second.received_to_flushed_bytes, second.flushed_to_confirmed_bytes}) {
    if (!part) return std::nullopt;
    sum += *part;
  }
  return sum;
}

/// How old the oldest of them is; likewise.
std::optional<double> behind_sec(const Second& second) {
  double sum = 0;
  for (const auto& part : {second.head_to_sent_sec, second.sent_to_received_sec,
                           second.received_to_flushed_sec, second.flushed_to_confirmed_sec}) {
    if (!part) return std::nullopt;
    sum += *part;
  }
  return sum;
}

/// "640 kB (1.3 s)"
std::string distance_text(const std::optional<std::uint64_t>& bytes, const std::optional<double>& sec) {
  return bytes_text(bytes) + (sec ? fmt::format(" ({:.1f} s)", *sec) : "");
}

/// Nothing of a walsender that has sent all there is.
bool is_interesting(const std::string& wait) {
  return !wait.empty() && wait != measure::kRunning && !measure::is_caught_up_wait(wait);
}

std::string process_line(const Second& second, const Second::Process& process, std::size_t name_width) {
  std::vector<std::string> parts;
  if (process.role.starts_with("producer")) {
    parts.push_back("writes " + rate_text(process.records_per_sec));
    parts.push_back("target " + rate_text(second.target_per_sec));
    parts.push_back("schedule lag p99 " + ms_text(second.schedule_lag_p99_ms));
  } else if (process.role.starts_with("consumer")) {
    parts.push_back("lands " + rate_text(process.records_per_sec));
    parts.push_back(fmt::format("lag p50 {} p99 {}", ms_text(second.lag_p50_ms), ms_text(second.lag_p99_ms)));
    parts.push_back("behind " + distance_text(behind_bytes(second), behind_sec(second)));
  } else if (process.role == "postgres-walsender") {
    parts.push_back("unsent " + distance_text(second.head_to_sent_bytes, second.head_to_sent_sec));
    if (is_interesting(second.walsender_wait)) parts.push_back("waits for " + second.walsender_wait);
  }
  parts.push_back("CPU " + percent_text(process.cpu_share));
  parts.push_back(bytes_text(process.rss_bytes));
  return fmt::format("{}  {}", padded(process.role, name_width), fmt::join(parts, "  "));
}

/// As many phases as fit, the first one that has not ended among them.
std::pair<std::size_t, std::size_t> shown_phases(const std::vector<PhaseProgress>& phases, std::size_t room) {
  if (phases.size() <= room) return {0, phases.size()};
  const auto current =
      static_cast<std::size_t>(std::find_if(phases.begin(), phases.end(),
                                            [](const PhaseProgress& p) { return p.stage != Stage::ended; }) -
                               phases.begin());
  const std::size_t first = std::min(current > 0 ? current - 1 : 0, phases.size() - room);
  // One row shows the running phase rather than the one before it.
  const std::size_t start = room == 1 ? std::min(current, phases.size() - 1) : first;
  return {start, start + room};
}

}  // namespace

std::vector<std::string> live_lines(const std::vector<PhaseProgress>& phases, const Second& second,
                                    Screen screen) {
  // A cursor behind the last line takes a row of its own.
  const std::size_t rows = screen.rows > 1 ? screen.rows - 1 : 1;
  std::vector<Second::Process> processes = second.processes;
  // What our own looking costs the server is for the report.
  std::erase_if(processes, [](const Second::Process& process) { return process.role == "postgres-sampler"; });
  const std::size_t room = std::max<std::size_t>(1, rows - std::min(rows, processes.size()));
  const auto [first, last] = shown_phases(phases, room);
  std::size_t name_width = 0;
  for (std::size_t i = first; i < last; ++i) {
    name_width = std::max(name_width, std::min(kNameWidth, text::display_width(phases[i].name)));
  }
  std::vector<std::string> lines;
  for (std::size_t i = first; i < last; ++i) lines.push_back(bar_line(phases[i], name_width));
  name_width = 0;
  for (const auto& process : processes) {
    name_width = std::max(name_width, text::display_width(process.role));
  }
  for (const auto& process : processes) lines.push_back(process_line(second, process, name_width));
  if (lines.size() > rows) lines.resize(rows);
  for (std::string& line : lines) line = text::clipped(line, screen.columns);
  return lines;
}

std::string plain_line(const Second& second) {
  return fmt::format(
      "{} {} {}{}: produced {} of {}, landed {}, lag p50 {} p99 {}, schedule lag p99 {}, behind {}{}",
      text::iso_time(second.at_unix_us), second.phase, sec_text(std::round(second.phase_elapsed_sec)),
      second.draining ? " (draining)" : "", rate_text(second.produced_per_sec),
      rate_text(second.target_per_sec), rate_text(second.landed_per_sec), ms_text(second.lag_p50_ms),
      ms_text(second.lag_p99_ms), ms_text(second.schedule_lag_p99_ms),
      distance_text(behind_bytes(second), behind_sec(second)),
      is_interesting(second.walsender_wait) ? ", walsender waits for " + second.walsender_wait : "");
}

std::string phase_start_line(const config::Phase& phase) {
  if (phase.duration_sec <= 0 && phase.records) {
    return fmt::format("{}: {} rows as fast as they go", phase.name, text::count_text(*phase.records));
  }
  const std::string records =
      phase.records ? fmt::format(", at most {} records", text::count_text(*phase.records)) : "";
  return fmt::format("phase {}{}: {} at {}{}", phase.name, phase.warmup ? " (warm-up)" : "",
                     sec_text(phase.duration_sec), config::target_text(phase.load), records);
}

}  // namespace walstorm::live
