#include "proto/wire/clock_offset.h"

#include <algorithm>
#include <cstdlib>

namespace walstorm::wire {
namespace {

/// Either clock is read in whole microseconds, cut off.
constexpr std::int64_t kResolutionUs = 1;

std::int64_t length_us(const ClockRoundTrip& trip) {
  return trip.answered_unix_us - trip.asked_unix_us;
}

}  // namespace

std::int64_t ClockOffset::known_us() const {
  return std::abs(ahead_us) > error_us ? ahead_us : 0;
}

std::optional<ClockOffset> estimate_clock_offset(const std::vector<ClockRoundTrip>& round_trips) {
  const ClockRoundTrip* fastest = nullptr;
  for (const ClockRoundTrip& trip : round_trips) {
    if (length_us(trip) < 0) continue;
    if (fastest == nullptr || length_us(trip) < length_us(*fastest)) fastest = &trip;
  }
  if (fastest == nullptr) return std::nullopt;
  const std::int64_t half_us = length_us(*fastest) / 2;
  return ClockOffset{fastest->asked_unix_us + half_us - fastest->other_unix_us,
                     length_us(*fastest) - half_us + kResolutionUs};
}

ClockOffset difference(const ClockOffset& of, const ClockOffset& to) {
  return {of.ahead_us - to.ahead_us, of.error_us + to.error_us};
}

void to_proto(const ClockOffset& offset, proto::ClockOffset& out) {
  out.set_ahead_us(offset.ahead_us);
  out.set_error_us(offset.error_us);
}

ClockOffset from_proto(const proto::ClockOffset& in) {
  return {in.ahead_us(), std::max<std::int64_t>(0, in.error_us())};
}

}  // namespace walstorm::wire
