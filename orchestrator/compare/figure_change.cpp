#include "orchestrator/compare/figure_change.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace walstorm::compare {
namespace {

/// Of the medians, as a share of the base's.
std::optional<double> share_of(const FigureChange& figure) {
  if (!figure.base || !figure.candidate) return std::nullopt;
  const double base = figure.base->median;
  const double difference = figure.candidate->median - base;
  if (difference == 0) return 0.0;
  if (base == 0) return std::copysign(std::numeric_limits<double>::infinity(), difference);
  return difference / std::abs(base);
}

Said said_of(const FigureChange& figure) {
  if (!figure.p || least_p(figure.base->count, figure.candidate->count) >= kSignificant) return Said::untold;
  if (*figure.p >= kSignificant) return Said::same;
  if (figure.better == measure::Better::neither || figure.change == 0.0) return Said::changed;
  return (*figure.change > 0) == (figure.better == measure::Better::higher) ? Said::better : Said::worse;
}

}  // namespace

const char* to_string(Said said) {
  switch (said) {
    case Said::better:
      return "better";
    case Said::worse:
      return "worse";
    case Said::changed:
      return "changed";
    case Said::same:
      return "same";
    case Said::untold:
      return "untold";
  }
  return "untold";
}

FigureChange change_of(const std::string& path, measure::Better better, const std::vector<double>& base,
                       const std::vector<double>& candidate) {
  FigureChange figure;
  figure.path = path;
  figure.better = better;
  figure.base = median_interval(base);
  figure.candidate = median_interval(candidate);
  figure.change = share_of(figure);
  figure.p = mann_whitney_p(base, candidate);
  const auto equals_first = [&](double value) { return value == base.front(); };
  figure.all_equal = figure.p && std::all_of(base.begin(), base.end(), equals_first) &&
                     std::all_of(candidate.begin(), candidate.end(), equals_first);
  figure.said = said_of(figure);
  return figure;
}

std::size_t runs_needed() {
  std::size_t runs = 1;
  while (least_p(runs, runs) >= kSignificant) ++runs;
  return runs;
}

}  // namespace walstorm::compare
