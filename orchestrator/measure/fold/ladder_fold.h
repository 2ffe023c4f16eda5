#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "orchestrator/measure/figures/count_curve.h"
#include "orchestrator/measure/figures/run_report.h"
#include "proto/wire/lsn.h"

namespace walstorm::measure {

/// PostgreSQL's rungs of the LSN ladder, read at one moment; nullopt where there is no such row.
struct LadderSample {
  std::int64_t at_unix_us = 0;
  std::optional<wire::Lsn> head_lsn, sent_lsn, confirmed_lsn;
};

/// The consumer's rungs, as of its newest Sample; not set (0) counts as not known.
struct ConsumerRungs {
  std::optional<wire::Lsn> received, flushed;
};

/// Where the head of the WAL was at which time, from one reading a second: what turns a distance in bytes
/// into one in seconds.
///
/// What is asked is how old a position is, so that readings stand the closer the younger they are: each
/// second's up to kFinePoints seconds (2.3 hours), beyond that a kFinePoints-th of their age apart. So an age
/// is good to a second or to that part of itself, however long the run; a week takes some 45,000 readings.
class HeadCurve final {
 public:
  /// A head that falls (a server that crashed with synchronous_commit off forgets the end of its WAL, and
  /// writes other bytes there) takes what lay beyond it out of the curve.
  void add(std::int64_t at_unix_us, wire::Lsn head);

  /// When the head went beyond `position`: the last moment at which it was not beyond. The newest reading's
  /// moment when it has not yet, the oldest one's when it had before there was any. nullopt without a
  /// reading. Between two readings the head is taken to have moved evenly; where it stood still before the
  /// second one, the moment may be too early by the time between them.
  [[nodiscard]] std::optional<double> passed_unix_us(wire::Lsn position) const;

  static constexpr std::int64_t kFinePoints = 8'192;
  [[nodiscard]] std::size_t size() const { return points_.size(); }

 private:
  void thin();

  std::vector<CountPoint> points_;  // times rise strictly, positions never fall
  std::size_t thin_at_ = 2 * kFinePoints;
};

/// Distances between neighbours on the ladder at one moment.
struct LadderDistances {
  struct Rung {
    std::optional<std::uint64_t> bytes;
    std::optional<double> sec;
  };
  Rung head_to_sent, sent_to_received, received_to_flushed, flushed_to_confirmed;
};

/// Folds the ladder over a phase.
///
/// Seconds between two rungs are the time between the moments at which the head went beyond the one and
/// beyond the other: how old the oldest byte is that is past the first and not past the second. An idle
/// pipe's are not always 0 (`sent` runs past the WAL of other databases, and what nobody publishes is
/// confirmed with the next status message), which is why a report has their floor.
class LadderFold final {
 public:
  /// `before`: the head's readings of the phases before, without which a backlog of theirs would seem
  /// younger than this phase.
  explicit LadderFold(HeadCurve before) : head_(std::move(before)) {}

  void take(const LadderSample& sample);

  /// The distances of this second, by the newest sample since the last call; without one, only those that
  /// the consumer knows by itself. Call a moment after the consumer's Sample of that second.
  LadderDistances close_second(const ConsumerRungs& consumer);

  /// `consumer`: as of the phase's end, to go with a sample that no second was closed with.
  [[nodiscard]] LadderReport report(const ConsumerRungs& consumer) const;

  [[nodiscard]] const HeadCurve& head() const { return head_; }

 private:
  [[nodiscard]] LadderDistances distances(const ConsumerRungs& consumer) const;

  HeadCurve head_;
  std::optional<LadderSample> newest_;  // of this second
  LadderReport report_;
};

}  // namespace walstorm::measure
