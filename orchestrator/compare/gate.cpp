#include "orchestrator/compare/gate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "orchestrator/config/json/did_you_mean.h"
#include "proto/wire/error.h"

namespace walstorm::compare {
namespace {

using Sign = config::Expression::Comparison;
using wire::Error;
using wire::ErrorKind;

constexpr std::array<std::pair<std::string_view, Sign>, 4> kSigns{
    {{">=", Sign::at_least}, {"<=", Sign::at_most}, {">", Sign::greater}, {"<", Sign::less}}};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw Error(ErrorKind::config, fmt::format("--fail-on \"{}\": {}", text, why));
}

/// "+5%", "-3 %" -> 0.05, -0.03.
std::optional<double> share_in(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text = trimmed(text.substr(0, text.size() - 1));
  if (text.starts_with('+')) text = text.substr(1);  // from_chars takes "-" alone
  if (text.starts_with('+')) return std::nullopt;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(percent))
    return std::nullopt;
  return percent / 100;
}

std::string unknown_text(const std::string& path, const std::vector<std::string>& known) {
  const bool is_several = std::any_of(
      known.begin(), known.end(), [&path](const std::string& each) { return each.starts_with(path + "."); });
  if (is_several) return fmt::format("{0} is several figures: write one of them, such as {0}.p99", path);
  const std::string meant = config::nearest(path, known);
  return fmt::format("unknown figure {}{}", path, meant.empty() ? "" : "; did you mean " + meant + "?");
}

}  // namespace

Gate parse_gate(const std::string& text, const std::vector<std::string>& known) {
  constexpr const char* kForm =
      "write a figure and by how much it may change: \"consumer.cpuMicrosPerRecord > +5%\" or "
      "\"consumer.throughput < -3%\"";
  const std::string_view all = text;
  const auto at = all.find_first_of("<>");
  if (at == std::string_view::npos) refuse(text, kForm);
  Gate gate{text, std::string(trimmed(all.substr(0, at))), Sign::greater, 0};
  std::string_view rest = all.substr(at);
  for (const auto& [sign, comparison] : kSigns) {
    if (!rest.starts_with(sign)) continue;
    gate.comparison = comparison;
    rest = trimmed(rest.substr(sign.size()));
    break;
  }
  const auto share = share_in(rest);
  if (!share || gate.path.empty()) refuse(text, kForm);
  gate.limit = *share;
  if (std::find(known.begin(), known.end(), gate.path) == known.end())
    refuse(text, unknown_text(gate.path, known));
  return gate;
}

GateResult judge(const Gate& gate, const std::vector<std::pair<std::string, FigureChange>>& changes) {
  GateResult result{gate, false, {}};
  for (const auto& [phase, change] : changes) {
    if (!change.base && !change.candidate) continue;
    const bool crossed = !change.change || config::holds(gate.comparison, *change.change, gate.limit);
    result.phases.push_back({phase, change, crossed && change.said != Said::same});
    result.holds = result.holds || result.phases.back().holds;
  }
  result.holds = result.holds || result.phases.empty();
  return result;
}

}  // namespace walstorm::compare
