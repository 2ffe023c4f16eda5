#include "proto/postgres/server_clock.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <poll.h>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include "proto/postgres/host_lookup.h"

namespace walstorm::postgres {
namespace {

using Steady = std::chrono::steady_clock;

struct Free {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};

/// Waits for the socket; false when the deadline passes first.
bool wait_for(const PGconn* connection, short events, Steady::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now());
  if (left.count() <= 0) return false;
  pollfd ready{PQsocket(connection), events, 0};
  return ::poll(&ready, 1, static_cast<int>(left.count())) > 0;
}

bool connect(PGconn* connection, Steady::time_point deadline) {
  // libpq's documentation of PQconnectStart: begin as if PQconnectPoll had asked to write.
  short events = POLLOUT;
  while (PQstatus(connection) != CONNECTION_BAD && wait_for(connection, events, deadline)) {
    switch (PQconnectPoll(connection)) {
      case PGRES_POLLING_OK:
        return true;
      case PGRES_POLLING_READING:
        events = POLLIN;
        break;
      case PGRES_POLLING_WRITING:
        events = POLLOUT;
        break;
      default:
        return false;
    }
  }
  return false;
}

/// The one value that the statement under way gives; nullopt when it does not come.
std::optional<std::int64_t> await_number(PGconn* connection, Steady::time_point deadline) {
  std::optional<std::int64_t> number;
  while (true) {
    while (PQisBusy(connection) != 0) {
      if (!wait_for(connection, POLLIN, deadline) || PQconsumeInput(connection) == 0) return std::nullopt;
    }
    const std::unique_ptr<PGresult, Free> result(PQgetResult(connection));
    if (!result) return number;  // the answer's end
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return std::nullopt;
    const std::string_view text = PQgetvalue(result.get(), 0, 0);
    std::int64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc()) number = value;
  }
}

}  // namespace

std::optional<wire::ClockOffset> compare_clocks(const std::string& conninfo, const wire::Clock& clock,
                                                std::chrono::milliseconds timeout) {
  const auto deadline = Steady::now() + timeout;
  // What stands after dbname wins over the connection string, whose application_name is that of writers.
  std::vector<const char*> keywords{"dbname", "application_name"};
  std::vector<const char*> values{conninfo.c_str(), "walstorm-clock"};
  std::string why_not;
  const HostAddresses addresses = look_up_hosts(conninfo, static_cast<int>(timeout.count()), why_not);
  if (!why_not.empty()) return std::nullopt;
  addresses.append_to(keywords, values);
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  const std::unique_ptr<PGconn, Free> connection(
      PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1));
  if (!connection || !connect(connection.get(), deadline)) return std::nullopt;
  std::vector<wire::ClockRoundTrip> round_trips;
  for (int i = 0; i < wire::kClockRoundTrips; ++i) {
    wire::ClockRoundTrip trip{clock.unix_us(), 0, 0};
    if (PQsendQuery(connection.get(), wire::kClockSql) != 1) break;
    const auto other_unix_us = await_number(connection.get(), deadline);
    if (!other_unix_us) break;
    trip.answered_unix_us = clock.unix_us();
    trip.other_unix_us = *other_unix_us;
    round_trips.push_back(trip);
  }
  return wire::estimate_clock_offset(round_trips);
}

}  // namespace walstorm::postgres
