#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/metrics.pb.h"

/// How far apart two wall clocks are. Every process of a run compares its own with PostgreSQL's, whose commit
/// timestamps begin each lag; all by this arithmetic, or the differences of two of them would mean nothing.
namespace walstorm::wire {

/// Asks PostgreSQL for its clock, in microseconds since 1970.
inline constexpr const char* kClockSql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
/// Enough that one of them meets nobody else on a busy machine; a few milliseconds on one network.
inline constexpr int kClockRoundTrips = 10;

/// One look at another clock, between two looks at ours; microseconds since 1970.
struct ClockRoundTrip {
  std::int64_t asked_unix_us = 0;     ///< ours, before asking
  std::int64_t other_unix_us = 0;     ///< the other's, at some moment in between
  std::int64_t answered_unix_us = 0;  ///< ours, once answered
};

struct ClockOffset {
  std::int64_t ahead_us = 0;  ///< of ours; below 0 when ours is behind
  std::int64_t error_us = 0;  ///< the truth lies within ahead_us +- error_us

  /// What to correct times by. An offset within its error counts as none: the true one of two processes on
  /// one host is 0, and a correction would add the noise of a measurement, another one in each phase, to
  /// every lag. Beyond the error no clock can be right.
  [[nodiscard]] std::int64_t known_us() const;

  friend bool operator==(const ClockOffset&, const ClockOffset&) = default;
};

/// By the fastest round trip, whose answer was read at its middle give or take half of it, however unevenly
/// the way there and the way back shared the time. Those in which our clock was set back are left out;
/// nullopt when none is left.
[[nodiscard]] std::optional<ClockOffset> estimate_clock_offset(
    const std::vector<ClockRoundTrip>& round_trips);

/// How far a clock is ahead of another one, both compared with the same third one.
[[nodiscard]] ClockOffset difference(const ClockOffset& of, const ClockOffset& to);

void to_proto(const ClockOffset& offset, proto::ClockOffset& out);
[[nodiscard]] ClockOffset from_proto(const proto::ClockOffset& in);

}  // namespace walstorm::wire
