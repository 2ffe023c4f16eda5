#include "orchestrator/profile/analysis/diff.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <utility>

#include "orchestrator/profile/analysis/analysis.h"
#include "orchestrator/text/format.h"

namespace walstorm::profile {
namespace {

/// From here on the binomial is as good as normal, and summing it up takes long.
constexpr std::uint64_t kExactMax = 100'000;
constexpr std::size_t kAllFunctions = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kNamedMax = 3;

double log_binomial(std::uint64_t n, std::uint64_t k, double p) {
  const auto count = static_cast<double>(n), hits = static_cast<double>(k);
  return std::lgamma(count + 1) - std::lgamma(hits + 1) - std::lgamma(count - hits + 1) + hits * std::log(p) +
         (count - hits) * std::log1p(-p);
}

/// P(X <= k) of a binomial.
double at_most(std::uint64_t n, std::uint64_t k, double p) {
  double sum = 0;
  for (std::uint64_t i = 0; i <= k; ++i) sum += std::exp(log_binomial(n, i, p));
  return std::min(sum, 1.0);
}

const TargetAnalysis* of_target(const std::vector<TargetAnalysis>& all, const std::string& target) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.target == target; });
  return found == all.end() ? nullptr : &*found;
}

/// Rows by name and object, from both sides.
class Rows final {
 public:
  Rows(std::uint64_t base_all, std::uint64_t candidate_all)
      : base_all_(base_all), candidate_all_(candidate_all) {}

  void add(const std::string& name, const std::string& object, std::uint64_t samples, double share,
           bool is_base) {
    DiffRow& row = rows_[{name, object}];
    row.name = name;
    row.object = object;
    (is_base ? row.base_samples : row.candidate_samples) += samples;
    (is_base ? row.base_share : row.candidate_share) += share;
  }

  [[nodiscard]] std::vector<DiffRow> sorted(std::size_t rows_max) const {
    std::vector<DiffRow> rows;
    for (const auto& [name, row] : rows_) {
      rows.push_back(row);
      rows.back().chance =
          chance_of_split(row.base_samples, base_all_, row.candidate_samples, candidate_all_);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const DiffRow& a, const DiffRow& b) {
      if (a.differs() != b.differs()) return a.differs();
      return std::abs(a.delta()) > std::abs(b.delta());
    });
    if (rows.size() > rows_max) rows.resize(rows_max);
    return rows;
  }

 private:
  std::uint64_t base_all_, candidate_all_;
  std::map<std::pair<std::string, std::string>, DiffRow> rows_;
};

std::string conclusion_of(const TargetDiff& target) {
  std::string changes;
  std::size_t named = 0;
  for (const DiffRow& row : target.modules) {
    if (!row.differs() || named++ == kNamedMax) break;
    changes +=
        fmt::format("{}{} takes {:.1f} % of the CPU time instead of {:.1f} %", changes.empty() ? "" : ", ",
                    row.name, row.candidate_share * 100, row.base_share * 100);
  }
  if (changes.empty())
    return fmt::format("{}: no module takes another share than before, as far as {} and {} samples can tell.",
                       target.target, text::count_text(target.base_samples),
                       text::count_text(target.candidate_samples));
  return fmt::format("{}: {}.", target.target, changes);
}

}  // namespace

std::optional<double> chance_of_split(std::uint64_t base, std::uint64_t base_all, std::uint64_t candidate,
                                      std::uint64_t candidate_all) {
  const std::uint64_t n = base + candidate;
  if (n == 0 || base_all == 0 || candidate_all == 0) return std::nullopt;
  const double p = static_cast<double>(base_all) / static_cast<double>(base_all + candidate_all);
  const double mean = static_cast<double>(n) * p;
  if (n > kExactMax) {
    const double z = (std::abs(static_cast<double>(base) - mean) - 0.5) / std::sqrt(mean * (1 - p));
    return z <= 0 ? 1 : std::erfc(z / std::sqrt(2.0));
  }
  const double below = at_most(n, base, p);
  const double above = base == 0 ? 1 : 1 - at_most(n, base - 1, p);
  return std::clamp(2 * std::min(below, above), 0.0, 1.0);
}

std::vector<TargetDiff> diff(const Profile& base, const Profile& candidate, const Modules& modules,
                             std::size_t functions_max) {
  const auto before = analyse(base.of_phase(std::nullopt), modules, kAllFunctions);
  const auto after = analyse(candidate.of_phase(std::nullopt), modules, kAllFunctions);
  std::vector<TargetDiff> diffs;
  for (const TargetAnalysis& now : after) {
    const TargetAnalysis* then = of_target(before, now.target);
    if (then == nullptr) continue;
    TargetDiff each{now.target, then->samples, now.samples, {}, {}, ""};
    Rows module_rows(then->samples, now.samples), function_rows(then->samples, now.samples);
    for (const auto* side : {then, &now}) {
      for (const ModuleRow& row : side->modules)
        module_rows.add(row.module, "", row.samples, row.share, side == then);
      for (const FunctionRow& row : side->functions)
        function_rows.add(row.function, row.object, row.samples, row.share, side == then);
    }
    each.modules = module_rows.sorted(kAllFunctions);
    each.functions = function_rows.sorted(functions_max);
    each.conclusion = conclusion_of(each);
    diffs.push_back(std::move(each));
  }
  return diffs;
}

std::string diff_test_text() {
  return fmt::format(
      "~: the two sample counts may well be of the same share (exact conditional test of two Poisson counts, "
      "chance {:.0f} % or more)",
      kDifferentBelow * 100);
}

}  // namespace walstorm::profile
