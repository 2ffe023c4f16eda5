#include "proto/wire/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::wire {
namespace {

constexpr unsigned kLinearBits = 8;  // values below 2^8 have a bucket each
constexpr std::uint64_t kLinear = std::uint64_t{1} << kLinearBits;
constexpr std::uint64_t kHalf = kLinear / 2;  // buckets for each power of two above

std::size_t bucket_of(std::uint64_t value) {
  if (value < kLinear) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kLinearBits;
  return kLinear + (shift - 1) * kHalf + ((value >> shift) - kHalf);
}

std::uint64_t lower_bound_of(std::size_t bucket) {
  if (bucket < kLinear) return bucket;
  const std::size_t above = bucket - kLinear;
  const auto shift = static_cast<unsigned>(above / kHalf) + 1;
  return (kHalf + above % kHalf) << shift;
}

std::uint64_t upper_bound_of(std::size_t bucket) {
  return lower_bound_of(bucket + 1) - 1;
}

double middle_of(std::size_t bucket) {
  return (static_cast<double>(lower_bound_of(bucket)) + static_cast<double>(upper_bound_of(bucket))) / 2;
}

const std::size_t kBucketsMax = bucket_of(Histogram::kValueMax) + 1;

}  // namespace

void Histogram::record(std::int64_t value, std::uint64_t times) {
  if (times == 0) return;
  const std::uint64_t v = value < 0 ? 0 : std::min(static_cast<std::uint64_t>(value), kValueMax);
  const std::size_t bucket = bucket_of(v);
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  buckets_[bucket] += times;
  min_ = count_ == 0 ? v : std::min(min_, v);
  max_ = std::max(max_, v);
  count_ += times;
  const auto real = static_cast<double>(v);
  const auto weight = static_cast<double>(times);
  sum_ += real * weight;
  sum_of_squares_ += real * real * weight;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
  sum_of_squares_ += other.sum_of_squares_;
}

Histogram Histogram::since(const Histogram& earlier) const {
  Histogram part;
  part.buckets_.resize(buckets_.size());
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const std::uint64_t before = i < earlier.buckets_.size() ? earlier.buckets_[i] : 0;
    if (before > buckets_[i]) throw Error(ErrorKind::protocol, "a cumulative histogram went backwards");
    const std::uint64_t added = buckets_[i] - before;
    if (added == 0) continue;
    part.buckets_[i] = added;
    if (part.count_ == 0) part.min_ = std::max(lower_bound_of(i), min_);
    part.max_ = std::min(upper_bound_of(i), max_);
    part.count_ += added;
  }
  if (part.count_ + earlier.count_ != count_) {
    throw Error(ErrorKind::protocol, "a cumulative histogram went backwards");
  }
  part.sum_ = std::max(0.0, sum_ - earlier.sum_);
  part.sum_of_squares_ = std::max(0.0, sum_of_squares_ - earlier.sum_of_squares_);
  return part;
}

Histogram Histogram::above(double value) const {
  Histogram part;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0 || static_cast<double>(lower_bound_of(i)) <= value) continue;
    part.record(std::llround(std::clamp(middle_of(i), static_cast<double>(min_), static_cast<double>(max_))),
                buckets_[i]);
  }
  return part;
}

Histogram Histogram::coarser() const {
  constexpr std::size_t kTogether = 4;  // divides both kLinear and kHalf: none is of two powers
  Histogram coarse;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    const double middle = middle_of(i / kTogether * kTogether + kTogether / 2);
    coarse.record(std::llround(std::clamp(middle, static_cast<double>(min_), static_cast<double>(max_))),
                  buckets_[i]);
  }
  if (count_ == 0) return coarse;
  coarse.min_ = min_;
  coarse.max_ = max_;
  return coarse;
}

void Histogram::clear() {
  std::fill(buckets_.begin(), buckets_.end(), 0);
  count_ = min_ = max_ = 0;
  sum_ = sum_of_squares_ = 0;
}

std::optional<double> Histogram::min() const {
  if (count_ == 0) return std::nullopt;
  return static_cast<double>(min_);
}

std::optional<double> Histogram::max() const {
  if (count_ == 0) return std::nullopt;
  return static_cast<double>(max_);
}

std::optional<double> Histogram::mean() const {
  if (count_ == 0) return std::nullopt;
  return sum_ / static_cast<double>(count_);
}

std::optional<double> Histogram::stddev() const {
  if (count_ == 0) return std::nullopt;
  const auto n = static_cast<double>(count_);
  const double average = sum_ / n;
  return std::sqrt(std::max(0.0, sum_of_squares_ / n - average * average));
}

std::optional<double> Histogram::percentile(double percent) const {
  if (count_ == 0) return std::nullopt;
  const double share = std::clamp(percent, 0.0, 100.0) / 100.0;
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::clamp(middle_of(i), static_cast<double>(min_), static_cast<double>(max_));
  }
  return static_cast<double>(max_);
}

void Histogram::to_proto(proto::Histogram& out) const {
  out.Clear();
  out.set_count(count_);
  out.set_min(min_);
  out.set_max(max_);
  out.set_sum(sum_);
  out.set_sum_of_squares(sum_of_squares_);
  std::size_t previous = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    out.add_bucket_index_delta(static_cast<std::uint32_t>(i - previous));
    out.add_bucket_count(buckets_[i]);
    previous = i;
  }
}

Histogram Histogram::from_proto(const proto::Histogram& in) {
  if (in.bucket_index_delta_size() != in.bucket_count_size()) {
    throw Error(ErrorKind::protocol, "a histogram has a bucket without a count");
  }
  Histogram histogram;
  std::uint64_t index = 0;
  std::uint64_t total = 0;
  for (int i = 0; i < in.bucket_count_size(); ++i) {
    index += in.bucket_index_delta(i);
    if (index >= kBucketsMax)
      throw Error(ErrorKind::protocol, fmt::format("a histogram has a bucket {}", index));
    if (index >= histogram.buckets_.size()) histogram.buckets_.resize(index + 1);
    histogram.buckets_[index] += in.bucket_count(i);
    total += in.bucket_count(i);
  }
  if (total != in.count()) {
    throw Error(ErrorKind::protocol,
                fmt::format("a histogram of {} values has {} in its buckets", in.count(), total));
  }
  histogram.count_ = in.count();
  histogram.min_ = in.min();
  histogram.max_ = in.max();
  histogram.sum_ = in.sum();
  histogram.sum_of_squares_ = in.sum_of_squares();
  return histogram;
}

}  // namespace walstorm::wire
