#include "consumer/batch/lsn_tracker.h"

#include <algorithm>
#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::consumer {

std::uint64_t LsnTracker::open_batch() {
  outstanding_.emplace_back();
  return ++last_batch_;
}

void LsnTracker::commit(wire::Lsn end) {
  in_transaction_ = false;
  reached(end);
}

void LsnTracker::keepalive(wire::Lsn position) {
  if (!in_transaction_) reached(position);
}

void LsnTracker::reached(wire::Lsn end) {
  received_ = std::max(received_, end);
  if (outstanding_.empty()) {
    acknowledged_ = std::max(acknowledged_, end);
  } else {
    outstanding_.back().end = std::max(outstanding_.back().end, end);
  }
}

void LsnTracker::acknowledge(std::uint64_t number) {
  const std::uint64_t before_oldest = acknowledged_batches();
  if (number <= before_oldest || number > last_batch_ ||
      outstanding_[number - before_oldest - 1].acknowledged) {
    throw wire::Error(wire::ErrorKind::internal,
                      fmt::format("batch {} was acknowledged, which is not outstanding", number));
  }
  outstanding_[number - before_oldest - 1].acknowledged = true;
  while (!outstanding_.empty() && outstanding_.front().acknowledged) {
    acknowledged_ = std::max(acknowledged_, outstanding_.front().end);
    outstanding_.pop_front();
  }
}

}  // namespace walstorm::consumer
