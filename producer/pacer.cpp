#include "producer/pacer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace walstorm::producer {
namespace {

constexpr double kUsPerSec = 1e6;

}  // namespace

Schedule::Schedule(const PhaseLoad& load) : load_(load), end_us_(load.duration_us) {
  const std::uint64_t bound =
      load.records_max > 0 ? load.records_max : std::numeric_limits<std::uint64_t>::max();
  records_total_ = bound;
  if (load.target) {
    const double seconds = static_cast<double>(load.duration_us) / kUsPerSec;
    const auto [from, to] = *load.target;
    acceleration_ = seconds > 0 ? (to - from) / (2 * seconds) : 0;
    const double integral = std::max(0.0, (from + to) / 2 * seconds);
    records_total_ = std::min(bound, static_cast<std::uint64_t>(std::llround(integral)));
    const bool cut_short = static_cast<double>(records_total_) < std::floor(integral);
    if (cut_short) end_us_ = reached_us(static_cast<double>(records_total_));
  }
  batches_total_ = records_total_ / load.batch_size + (records_total_ % load.batch_size > 0 ? 1 : 0);
}

std::uint32_t Schedule::records_in(std::uint64_t batch) const {
  const std::uint64_t left = records_total_ - batch * load_.batch_size;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, load_.batch_size));
}

/// Solves from * t + acceleration * t^2 = records for its first root, in the form that loses no digits when
/// acceleration is near 0 and that holds for acceleration = 0 too.
std::int64_t Schedule::reached_us(double records) const {
  if (records <= 0) return 0;
  const double from = load_.target->from_per_sec;
  const double root = std::sqrt(std::max(0.0, from * from + 4 * acceleration_ * records));
  const double seconds = 2 * records / (from + root);
  return std::min<std::int64_t>(load_.duration_us, std::llround(seconds * kUsPerSec));
}

std::int64_t Schedule::due_us(std::uint64_t batch) const {
  return reached_us(static_cast<double>(batch) * load_.batch_size);
}

std::uint64_t Schedule::batches_due(std::int64_t at_us) const {
  if (at_us < 0 || batches_total_ == 0) return 0;
  const double seconds = static_cast<double>(std::min(at_us, load_.duration_us)) / kUsPerSec;
  const double reached = seconds * (load_.target->from_per_sec + acceleration_ * seconds);
  auto due = std::min(batches_total_, static_cast<std::uint64_t>(reached / load_.batch_size) + 1);
  // The estimate and due_us round differently: settle it by due_us, whose word counts.
  while (due > 0 && due_us(due - 1) > at_us) --due;
  while (due < batches_total_ && due_us(due) <= at_us) ++due;
  return due;
}

Pacer::Pacer(const Schedule& schedule, std::uint32_t share, std::uint32_t shares)
    : schedule_(schedule), next_(share), shares_(shares), not_due_(share) {
  if (!schedule.paced() || !schedule.poisson_seed()) return;
  const std::uint64_t total = schedule.batches_total();
  const std::uint64_t batches = share < total ? (total - 1 - share) / shares + 1 : 0;
  next_place_.emplace(Random(mix64(*schedule.poisson_seed() ^ (share + 1) * kGolden)), batches);
  not_due_place_ = next_place_;
}

std::int64_t Pacer::due_us(double place) const {
  return schedule_.reached_us(place * static_cast<double>(schedule_.records_total()));
}

std::optional<Pacer::Batch> Pacer::next() const {
  if (next_ >= schedule_.batches_total()) return std::nullopt;
  Batch batch{next_, schedule_.records_in(next_), std::nullopt};
  if (schedule_.paced()) {
    batch.due_us = next_place_ ? due_us(next_place_->place()) : schedule_.due_us(next_);
  }
  return batch;
}

void Pacer::take() {
  next_ += shares_;
  if (next_place_) next_place_->advance();
}

std::uint64_t Pacer::batches_not_started(std::int64_t at_us) {
  if (!schedule_.paced()) return 0;
  if (!next_place_) {
    const std::uint64_t due = schedule_.batches_due(at_us);
    return next_ >= due ? 0 : (due - 1 - next_) / shares_ + 1;
  }
  while (not_due_ < schedule_.batches_total() && due_us(not_due_place_->place()) <= at_us) {
    not_due_ += shares_;
    not_due_place_->advance();
  }
  return next_ >= not_due_ ? 0 : (not_due_ - next_) / shares_;
}

std::uint64_t Pacer::records_not_started(std::int64_t at_us) {
  const std::uint64_t batches = batches_not_started(at_us);
  return batches == 0 ? 0 : records_between(next_, next_ + (batches - 1) * shares_);
}

/// Of this share's batches from `first` to `last`, both included. All but the phase's last batch are full.
std::uint64_t Pacer::records_between(std::uint64_t first, std::uint64_t last) const {
  return (last - first) / shares_ * schedule_.records_in(0) + schedule_.records_in(last);
}

wire::Histogram Pacer::ages_not_started(std::int64_t at_us) {
  wire::Histogram ages_us;
  const std::uint64_t batches = batches_not_started(at_us);
  const std::uint64_t steps = std::min(batches, kAgesMax);
  const std::int64_t end_us = std::min(at_us, schedule_.duration_us());
  std::optional<OrderedPlaces> walk = next_place_;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const std::uint64_t first = batches * step / steps;
    const std::uint64_t last = batches * (step + 1) / steps - 1;
    std::int64_t due = 0;
    if (!next_place_) {
      due = schedule_.due_us(next_ + (first + last) / 2 * shares_);
    } else if (steps == batches) {
      due = due_us(walk->place());
      walk->advance();
    } else {
      // Between the first one that waits and the first one that is not due yet, places are uniform.
      const double rank = static_cast<double>(first + last) / 2 / static_cast<double>(batches);
      due = due_us(std::lerp(next_place_->place(), not_due_place_->place(), rank));
    }
    ages_us.record(end_us - due, last - first + 1);
  }
  return ages_us;
}

}  // namespace walstorm::producer
