#include "orchestrator/measure/fold/sliding_totals.h"

#include <cstddef>
#include <utility>

#include "proto/histogram.pb.h"
#include "proto/wire/error.h"

namespace walstorm::measure {
namespace {

/// Samples come once a second, a little early or late: a window may be so much shorter than it is called.
constexpr double kJitterUs = 250'000;

}  // namespace

SlidingTotals::SlidingTotals(double window_sec, std::int64_t load_started_unix_us)
    : window_us_(window_sec * 1e6) {
  start_.at_unix_us = newest_.at_unix_us = load_started_unix_us;
}

const PipeTotals* SlidingTotals::advance(const PipeTotals& now) {
  if (now.at_unix_us <= newest_.at_unix_us) return nullptr;
  steps_.push_back(packed(now.since(newest_)));
  newest_ = now;
  const double start_max = static_cast<double>(now.at_unix_us) - window_us_ + kJitterUs;
  while (static_cast<double>(steps_.front().counts.at_unix_us) <= start_max && steps_.size() > 1) {
    start_.add(unpacked(steps_.front()));
    steps_.pop_front();
  }
  return static_cast<double>(start_.at_unix_us) <= start_max ? &start_ : nullptr;
}

SlidingTotals::Step SlidingTotals::packed(const PipeTotals& part) {
  Step step{part, {}};
  for (wire::Histogram* histogram : step.counts.histograms()) {
    proto::Histogram frame;
    histogram->to_proto(frame);
    step.histograms.push_back(frame.SerializeAsString());
    *histogram = {};
  }
  return step;
}

PipeTotals SlidingTotals::unpacked(const Step& step) {
  PipeTotals part = step.counts;
  const auto histograms = part.histograms();
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    proto::Histogram frame;
    if (!frame.ParseFromString(step.histograms.at(i))) {
      throw wire::Error(wire::ErrorKind::internal, "a packed histogram cannot be read");
    }
    *histograms.at(i) = wire::Histogram::from_proto(frame);
  }
  return part;
}

}  // namespace walstorm::measure
