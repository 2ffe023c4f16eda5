#include "orchestrator/measure/fold/server_fold.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <utility>

namespace walstorm::measure {
namespace {

/// From best to worst; https://www.postgresql.org/docs/current/view-pg-replication-slots.html
constexpr std::array<std::string_view, 4> kWalStatuses{"reserved", "extended", "unreserved", "lost"};

bool is_worse(std::string_view status, std::string_view than) {
  const auto rank = [](std::string_view text) {
    // One that we have not heard of is not called worse than one that we have.
    return std::find(kWalStatuses.begin(), kWalStatuses.end(), text) - kWalStatuses.begin();
  };
  if (status.empty()) return false;
  return than.empty() || (rank(status) > rank(than) && rank(status) < std::ssize(kWalStatuses));
}

/// What a counter added. One that fell was set back, by a crash or by hand: what it shows came after that.
std::uint64_t added(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

void add(std::optional<std::uint64_t>& sum, std::uint64_t part) {
  sum = sum.value_or(0) + part;
}

void divide(std::map<std::string, double>& sums, std::size_t by) {
  for (auto& [name, sum] : sums) sum /= static_cast<double>(by);
}

}  // namespace

bool is_caught_up_wait(std::string_view walsender_wait) {
  constexpr std::string_view kForWal = "client:walsenderwaitforwal";
  if (walsender_wait.starts_with("Activity:")) return true;
  return walsender_wait.size() == kForWal.size() &&
         std::equal(walsender_wait.begin(), walsender_wait.end(), kForWal.begin(),
                    [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

void ServerFold::take(const ServerLook& look, bool loading) {
  if (is_worse(look.wal_status, report_.wal_status)) report_.wal_status = look.wal_status;
  if (look.safe_wal_bytes) {
    report_.safe_wal_bytes_min =
        std::min(report_.safe_wal_bytes_min.value_or(*look.safe_wal_bytes), *look.safe_wal_bytes);
  }
  if (look.decoded) take_decoded(*look.decoded);
  state_now_ = look.walsender_state;
  wait_now_ = look.walsender_wait;
  if (!loading) return;
  ++samples_loading_;
  if (!look.walsender_state.empty()) report_.walsender_states[look.walsender_state] += 1;
  if (!look.walsender_wait.empty()) report_.walsender_waits[look.walsender_wait] += 1;
  for (const auto& [wait, backends] : look.writer_waits) report_.writer_waits[wait] += backends;
}

void ServerFold::take_decoded(const DecodedTransactions& now) {
  const DecodedTransactions before = decoded_.value_or(now);
  add(report_.spilled_transactions, added(before.spilled, now.spilled));
  add(report_.spilled_bytes, added(before.spilled_bytes, now.spilled_bytes));
  add(report_.streamed_transactions, added(before.streamed, now.streamed));
  add(report_.streamed_bytes, added(before.streamed_bytes, now.streamed_bytes));
  decoded_ = now;
}

PostgresReport ServerFold::report() const {
  PostgresReport report = report_;
  for (auto* sums : {&report.walsender_states, &report.walsender_waits, &report.writer_waits}) {
    divide(*sums, samples_loading_);
  }
  return report;
}

std::vector<std::string> ServerFold::notes() const {
  constexpr const char* kWhatToDo =
      "raise max_slot_wal_keep_size (-1: no limit), or have less WAL wait: a lower rate, or a faster sink";
  if (report_.wal_status == "lost") {
    return {
        fmt::format("the slot's wal_status was \"lost\": PostgreSQL has removed WAL that was not read "
                    "yet, and this slot cannot be read any more; {}",
                    kWhatToDo)};
  }
  if (report_.wal_status == "unreserved") {
    return {
        fmt::format("the slot's wal_status was \"unreserved\": it held back more WAL than "
                    "max_slot_wal_keep_size allows, and the next checkpoint may remove what was not "
                    "read yet; {}",
                    kWhatToDo)};
  }
  return {};
}

void ServerFold::close_second(Second& second) {
  second.walsender_state = std::exchange(state_now_, {});
  second.walsender_wait = std::exchange(wait_now_, {});
}

}  // namespace walstorm::measure
