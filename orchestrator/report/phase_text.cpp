#include "orchestrator/report/phase_text.h"

#include <fmt/format.h>
#include <vector>

#include "orchestrator/measure/ledger/ledger.h"
#include "orchestrator/text/format.h"

namespace walstorm::report {
namespace {

const char* checksums_text(const std::optional<bool>& matches) {
  if (!matches) return "checksums not compared";
  return *matches ? "checksums match" : "CHECKSUMS DIFFER";
}

}  // namespace

std::string verdict_text(const measure::Verdict& verdict) {
  std::vector<std::string> causes;
  if (verdict.bottleneck != measure::Bottleneck::none && verdict.bottleneck != measure::Bottleneck::unknown) {
    causes.emplace_back(measure::to_string(verdict.bottleneck));
  }
  if (verdict.capacity_estimate) causes.push_back("about " + text::rate_text(verdict.capacity_estimate));
  std::vector<std::string> says;
  for (const measure::Evidence& evidence : verdict.evidence) says.push_back(evidence.says);
  return fmt::format("{}{}{}{}", measure::to_string(verdict.state),
                     causes.empty() ? "" : fmt::format(" ({})", fmt::join(causes, ", ")),
                     says.empty() ? "" : ": ", fmt::join(says, "; "));
}

std::vector<std::string> next_steps(const measure::PhaseReport& phase) {
  if (phase.warmup) return {};
  const measure::Verdict& verdict = phase.verdict;
  std::vector<std::string> steps = verdict.try_next;
  if (verdict.window_needed_sec) {
    steps.insert(steps.begin(), fmt::format("load for about {}: long enough to tell",
                                            text::sec_text(verdict.window_needed_sec)));
  }
  return steps;
}

std::string flush_errors_text(const measure::ConsumerReport& consumer) {
  if (consumer.errors == 0) return "";
  std::string text = fmt::format("{} flushes failed, {} were tried again", text::count_text(consumer.errors),
                                 text::count_text(consumer.retries));
  if (!consumer.flush_error_last.empty()) text += "; the last was answered: " + consumer.flush_error_last;
  return text;
}

std::string ledger_text(const measure::ChangeLedger& ledger) {
  std::string text;
  if (ledger.produced && ledger.produced == ledger.received && ledger.produced == ledger.acknowledged) {
    text = fmt::format("{} produced = received = acknowledged", text::count_text(ledger.produced));
  } else {
    text = fmt::format("{} produced, {} received, {} acknowledged", text::count_text(ledger.produced),
                       text::count_text(ledger.received), text::count_text(ledger.acknowledged));
  }
  text += fmt::format(", {}", checksums_text(ledger.checksum_matches));
  const auto add = [&text](const std::optional<std::uint64_t>& count, const char* what) {
    if (count.value_or(0) > 0) text += fmt::format(", {} {}", text::count_text(count), what);
  };
  add(ledger.missing, "MISSING");
  add(ledger.duplicated, "DUPLICATED");
  add(ledger.replayed, "replayed");
  add(ledger.in_transit, "in transit");
  if (!measure::is_clean(ledger)) text += fmt::format("; BROKEN at the {}", ledger.broken_at);
  return text;
}

std::string ledger_text(const measure::RowLedger& ledger) {
  std::string text = fmt::format("{} expected, {} in PostgreSQL", text::count_text(ledger.expected),
                                 text::count_text(ledger.postgres));
  text +=
      ledger.landed ? fmt::format(", {} landed", text::count_text(ledger.landed)) : ", landed not measured";
  if (ledger.in_transit.value_or(0) > 0) {
    text += fmt::format(", {} {} in transit", text::count_text(ledger.in_transit),
                        ledger.in_transit == 1 ? "change" : "changes");
  }
  text += fmt::format(", {}", checksums_text(ledger.checksum_matches));
  if (!measure::is_clean(ledger)) text += fmt::format("; BROKEN at the {}", ledger.broken_at);
  return text;
}

std::string ledger_text(const measure::ContentLedger& ledger) {
  if (!ledger.sampled) return "not checked";
  std::string text = fmt::format("{} rows compared column by column", text::count_text(ledger.sampled));
  const auto add = [&](const std::optional<std::uint64_t>& matches, const char* where) {
    if (matches) text += fmt::format(", {} match in {}", text::count_text(matches), where);
  };
  add(ledger.postgres_matches, "PostgreSQL");
  add(ledger.landed_matches, "ClickHouse");
  return text + (measure::is_clean(ledger) ? "" : "; ROWS DIFFER");
}

}  // namespace walstorm::report
