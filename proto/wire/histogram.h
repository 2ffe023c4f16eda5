#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "proto/histogram.pb.h"

namespace walstorm::wire {

/// A distribution in mergeable log-linear buckets; proto/histogram.proto describes the layout.
///
/// Recording is a shift, an add and no allocation once the largest bucket has been seen. Values are whole
/// numbers, microseconds by convention; negative ones (two clocks that disagree) are recorded as 0. Values
/// beyond kValueMax are recorded as kValueMax. Not thread-safe: each belongs to one loop.
class Histogram final {
 public:
  /// 2^42 us: 50 days.
  static constexpr std::uint64_t kValueMax = std::uint64_t{1} << 42;

  void record(std::int64_t value, std::uint64_t times = 1);

  void merge(const Histogram& other);

  /// What was recorded since `earlier`, an older copy of this same histogram. min and max of the result are
  /// bucket bounds, since the exact ones are not known for a part. Throws Error{protocol} when `earlier`
  /// holds more.
  [[nodiscard]] Histogram since(const Histogram& earlier) const;

  /// Those of its values that lie in buckets beyond the one `value` is in. Sums are taken from the buckets.
  [[nodiscard]] Histogram above(double value) const;

  /// The same values in a quarter of the buckets, to 1.6 %: for what is sent each second and is only as exact
  /// as that second anyway.
  [[nodiscard]] Histogram coarser() const;

  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }

  /// The following are nullopt while nothing is recorded: an unmeasured figure is never 0.
  [[nodiscard]] std::optional<double> min() const;
  [[nodiscard]] std::optional<double> max() const;
  [[nodiscard]] std::optional<double> mean() const;
  /// Standard deviation of the recorded values (of a population, not a sample).
  [[nodiscard]] std::optional<double> stddev() const;
  /// The value below or at which `percent` (0 to 100) of the values lie: nearest rank, off by at most 0.4 %.
  [[nodiscard]] std::optional<double> percentile(double percent) const;

  void to_proto(proto::Histogram& out) const;
  /// Throws Error{protocol} when the buckets do not add up to the count or lie outside the layout.
  [[nodiscard]] static Histogram from_proto(const proto::Histogram& in);

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
  double sum_of_squares_ = 0;
};

}  // namespace walstorm::wire
