#include "proto/postgres/server_clock.h"

#include <charconv>
#include <vector>

#include "proto/postgres/connection.h"

namespace walstorm::postgres {

std::optional<wire::ClockOffset> compare_clocks(const std::string& conninfo, const wire::Clock& clock,
                                                std::chrono::milliseconds timeout) {
  const Deadline deadline = Deadline::clock::now() + timeout;
  std::vector<wire::ClockRoundTrip> round_trips;
  try {
    // The connection string's application_name is that of writers.
    Connection connection = open(conninfo, {{"application_name", "walstorm-clock"}}, timeout);
    for (int i = 0; i < wire::kClockRoundTrips; ++i) {
      wire::ClockRoundTrip trip{clock.unix_us(), 0, 0};
      const auto answer = ask(connection, wire::kClockSql, deadline);
      if (!answer) break;
      trip.answered_unix_us = clock.unix_us();
      const char* const end = answer->data() + answer->size();
      if (std::from_chars(answer->data(), end, trip.other_unix_us).ec != std::errc()) break;
      round_trips.push_back(trip);
    }
  } catch (const Refused&) {
    return std::nullopt;
  }
  return wire::estimate_clock_offset(round_trips);
}

}  // namespace walstorm::postgres
