#include "orchestrator/clickhouse/heartbeat.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

using std::chrono::seconds;

constexpr seconds kBeat{10};
/// Well below kHeartbeatLost: one that is never answered does not make the run look dead.
constexpr seconds kBeatTimeout{20};
/// The run is over and its report waits.
constexpr seconds kEndTimeout{5};
/// An end is said although a person wants to leave.
constexpr int kTolerateAll = 1000;

std::string table_of(const std::string& database) {
  return quoted_name(database) + ".heartbeats";
}

}  // namespace

Heartbeat::Heartbeat(process::EventLoop& loop, const Address& address, const std::string& database,
                     std::uint64_t run_number)
    : table_(table_of(database)),
      run_number_(run_number),
      session_(loop, address, "mark the run in ClickHouse at " + address.shown()),
      client_(loop.io(), address, {.answer_timeout = kBeatTimeout}),
      timer_(loop.io()) {
  session_.execute("begin", row(false), kStepTimeout, 0);
  beat_later();
}

Statement Heartbeat::row(bool ended) {
  return {.sql = fmt::format("INSERT INTO {} SELECT {}, {}, now(), {}", table_, run_number_, ++number_,
                             ended ? 1 : 0)};
}

void Heartbeat::beat_later() {
  timer_.expires_after(kBeat);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    client_.send(row(false), [this](const Answer& answer) {
      if (!answer.ok()) spdlog::warn("mark the run as under way in ClickHouse: {}", answer.text);
      beat_later();  // one at a time: a server that hangs gets no queue of them
    });
  });
}

std::string Heartbeat::end() {
  timer_.cancel();
  try {
    session_.execute("end", row(true), kEndTimeout, kTolerateAll);
    return {};
  } catch (const wire::Error& error) {
    return fmt::format("{}; walstorm clean takes the run for one under way for {} s", error.what(),
                       kHeartbeatLost.count());
  }
}

std::vector<LivingRun> living_runs(Session& session, const std::string& database) {
  const auto there = session.ask(
      "look for runs under way",
      {.sql = fmt::format("SELECT name FROM system.tables WHERE database = {} AND name = 'heartbeats'",
                          quoted_text(database))},
      kStepTimeout, 0);
  if (there.empty()) return {};
  std::vector<LivingRun> living;
  for (const auto& row : session.ask(
           "look for runs under way",
           {.sql = fmt::format("SELECT toString(run_id), toString(now() - max(at)) FROM {} GROUP BY run_id "
                               "HAVING max(ended) = 0 AND now() - max(at) < {} ORDER BY run_id",
                               table_of(database), kHeartbeatLost.count())},
           kStepTimeout, 0)) {
    LivingRun run{row.at(0).value_or(""), "", "", row.at(1).value_or("")};
    const auto entered =
        session.ask("look for runs under way",
                    {.sql = fmt::format("SELECT name, host FROM {}.runs WHERE run_id = {} LIMIT 1",
                                        quoted_name(database), run.number)},
                    kStepTimeout, 0);
    if (!entered.empty()) {
      run.name = entered[0].at(0).value_or("");
      run.host = entered[0].at(1).value_or("");
    }
    living.push_back(std::move(run));
  }
  return living;
}

std::string to_text(const LivingRun& run) {
  return fmt::format("run {} \"{}\" on {}, last heard of {} s ago", run.number, run.name, run.host,
                     run.heard_sec_ago);
}

}  // namespace walstorm::clickhouse
