#pragma once

#include <cstdint>
#include <optional>

#include "producer/ordered_places.h"
#include "proto/wire/histogram.h"

namespace walstorm::producer {

/// Records per second, all producers together, linear from the phase's start to its end; constant when equal.
struct TargetRate {
  double from_per_sec = 0;
  double to_per_sec = 0;
};

/// What StartPhase asks for.
struct PhaseLoad {
  std::optional<TargetRate> target;  ///< nullopt: unthrottled
  std::int64_t duration_us = 0;
  std::uint64_t records_max = 0;  ///< 0: no such bound
  std::uint32_t batch_size = 1;
  std::optional<std::uint64_t> poisson_seed = std::nullopt;  ///< of this phase; nullopt: at even intervals
};

/// The schedule of a whole phase, common to all producers: batch k (from 0) holds records
/// [k * batch_size, (k + 1) * batch_size) and is due when the cumulated target reaches k * batch_size records
/// (proto/control.proto, StartPhase; Poisson arrivals are the Pacer's). Immutable; all times in microseconds
/// since the phase's start.
class Schedule final {
 public:
  explicit Schedule(const PhaseLoad& load);

  /// False for an unthrottled phase: nothing is ever due, batches follow each other until the end.
  [[nodiscard]] bool paced() const { return load_.target.has_value(); }

  [[nodiscard]] std::int64_t duration_us() const { return load_.duration_us; }

  /// When the load is over: the moment at which the target reaches the last record. That is the duration,
  /// unless records_max comes first. A load is not over with its last batch: the rate is records_total over
  /// this time.
  [[nodiscard]] std::int64_t end_us() const { return end_us_; }

  /// The integral of the rate, rounded, at most records_max; 2^64 - 1 for an unthrottled phase without bound.
  [[nodiscard]] std::uint64_t records_total() const { return records_total_; }
  [[nodiscard]] std::uint64_t batches_total() const { return batches_total_; }

  /// `batch` is below batches_total(). The last batch may be partial.
  [[nodiscard]] std::uint32_t records_in(std::uint64_t batch) const;

  /// Of a paced phase, for batches below batches_total().
  [[nodiscard]] std::int64_t due_us(std::uint64_t batch) const;

  /// How many batches of a paced phase are due at or before `at_us`.
  [[nodiscard]] std::uint64_t batches_due(std::int64_t at_us) const;

  /// When the cumulated target of a paced phase reaches so many records.
  [[nodiscard]] std::int64_t reached_us(double records) const;

  [[nodiscard]] const std::optional<std::uint64_t>& poisson_seed() const { return load_.poisson_seed; }

 private:
  PhaseLoad load_;
  double acceleration_ = 0;  // half the rate's slope, records/s^2
  std::uint64_t records_total_ = 0;
  std::uint64_t batches_total_ = 0;
  std::int64_t end_us_ = 0;
};

/// One share of a Schedule, a connection's or a whole producer's: the batches whose number is congruent to
/// the share's. Open loop: due times do not depend on when earlier batches started or ended.
///
/// With Poisson arrivals the same batches fall due at random (proto/control.proto, StartPhase): each share
/// draws its own, and needs to know nothing of the others.
class Pacer final {
 public:
  struct Batch {
    std::uint64_t number = 0;
    std::uint32_t records = 0;
    std::optional<std::int64_t> due_us;  ///< since the phase's start; nullopt when unthrottled
  };

  /// `share` is below `shares`.
  Pacer(const Schedule& schedule, std::uint32_t share, std::uint32_t shares);

  [[nodiscard]] const Schedule& schedule() const { return schedule_; }

  /// The next batch to start; nullopt when nothing is left.
  [[nodiscard]] std::optional<Batch> next() const;

  /// The next batch has been started.
  void take();

  /// Records of this share that fell due at or before `at_us` (and within the duration) and were not
  /// taken. 0 for an unthrottled phase, where nothing is due. `at_us` is never less than in a call before.
  [[nodiscard]] std::uint64_t records_not_started(std::int64_t at_us);

  /// The batches of those records, each by how long it had been due at `at_us`, or at the end of the duration
  /// when that came before. Beyond kAgesMax of them neighbours are entered together, with the age of the one
  /// in their middle; of Poisson arrivals that one's place is then the expected one.
  [[nodiscard]] wire::Histogram ages_not_started(std::int64_t at_us);

  static constexpr std::uint64_t kAgesMax = 1U << 14;

 private:
  [[nodiscard]] std::int64_t due_us(double place) const;
  [[nodiscard]] std::uint64_t batches_not_started(std::int64_t at_us);
  [[nodiscard]] std::uint64_t records_between(std::uint64_t first, std::uint64_t last) const;

  Schedule schedule_;
  std::uint64_t next_;
  std::uint32_t shares_;
  // Of Poisson arrivals: where the next batch falls due, and the first batch not known to be due, and where.
  std::optional<OrderedPlaces> next_place_;
  std::uint64_t not_due_;
  std::optional<OrderedPlaces> not_due_place_;
};

}  // namespace walstorm::producer
