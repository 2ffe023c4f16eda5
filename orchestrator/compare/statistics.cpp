#include "orchestrator/compare/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/binomial.hpp>

#include "orchestrator/measure/figures/median.h"

namespace walstorm::compare {
namespace {

constexpr double kConfidence = 0.95;
/// C(50, 25) is the last that a double counts exactly.
constexpr std::size_t kExactMax = 50;

/// All values in one row with their ranks doubled, so that the mean rank of ties is whole.
struct Ranking {
  std::vector<std::uint32_t> doubled;  // of every value, the first sample's in front
  double tie_term = 0;                 // sum of t^3 - t over the groups of equal values
};

Ranking ranked(const std::vector<double>& one, const std::vector<double>& other) {
  std::vector<double> all = one;
  all.insert(all.end(), other.begin(), other.end());
  std::vector<double> sorted = all;
  std::sort(sorted.begin(), sorted.end());
  Ranking ranking;
  for (const double value : all) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    // Ranks count from 1: the mean of first + 1 ... last, doubled.
    ranking.doubled.push_back(
        static_cast<std::uint32_t>((first - sorted.begin()) + 1 + (last - sorted.begin())));
  }
  for (auto at = sorted.begin(); at != sorted.end();) {
    const auto end = std::upper_bound(at, sorted.end(), *at);
    const auto ties = static_cast<double>(end - at);
    ranking.tie_term += ties * ties * ties - ties;
    at = end;
  }
  return ranking;
}

/// Of all ways to pick `size` of the ranks, the share whose sum is at least as far from the mean.
double exact_p(const std::vector<std::uint32_t>& doubled, std::size_t size, std::uint64_t observed) {
  std::uint64_t total = 0;
  for (const std::uint32_t rank : doubled) total += rank;
  // ways[k][s]: how many subsets of k ranks have the sum s.
  std::vector<std::vector<double>> ways(size + 1, std::vector<double>(total + 1, 0));
  ways[0][0] = 1;
  for (const std::uint32_t rank : doubled) {
    for (std::size_t k = size; k > 0; --k) {
      for (std::uint64_t sum = total; sum >= rank; --sum) ways[k][sum] += ways[k - 1][sum - rank];
    }
  }
  const double mean =
      static_cast<double>(total) * static_cast<double>(size) / static_cast<double>(doubled.size());
  const double distance = std::abs(static_cast<double>(observed) - mean);
  double as_far = 0;
  double all = 0;
  for (std::uint64_t sum = 0; sum <= total; ++sum) {
    all += ways[size][sum];
    if (std::abs(static_cast<double>(sum) - mean) >= distance - 1e-9) as_far += ways[size][sum];
  }
  return as_far / all;
}

double normal_p(const Ranking& ranking, std::size_t size, std::uint64_t observed) {
  const auto n = static_cast<double>(size);
  const auto all = static_cast<double>(ranking.doubled.size());
  const double m = all - n;
  const double u = static_cast<double>(observed) / 2 - n * (n + 1) / 2;
  const double variance = n * m / 12 * ((all + 1) - ranking.tie_term / (all * (all - 1)));
  if (variance <= 0) return 1;  // all values are equal
  const double z = std::max(0.0, std::abs(u - n * m / 2) - 0.5) / std::sqrt(variance);
  return std::min(1.0, 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), z)));
}

}  // namespace

std::optional<MedianInterval> median_interval(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  MedianInterval interval;
  interval.count = count;
  interval.median = measure::median_of(values);
  // The median lies between the k-th value from either end unless fewer than k of the values fell on one side
  // of it, each with probability one half.
  const boost::math::binomial sides(static_cast<double>(count), 0.5);
  std::size_t cut = 0;
  while (cut < count / 2 && 2 * boost::math::cdf(sides, static_cast<double>(cut)) <= 1 - kConfidence) ++cut;
  if (cut == 0) return interval;
  interval.low = values[cut - 1];
  interval.high = values[count - cut];
  return interval;
}

std::optional<double> mann_whitney_p(const std::vector<double>& one, const std::vector<double>& other) {
  if (one.empty() || other.empty()) return std::nullopt;
  const Ranking ranking = ranked(one, other);
  std::uint64_t observed = 0;
  for (std::size_t i = 0; i < one.size(); ++i) observed += ranking.doubled[i];
  return ranking.doubled.size() <= kExactMax ? exact_p(ranking.doubled, one.size(), observed)
                                             : normal_p(ranking, one.size(), observed);
}

double least_p(std::size_t one, std::size_t other) {
  if (one == 0 || other == 0) return 1;
  const double orders = boost::math::binomial_coefficient<double>(static_cast<unsigned>(one + other),
                                                                  static_cast<unsigned>(one));
  return std::min(1.0, 2 / orders);
}

}  // namespace walstorm::compare
