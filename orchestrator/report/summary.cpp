#include "orchestrator/report/summary.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <vector>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/judge/load_evidence.h"
#include "orchestrator/report/observation_text.h"
#include "orchestrator/report/phase_text.h"
#include "orchestrator/report/threshold_text.h"
#include "orchestrator/text/format.h"

namespace walstorm::report {
namespace {

using measure::PhaseReport;
using measure::VerdictState;

constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kPlain = "\x1b[0m";
/// Of "changes", "rows", ...
constexpr std::size_t kLabelWidth = 10;
constexpr std::size_t kNameWidth = 14;
constexpr std::size_t kLineWidth = 120;

std::string_view colour_of(VerdictState state) {
  switch (state) {
    case VerdictState::sustained:
      return kGreen;
    case VerdictState::marginal:
    case VerdictState::generator_limited:
      return kYellow;
    case VerdictState::falling_behind:
    case VerdictState::stalled:
    case VerdictState::failed:
      return kRed;
  }
  return kPlain;
}

std::string painted(const std::string& text, std::string_view colour, bool wanted) {
  return wanted ? fmt::format("{}{}{}", colour, text, kPlain) : text;
}

/// Two times with one unit where they share it: "1.2/3.4 ms", "850 µs/3.4 ms".
std::string pair_text(const std::optional<double>& first_ms, const std::optional<double>& second_ms) {
  const std::string first = text::ms_text(first_ms);
  const std::string second = text::ms_text(second_ms);
  const auto unit = [](const std::string& text) { return text.substr(text.find(' ') + 1); };
  if (!first_ms || !second_ms || unit(first) != unit(second)) return first + "/" + second;
  return first.substr(0, first.find(' ')) + "/" + second;
}

std::string drain_cell(const measure::DrainReport& drain) {
  if (drain.completed == false) return ">" + text::sec_text(drain.duration_sec);
  return text::sec_text(drain.duration_sec);
}

std::string cpu_text(const PhaseReport& phase) {
  const std::string producer = text::micros_text(phase.producer.cpu_micros_per_record);
  const std::string consumer = text::micros_text(phase.consumer.cpu_micros_per_record);
  if (!phase.producer.cpu_micros_per_record) return producer + "/" + consumer;
  return producer.substr(0, producer.find(' ')) + "/" + consumer;
}

/// Folds a sentence into lines of kLineWidth, each after `indent` spaces.
std::vector<std::string> wrapped(std::string_view text, std::size_t indent) {
  std::vector<std::string> lines;
  const std::string margin(indent, ' ');
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && indent + text::display_width(line) + 1 + text::display_width(word) > kLineWidth) {
      lines.push_back(margin + line);
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty()) lines.push_back(margin + line);
  return lines;
}

std::string verdict_lines(const PhaseReport& phase, bool colour) {
  const std::string state = measure::to_string(phase.verdict.state);
  std::string text;
  for (const std::string& line : wrapped(verdict_text(phase.verdict), 2)) text += line + "\n";
  text.replace(2, state.size(), painted(state, colour_of(phase.verdict.state), colour));
  if (const auto steps = next_steps(phase); !steps.empty()) {
    for (const std::string& line : wrapped("try: " + steps.front(), 2)) text += line + "\n";
  }
  const auto said = [&evidence = phase.verdict.evidence](std::string_view figure) {
    return std::any_of(evidence.begin(), evidence.end(),
                       [figure](const measure::Evidence& e) { return e.figure == figure; });
  };
  const auto add_note = [&text](const std::string& note) {
    for (const std::string& line : wrapped("note: " + note, 2)) text += line + "\n";
  };
  if (phase.producer.errors > 0 && !said("producer.errors")) {
    add_note(measure::roll_backs_text(phase.producer));
  }
  if (phase.consumer.errors > 0 && !said("consumer.errors")) add_note(flush_errors_text(phase.consumer));
  for (const std::string& note : phase.notes) add_note(note);
  return text;
}

std::vector<std::string> phase_row(const PhaseReport& phase) {
  const auto& producer = phase.producer;
  const auto& consumer = phase.consumer;
  return {text::clipped(phase.name, kNameWidth),
          config::target_text(phase.target),
          text::rate_text(producer.throughput),
          producer.target_ratio ? fmt::format("{:.1f}", *producer.target_ratio * 100) : "–",
          pair_text(producer.write_latency_ms.p50, producer.write_latency_ms.p99),
          text::ms_text(producer.schedule_lag_ms.p99),
          text::rate_text(consumer.throughput),
          pair_text(consumer.lag_ms.p50, consumer.lag_ms.p99),
          drain_cell(phase.drain),
          cpu_text(phase)};
}

std::string phase_table(const measure::RunReport& report, bool colour) {
  std::vector<std::vector<std::string>> rows{{"phase", "target", "achieved", "%", "write p50/99",
                                              "sched lag p99", "landed", "lag p50/99", "drain",
                                              "CPU/rec p/c"}};
  for (const PhaseReport& phase : report.phases) rows.push_back(phase_row(phase));
  auto lines = text::aligned(rows, 2);
  for (const std::string& line : lines) {
    if (text::display_width(line) <= kLineWidth) continue;
    lines = text::aligned(rows, 1);
    break;
  }
  std::string text = lines.front() + "\n";
  for (std::size_t i = 0; i < report.phases.size(); ++i) {
    text += lines[i + 1] + "\n" + verdict_lines(report.phases[i], colour);
  }
  return text;
}

std::string thresholds_text(const measure::RunReport& report, bool colour) {
  std::string text;
  for (const PhaseReport& phase : report.phases) {
    for (const measure::ThresholdResult& threshold : phase.thresholds) {
      const std::string word = threshold.passed         ? "ok      "
                               : is_measured(threshold) ? "crossed "
                                                        : "no data ";
      std::string lines;
      for (const std::string& line : wrapped(
               fmt::format("{}: {} ({})", phase.name, expression_text(threshold), observed_text(threshold)),
               word.size())) {
        lines += line + "\n";
      }
      text += painted(word, threshold.passed ? kGreen : kRed, colour) + lines.substr(word.size());
    }
  }
  return text.empty() ? text : text + "\n";
}

std::string outcome_text(const measure::RunReport& report, bool colour) {
  std::string outcome = measure::to_string(report.outcome);
  switch (report.outcome) {
    case measure::Outcome::passed:
      return painted(outcome, kGreen, colour);
    case measure::Outcome::interrupted:
      return painted(outcome, kYellow, colour) +
             ": stopped by a signal; what was measured until then is above";
    case measure::Outcome::thresholds_crossed:
      return painted(outcome, kRed, colour) + ": see the first lines";
    case measure::Outcome::failed:
      return painted(outcome, kRed, colour) + (report.failure.empty() ? "" : ": " + report.failure);
  }
  return outcome;
}

}  // namespace

