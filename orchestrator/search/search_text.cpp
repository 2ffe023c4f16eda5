#include "orchestrator/search/search_text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <vector>

#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"

namespace walstorm::search {
namespace {

using Row = std::vector<std::string>;

constexpr std::size_t kLabelWidth = 16;
constexpr double kBarWidth = 40;
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kPlain = "\x1b[0m";

std::optional<double> figure(const ValueTrial& trial, const char* path) {
  const auto& figures = trial.trial.figures;
  return figures.contains(path) ? std::optional(figures.at(path)) : std::nullopt;
}

std::string value_text(const SearchReport& report, std::optional<double> value) {
  if (report.question.key == "targetThroughput") return text::rate_text(value);
  return value ? fmt::format("{} {:g}", report.question.key, *value) : text::rate_text(std::nullopt);
}

std::string verdict_text(const trial::Trial& trial) {
  if (trial.failed()) return "run failed";
  std::string text = measure::to_string(trial.verdict);
  if (trial.bottleneck != measure::Bottleneck::none && trial.bottleneck != measure::Bottleneck::unknown)
    text += fmt::format(" ({})", measure::to_string(trial.bottleneck));
  for (const std::string& crossed : trial.crossed) text += fmt::format(", crossed {}", crossed);
  return text;
}

/// What made a sustained trial unclear.
std::string creep_text(const ValueTrial& trial) {
  if (trial.judged != Judged::unclear || trial.lag_creep_ms.value_or(0) <= 0) return "";
  return fmt::format(", but its lag crept up by {}", text::ms_text(trial.lag_creep_ms));
}

std::string lag_text(const ValueTrial& trial) {
  return fmt::format("lag p50 {} p99 {}", text::ms_text(figure(trial, "consumer.lagMs.p50")),
                     text::ms_text(figure(trial, "consumer.lagMs.p99")));
}

std::string stop_text(const SearchReport& report) {
  if (report.stop_reason == "converged") return "the bracket is as narrow as asked for";
  if (report.stop_reason == "max-passes")
    return "the greatest value allowed passes: raise --max to look further";
  if (report.stop_reason == "min-fails")
    return "even the least value allowed fails: lower --min to look further";
  if (report.stop_reason == "edge-unclear")
    return "what passed did not pass again for longer: the edge is not sharp, or the machine is not quiet";
  if (report.stop_reason == "time-out")
    return "--max-duration has passed; the same command with --resume goes on";
  if (report.stop_reason == "interrupted") return "interrupted; the same command with --resume goes on";
  if (report.stop_reason == "run-failed") return report.failure + "; the same command with --resume goes on";
  return report.stop_reason;
}

/// The generator, and not the pipe, was the limit: then the pipe may take more.
std::string generator_text(const SearchReport& report) {
  if (!bound_by(report).starts_with("generator")) return "";
  return "the load generator was the limit, not the pipeline: the pipeline kept up with all that could be "
         "written";
}

std::string why_text(const trial::Trial& trial) {
  return trial.failed() ? trial.failure_line() : trial.why;
}

/// "2, whose values count as failing: ..."; empty when none failed.
std::string failed_runs_text(const SearchReport& report) {
  std::string text;
  const auto add = [&text](const std::string& which, const trial::Trial& trial) {
    if (trial.failed())
      text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", which, trial.failure_line());
  };
  if (report.unthrottled) add("the first look", *report.unthrottled);
  for (const ValueTrial& trial : report.trials) add(value_text(report, trial.value), trial.trial);
  if (text.empty()) return text;
  return fmt::format("{}, whose values count as failing: {}", failed_trials(report), text);
}

std::vector<std::pair<std::string, std::string>> answer(const SearchReport& report) {
  std::vector<std::pair<std::string, std::string>> lines;
  const ValueTrial* passing = trial_at(report, report.last_passing, Judged::passes);
  lines.emplace_back("highest passing",
                     passing == nullptr
                         ? "none"
                         : fmt::format("{}: landed {}, {}{}", value_text(report, passing->value),
                                       text::rate_text(figure(*passing, "consumer.throughput")),
                                       lag_text(*passing), report.confirmed ? "; confirmed" : ""));
  if (const ValueTrial* failing = failing_trial(report)) {
    const std::string why =
        failing->judged == Judged::unclear && failing->lag_creep_ms.value_or(0) > 0
            ? fmt::format("not shown to pass: its lag crept up by {}", text::ms_text(failing->lag_creep_ms))
            : fmt::format("{}; {}", verdict_text(failing->trial), why_text(failing->trial));
    lines.emplace_back("first failing", fmt::format("{}: {}", value_text(report, failing->value), why));
  }
  if (const ValueTrial* blamed = blamed_trial(report)) {
    lines.emplace_back("bound by", bound_by(report));
    if (!blamed->trial.advice.empty()) lines.emplace_back("try next", blamed->trial.advice);
  }
  if (const std::string said = failed_runs_text(report); !said.empty())
    lines.emplace_back("failed runs", said);
  if (const std::string said = generator_text(report); !said.empty()) lines.emplace_back("note", said);
  lines.emplace_back("width", text::percent_text(report.width));
  lines.emplace_back("confidence", confidence(report));
  const double took = static_cast<double>(report.ended_at_unix_us - report.started_at_unix_us) / 1e6;
  lines.emplace_back("trials", fmt::format("{} in {}", report.trials.size(), text::sec_text(took)));
  lines.emplace_back("stopped", stop_text(report));
  if (const ValueTrial* bend = knee(report)) {
    lines.emplace_back("knee",
                       fmt::format("at {}: {}; beyond it latency rises faster than the rate",
                                   text::rate_text(figure(*bend, "consumer.throughput")), lag_text(*bend)));
  }
  return lines;
}

std::vector<Row> trial_rows(const SearchReport& report) {
  std::vector<Row> rows{{"trial", "value", "load", "achieved", "landed", "lag p50", "lag p99", "CPU/rec p",
                         "c", "verdict", "judged", "for"}};
  for (std::size_t i = 0; i < report.trials.size(); ++i) {
    const ValueTrial& trial = report.trials[i];
    rows.push_back({std::to_string(i + 1), value_text(report, trial.value), text::sec_text(trial.load_sec),
                    text::rate_text(figure(trial, "producer.throughput")),
                    text::rate_text(figure(trial, "consumer.throughput")),
                    text::ms_text(figure(trial, "consumer.lagMs.p50")),
                    text::ms_text(figure(trial, "consumer.lagMs.p99")),
                    text::micros_text(figure(trial, "producer.cpuMicrosPerRecord")),
                    text::micros_text(figure(trial, "consumer.cpuMicrosPerRecord")),
                    verdict_text(trial.trial), to_string(trial.judged), to_string(trial.purpose)});
  }
  return rows;
}

/// Rate by rate, the lag's p99 as a bar on a logarithmic scale.
std::vector<std::string> curve_lines(const SearchReport& report) {
  struct Point {
    double rate, latency;
    Judged judged;
  };
  std::vector<Point> points;
  for (const ValueTrial& trial : report.trials) {
    if (trial.trial.failed()) continue;  // broken off: neither is a figure of that value
    const auto rate = figure(trial, "consumer.throughput");
    const auto latency = figure(trial, "consumer.lagMs.p99");
    if (rate && latency && *latency > 0) points.push_back({*rate, *latency, trial.judged});
  }
  if (points.size() < 2) return {};
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.rate < b.rate; });
  double least = points.front().latency;
  double most = least;
  for (const Point& point : points) {
    least = std::min(least, point.latency);
    most = std::max(most, point.latency);
  }
  std::vector<Row> rows;
  for (const Point& point : points) {
    const double share = most > least ? std::log(point.latency / least) / std::log(most / least) : 0;
    const auto width = static_cast<std::size_t>(1 + std::lround(share * (kBarWidth - 1)));
    rows.push_back({text::rate_text(point.rate), text::ms_text(point.latency),
                    std::string(width, point.judged == Judged::passes ? '#' : '.')});
  }
  std::vector<std::string> lines{"landed, lag p99 (bar: its logarithm; # passes, . does not)"};
  for (const Row& row : rows) lines.push_back(fmt::format("{:>12} {:>9}  {}", row[0], row[1], row[2]));
  return lines;
}

}  // namespace

