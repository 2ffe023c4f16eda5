#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace walstorm::measure {

/// What a cumulative counter stood at, and when (microseconds since 1970).
struct CountPoint {
  std::int64_t at_unix_us = 0;
  std::uint64_t count = 0;

  friend bool operator==(const CountPoint&, const CountPoint&) = default;
};

/// A cumulative counter over time, in bounded memory however long it runs.
///
/// Holds every point while there are at most kPointsMax (4.5 hours of one a second); then every second one is
/// dropped and the spacing doubles, so a longer phase costs resolution evenly and never a count: the newest
/// point is always kept. Between points the counter is taken to have risen evenly.
class CountCurve final {
 public:
  static constexpr std::size_t kPointsMax = 16'384;

  /// A point not later than the last one (a wall clock that stepped back) only raises the last one's count.
  /// Throws Error{protocol} when the count falls: cumulative counters do not.
  void add(CountPoint point);

  [[nodiscard]] bool empty() const { return points_.empty(); }
  [[nodiscard]] const std::vector<CountPoint>& points() const { return points_; }

  /// The count at `at_unix_us`; that of the nearest end outside the curve, nullopt of an empty curve.
  [[nodiscard]] std::optional<double> at(double at_unix_us) const;

  /// When the count first reached `count`; the nearest end outside the curve, nullopt of an empty curve.
  [[nodiscard]] std::optional<double> time_of(double count) const;

 private:
  void thin();

  std::vector<CountPoint> points_;  // times rise strictly, counts never fall
  std::int64_t spacing_us_ = 0;  // closer than this to the one before, the last point gives way to the next
};

/// The counters of several workers as one. Empty when any of them is: their sum is not known then.
[[nodiscard]] CountCurve sum_of(const std::vector<const CountCurve*>& curves);

/// How much a curve rose each second of [from, to), in records per second: whole seconds only, so that a rest
/// shorter than one does not read as a slow second. Longer steps beyond CountCurve::kPointsMax seconds.
[[nodiscard]] std::vector<double> rates_within(const CountCurve& curve, double from_unix_us,
                                               double to_unix_us);

/// How much a counter of microseconds rose between two moments, as a share of that time; nullopt when less
/// than half of it lies within the curve.
[[nodiscard]] std::optional<double> rise_share(const CountCurve& curve, double from_unix_us,
                                               double to_unix_us);

/// The rate of a counter since it was last asked for, by the times of the readings and not of the asking.
class RateMeter final {
 public:
  void add(CountPoint point);
  /// nullopt when no reading came since the last call, or fewer than two ever did.
  [[nodiscard]] std::optional<double> close_second();

 private:
  std::optional<CountPoint> base_;
  std::optional<CountPoint> newest_;
};

}  // namespace walstorm::measure