std::string phase_line(const PhaseReport& phase, bool colour) {
  std::string line =
      fmt::format("{}: {} of {}, write p99 {}, landed {}, lag p50 {} p99 {}, drained in {}\n", phase.name,
                  text::rate_text(phase.producer.throughput), config::target_text(phase.target),
                  text::ms_text(phase.producer.write_latency_ms.p99),
                  text::rate_text(phase.consumer.throughput), text::ms_text(phase.consumer.lag_ms.p50),
                  text::ms_text(phase.consumer.lag_ms.p99), drain_cell(phase.drain));
  return line + verdict_lines(phase, colour);
}

std::string summary(const measure::RunReport& report, const std::string& folder, bool colour) {
  std::string text = thresholds_text(report, colour);
  if (!report.phases.empty()) text += phase_table(report, colour) + "\n";
  const auto add = [&text](std::string_view label, const std::string& value) {
    text += fmt::format("{:<{}}{}\n", label, kLabelWidth, value);
  };
  if (!report.phases.empty()) {
    add("changes", ledger_text(report.changes));
    add("rows", ledger_text(report.rows));
    add("content", ledger_text(report.content));
    for (const std::string& difference : report.content.differences) add("", difference);
  }
  for (const measure::ClockReport& clock : report.environment.clocks) {
    if (is_off(clock))
      add("clock", fmt::format("{}'s is {}; times are corrected", clock.role, clock_text(clock)));
  }
  const auto add_wrapped = [&add](std::string_view label, const std::string& value) {
    std::string lines;
    for (const std::string& line : wrapped(value, kLabelWidth)) lines += (lines.empty() ? "" : "\n") + line;
    add(label, lines.substr(std::min<std::size_t>(kLabelWidth, lines.size())));
  };
  for (const std::string& line : report.profile_lines) add_wrapped("profile", line);
  for (const std::string& note : report.notes) add_wrapped("note", note);
  add("outcome", outcome_text(report, colour));
  if (report.outcome == measure::Outcome::failed) {
    add("", fmt::format("look at {}/logs for what each process said", folder));
  }
  add("report", folder + "/report.md");
  add("figures", folder + "/metrics.json, timeseries.csv");
  for (const std::string& page : report.profile_pages) add("profile", folder + "/profile/" + page);
  return text;
}

}  // namespace walstorm::report