std::string progress_text(const SearchReport& report, double value, std::size_t trials_left,
                          double trial_sec) {
  std::string known;
  if (report.last_passing) known += fmt::format("; passes up to {}", value_text(report, report.last_passing));
  if (report.first_failing) known += fmt::format("; fails from {}", value_text(report, report.first_failing));
  return fmt::format("trial {}: {}{}; about {} left", report.trials.size() + 1, value_text(report, value),
                     known, text::sec_text(static_cast<double>(trials_left) * trial_sec));
}

std::string unthrottled_line(const trial::Trial& trial) {
  const auto rate = [&trial](const char* path) {
    return text::rate_text(trial.figures.contains(path) ? std::optional(trial.figures.at(path))
                                                        : std::nullopt);
  };
  return fmt::format("a first look: wrote {}, landed {}{}", rate("producer.throughput"),
                     rate("consumer.throughput"),
                     trial.failed() ? "; then the run failed: " + trial.failure_line() : "");
}

std::string trial_line(const SearchReport& report, std::size_t index) {
  const ValueTrial& trial = report.trials.at(index);
  if (trial.trial.failed()) {
    return fmt::format("trial {}: {} {}: its run failed: {}", index + 1, value_text(report, trial.value),
                       to_string(trial.judged), trial.trial.failure_line());
  }
  return fmt::format("trial {}: {} {}: {}{}, landed {}, {}", index + 1, value_text(report, trial.value),
                     to_string(trial.judged), verdict_text(trial.trial), creep_text(trial),
                     text::rate_text(figure(trial, "consumer.throughput")), lag_text(trial));
}

std::string search_text(const SearchReport& report, const std::string& folder, bool colour) {
  std::string text = "\n";
  for (const auto& [label, value] : answer(report)) {
    text += fmt::format("{:<{}}", label, kLabelWidth);
    const bool good = label == "highest passing" && report.last_passing;
    const bool bad = label == "first failing";
    text +=
        colour && (good || bad) ? fmt::format("{}{}{}\n", good ? kGreen : kRed, value, kPlain) : value + "\n";
  }
  text += "\n";
  if (!report.trials.empty()) {
    for (const std::string& line : text::aligned(trial_rows(report), 2)) text += line + "\n";
  }
  const auto curve = curve_lines(report);
  if (!curve.empty()) text += "\n";
  for (const std::string& line : curve) text += line + "\n";
  return text + fmt::format("\n{:<{}}{}/search.md, search.json; a folder for each trial beside them\n",
                            "report", kLabelWidth, folder);
}

std::string search_md(const SearchReport& report) {
  std::string text = fmt::format("# Search: {} of {}\n\n", report.question.key, report.name);
  for (const auto& [label, value] : answer(report)) text += fmt::format("- **{}**: {}\n", label, value);
  const auto rows = trial_rows(report);
  text += "\n" + text::markdown_table(rows.front(), {rows.begin() + 1, rows.end()});
  const auto curve = curve_lines(report);
  if (!curve.empty()) {
    text += "```\n";
    for (const std::string& line : curve) text += line + "\n";
    text += "```\n";
  }
  return text;
}

}  // namespace walstorm::search
