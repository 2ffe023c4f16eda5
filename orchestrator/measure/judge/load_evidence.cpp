#include "orchestrator/measure/judge/load_evidence.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/text/format.h"
#include "proto/postgres/sqlstate.h"

namespace walstorm::measure {
namespace {

/// One in so many transactions that is done for nothing is more than contention now and then.
constexpr double kRollBackShare = 0.1;
/// A connection is held when it was in transactions for at least this much of the load,
constexpr double kHeldShare = 0.25;
/// one of them for so long,
constexpr double kHeldMs = 1000;
constexpr double kHeldLoadShare = 0.1;
/// and the others for less than half as much.
constexpr double kOthersShare = 0.5;

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

Counts most_frequent_first(const ProducerReport& producer) {
  Counts counts(producer.errors_by_sqlstate.begin(), producer.errors_by_sqlstate.end());
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& one, const auto& other) { return one.second > other.second; });
  return counts;
}

/// What to change against them, the most frequent first.
std::vector<std::string> roll_back_advice(const ProducerReport& producer) {
  std::vector<std::string> advice;
  for (const auto& [sqlstate, count] : most_frequent_first(producer)) {
    const std::string_view change = postgres::rollback_advice(sqlstate);
    if (!change.empty()) advice.push_back(fmt::format("{} (SQLSTATE {})", change, sqlstate));
  }
  if (advice.empty()) {
    advice.emplace_back("look at PostgreSQL's log and the producers' for why transactions were rolled back");
  }
  return advice;
}

/// What the writing backends waited for most, where a connection that was held did that in PostgreSQL itself.
std::optional<Evidence> longest_wait(const PhaseReport& phase) {
  const std::pair<const std::string, double>* longest = nullptr;
  for (const auto& wait : phase.postgres.writer_waits) {
    const std::string& name = wait.first;
    if (name == "idle" || name == "running" || name.starts_with("Client:")) continue;
    if (longest == nullptr || wait.second > longest->second) longest = &wait;
  }
  if (longest == nullptr || longest->second < kOthersShare * phase.busy.connection_max.value_or(1)) {
    return std::nullopt;
  }
  return Evidence{"postgres.writerWaits." + longest->first,
                  longest->second,
                  {},
                  fmt::format("a writing backend waited for {}", longest->first)};
}

}  // namespace

std::string roll_backs_text(const ProducerReport& producer) {
  if (producer.errors == 0) return "";
  std::string kinds;
  for (const auto& [sqlstate, count] : most_frequent_first(producer)) {
    kinds += fmt::format("{}{}: {}", kinds.empty() ? " (SQLSTATE " : ", ", sqlstate, count);
  }
  if (!kinds.empty()) kinds += ")";
  return fmt::format("{} of {} transactions were rolled back by PostgreSQL{}{}", producer.errors,
                     producer.errors + producer.transactions, kinds,
                     producer.records_failed == 0
                         ? " and written again"
                         : fmt::format("; {} records came to nothing", producer.records_failed));
}

std::optional<Evidence> roll_backs(const PhaseReport& phase) {
  if (phase.producer.errors == 0) return std::nullopt;
  return Evidence{"producer.errors", static_cast<double>(phase.producer.errors), 0,
                  roll_backs_text(phase.producer)};
}

std::optional<Evidence> held_connection(const PhaseReport& phase, const PipeSettings& settings) {
  const auto& busiest = phase.busy.connection_max;
  const double connections = connections_of(settings);
  if (!busiest || !phase.busy.connections || connections < 2) return std::nullopt;
  const double others = std::max(0.0, *phase.busy.connections * connections - *busiest) / (connections - 1);
  const double longest_ms = phase.producer.service_time_ms.max.value_or(0);
  if (*busiest < kHeldShare || others >= kOthersShare * *busiest) return std::nullopt;
  if (longest_ms < std::max(kHeldMs, kHeldLoadShare * phase.duration_sec.value_or(0) * 1000)) {
    return std::nullopt;
  }
  return Evidence{
      "busy.connectionMax", busiest, others,
      fmt::format("one of {:.0f} connections was in transactions for {:.0f} % of the load, once for "
                  "{}, the others for {:.0f} % on average",
                  connections, *busiest * 100, text::ms_text(longest_ms), others * 100)};
}

bool blame_load(const PhaseReport& phase, const PipeSettings& settings, bool had_time, Blame& blame) {
  if (const auto rolled_back = roll_backs(phase)) {
    blame.evidence.push_back(*rolled_back);
    if (had_time || phase.producer.error_rate.value_or(0) >= kRollBackShare) {
      blame.bottleneck = Bottleneck::postgres_write;
      blame.try_next = roll_back_advice(phase.producer);
      return true;
    }
  }
  const auto held = held_connection(phase, settings);
  if (!held || !had_time) return false;
  blame.evidence.push_back(*held);
  if (const auto waited = longest_wait(phase)) {
    blame.bottleneck = Bottleneck::postgres_write;
    blame.evidence.push_back(*waited);
    blame.try_next = {
        "find what held that connection: pg_stat_activity shows what it waits for, pg_blocking_pids() who "
        "holds "
        "a lock"};
  } else {
    blame.bottleneck = Bottleneck::unknown;
    blame.try_next = {
        "find what held that connection: PostgreSQL did not see it wait, so look at its backend process and "
        "at "
        "what lies between (a proxy, a pooler, the network)"};
  }
  return true;
}

}  // namespace walstorm::measure
