#include "orchestrator/search/bracket.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "orchestrator/text/or_null.h"

namespace walstorm::search {
namespace {

/// Trials of one value: after so many, what was not shown to pass fails.
constexpr unsigned kTrialsMax = 3;
/// A confirmation that fails moves the edge down; so often, then the edge cannot be told.
constexpr unsigned kRefusalsMax = 4;
/// How far the next value outward lies: careful at first, since the hint is rarely far off.
constexpr std::array<double, 3> kStrides{1.25, 1.5, 2.0};

}  // namespace

std::string to_string(Purpose purpose) {
  switch (purpose) {
    case Purpose::bracket:
      return "bracket";
    case Purpose::bisect:
      return "bisect";
    case Purpose::repeat:
      return "repeat";
    case Purpose::confirm:
      return "confirm";
  }
  return {};
}

std::string to_string(Judged judged) {
  switch (judged) {
    case Judged::passes:
      return "passes";
    case Judged::fails:
      return "fails";
    case Judged::unclear:
      return "unclear";
  }
  return {};
}

std::string to_string(StopReason reason) {
  switch (reason) {
    case StopReason::none:
      return "";
    case StopReason::converged:
      return "converged";
    case StopReason::max_passes:
      return "max-passes";
    case StopReason::min_fails:
      return "min-fails";
    case StopReason::edge_unclear:
      return "edge-unclear";
  }
  return {};
}

Bracket::Bracket(Limits limits, double hint) : limits_(limits), hint_(rounded(hint)) {}

/// A multiple of the grain, within the limits. As a figure is written, so that no value has a tail: the grain
/// is not finer.
double Bracket::rounded(double value) const {
  const double whole = text::rounded(std::round(value / limits_.grain) * limits_.grain);
  return std::clamp(whole, limits_.min, limits_.max);
}

Bracket::Standing Bracket::standing(const Tally& tally) {
  if (tally.refusals > 0) return Standing::fails;
  if (tally.confirmations > 0) return Standing::passes;
  if (tally.passes != tally.fails) return tally.passes > tally.fails ? Standing::passes : Standing::fails;
  return tally.passes + tally.fails + tally.unclear < kTrialsMax ? Standing::undecided : Standing::fails;
}

std::optional<double> Bracket::first_failing() const {
  for (const auto& [value, tally] : tried_) {
    if (standing(tally) == Standing::fails) return value;
  }
  return std::nullopt;
}

/// Below the first failing value: a greater one that passed by chance proves nothing.
std::optional<double> Bracket::last_passing() const {
  const double edge = first_failing().value_or(INFINITY);
  std::optional<double> last;
  for (const auto& [value, tally] : tried_) {
    if (value < edge && standing(tally) == Standing::passes) last = value;
  }
  return last;
}

std::optional<double> Bracket::undecided() const {
  for (const auto& [value, tally] : tried_) {
    if (standing(tally) == Standing::undecided) return value;
  }
  return std::nullopt;
}

std::optional<double> Bracket::width() const {
  const auto passing = last_passing();
  const auto failing = first_failing();
  if (!passing || !failing) return std::nullopt;
  return (*failing - *passing) / *passing;
}

bool Bracket::confirmed() const {
  const auto passing = last_passing();
  return passing && tried_.at(*passing).confirmations > 0;
}

/// As narrow as asked for, or as the grain allows.
bool Bracket::narrow() const {
  const auto passing = last_passing();
  const auto failing = first_failing();
  if (!passing || !failing) return false;
  const double middle = rounded(std::sqrt(*passing * *failing));
  return *width() <= limits_.precision || middle <= *passing || middle >= *failing;
}

StopReason Bracket::stop_reason() const {
  if (undecided()) return StopReason::none;
  const auto passing = last_passing();
  const auto failing = first_failing();
  if (refusals_ >= kRefusalsMax) return StopReason::edge_unclear;
  if (!passing && failing && *failing <= limits_.min) return StopReason::min_fails;
  if (!passing || !confirmed()) return StopReason::none;
  if (!failing) return *passing >= limits_.max ? StopReason::max_passes : StopReason::none;
  return narrow() ? StopReason::converged : StopReason::none;
}

/// The next value outward of all that were tried on that side.
Bracket::Step Bracket::beyond(double value, bool upward) const {
  const double stride = kStrides[std::min(tried_.size() - 1, kStrides.size() - 1)];
  double next = rounded(upward ? value * stride : value / stride);
  if (next == value) next = rounded(upward ? value + limits_.grain : value - limits_.grain);
  return {next, Purpose::bracket};
}

std::optional<Bracket::Step> Bracket::next() const {
  if (stop_reason() != StopReason::none) return std::nullopt;
  if (tried_.empty()) return Step{hint_, Purpose::bracket};
  if (const auto value = undecided()) return Step{*value, Purpose::repeat};
  const auto passing = last_passing();
  const auto failing = first_failing();
  if (!failing) {
    if (*passing < limits_.max) return beyond(*passing, true);
    return Step{*passing, Purpose::confirm};
  }
  if (!passing) return beyond(*failing, false);
  if (!narrow()) return Step{rounded(std::sqrt(*passing * *failing)), Purpose::bisect};
  const Tally& edge = tried_.at(*failing);
  if (edge.refusals == 0 && edge.passes + edge.fails + edge.unclear < 2)
    return Step{*failing, Purpose::repeat};
  return Step{*passing, Purpose::confirm};
}

void Bracket::take(const Step& step, Judged judged) {
  Tally& tally = tried_[step.value];
  if (step.purpose == Purpose::confirm) {
    if (judged == Judged::passes) {
      ++tally.confirmations;
    } else {
      ++tally.refusals;
      ++refusals_;
    }
    return;
  }
  if (judged == Judged::passes) ++tally.passes;
  if (judged == Judged::fails) ++tally.fails;
  if (judged == Judged::unclear) ++tally.unclear;
}

std::size_t Bracket::trials_left() const {
  if (stop_reason() != StopReason::none) return 0;
  constexpr std::size_t kLast = 2;  // the failing side once more, and the confirmation
  const auto halvings = [this](double width) {
    const double steps = std::log2(std::max(1.0, std::log1p(width) / std::log1p(limits_.precision)));
    return static_cast<std::size_t>(std::ceil(steps));
  };
  if (const auto known = width()) return halvings(*known) + kLast;
  return halvings(kStrides.front() - 1) + kLast + 2;
}

}  // namespace walstorm::search
