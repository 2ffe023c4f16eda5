#include "orchestrator/report/observation_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "orchestrator/text/figure_text.h"
#include "orchestrator/text/format.h"

namespace walstorm::report {
namespace {

/// What fewer than so many of a hundred looks saw is left to metrics.json.
constexpr double kShareShownMin = 0.01;
/// Backends on average; fewer are left out likewise.
constexpr double kBackendsShownMin = 0.05;

/// Below a second as milliseconds.
std::string age_text(const std::optional<double>& sec) {
  if (!sec || *sec >= 1) return text::sec_text(sec);
  return *sec > 0 ? text::ms_text(*sec * 1000) : "0 s";
}

std::vector<std::string> rung_row(const char* name, const measure::Rung& rung) {
  return {name,
          text::figure_text(text::Unit::bytes, rung.bytes.min),
          text::figure_text(text::Unit::bytes, rung.bytes.max),
          text::figure_text(text::Unit::bytes, rung.bytes.end),
          age_text(rung.sec.min),
          age_text(rung.sec.max),
          age_text(rung.sec.end)};
}

/// Largest first: "Client:ClientRead 62 %, running 30 %".
template <typename Text>
std::string ranked_text(const std::map<std::string, double>& amounts, double least, const Text& text) {
  std::vector<std::pair<std::string, double>> ranked(amounts.begin(), amounts.end());
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string list;
  for (const auto& [name, amount] : ranked) {
    if (amount < least) break;
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", name, text(amount));
  }
  return list;
}

std::string transactions_text(const char* what, const std::optional<std::uint64_t>& transactions,
                              const std::optional<std::uint64_t>& bytes) {
  if (transactions.value_or(0) == 0 && bytes.value_or(0) == 0) return "";
  return fmt::format(" {} {} of {} transactions.", what, text::bytes_text(bytes),
                     text::count_text(transactions));
}

}  // namespace

std::vector<std::vector<std::string>> ladder_rows(const measure::LadderReport& ladder) {
  return {{"where the WAL was", "bytes, min", "bytes, max", "bytes, end", "age, min", "age, max", "age, end"},
          rung_row("written, not sent", ladder.head_to_sent),
          rung_row("sent, not received", ladder.sent_to_received),
          rung_row("received, not flushed", ladder.received_to_flushed),
          rung_row("flushed, not confirmed", ladder.flushed_to_confirmed)};
}

std::string postgres_text(const measure::PostgresReport& postgres) {
  const auto percent = [](double share) { return text::percent_text(share); };
  std::string text;
  if (!postgres.wal_status.empty()) {
    text += fmt::format(" Slot: {}", postgres.wal_status);
    if (postgres.safe_wal_bytes_min) {
      text += fmt::format(", {} of WAL at least to go until it is lost",
                          text::bytes_text(postgres.safe_wal_bytes_min));
    }
    text += ".";
  }
  const std::string states = ranked_text(postgres.walsender_states, kShareShownMin, percent);
  const std::string waits = ranked_text(postgres.walsender_waits, kShareShownMin, percent);
  if (!states.empty()) text += fmt::format(" Walsender: {}; at {}.", states, waits);
  const std::string writers = ranked_text(postgres.writer_waits, kBackendsShownMin,
                                          [](double backends) { return fmt::format("{:.1f}", backends); });
  if (!writers.empty()) text += fmt::format(" Writing backends, on average: {}.", writers);
  text += transactions_text("Decoding spilled", postgres.spilled_transactions, postgres.spilled_bytes);
  text += transactions_text("Decoding streamed", postgres.streamed_transactions, postgres.streamed_bytes);
  return text.empty() ? text : "PostgreSQL:" + text;
}

bool is_off(const measure::ClockReport& clock) {
  return std::abs(clock.ahead_us) > clock.error_us;
}

std::string clock_text(const measure::ClockReport& clock) {
  const std::string error = text::ms_text(static_cast<double>(clock.error_us) / 1000);
  if (!is_off(clock)) return fmt::format("PostgreSQL's within {}", error);
  const auto off_us = static_cast<double>(std::abs(clock.ahead_us));
  const std::string off =
      off_us >= 1e6 ? fmt::format("{:.3f} s", off_us / 1e6) : text::ms_text(off_us / 1000);
  return fmt::format("{} {} PostgreSQL's (± {})", off, clock.ahead_us > 0 ? "ahead of" : "behind", error);
}

}  // namespace walstorm::report
