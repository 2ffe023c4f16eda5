#include "orchestrator/profile/show/diff_text.h"

#include <fmt/format.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"
#include "orchestrator/text/or_null.h"

namespace walstorm::profile {
namespace {

using DiffTable = std::vector<std::vector<std::string>>;  // the header first

constexpr std::size_t kNameChars = 70;
constexpr std::size_t kSummaryRows = 5;

DiffTable diff_table(const char* what, const std::vector<DiffRow>& rows) {
  DiffTable table{{what, "base", "candidate", "change", "samples, base", "samples, candidate"}};
  for (const DiffRow& row : rows) {
    // One without a name is known by its library, as in the flame graph.
    const bool nameless = row.name == kUnknown && !row.object.empty();
    table.push_back({text::clipped(nameless ? "[" + row.object + "]" : row.name, kNameChars),
                     text::percent_text(row.base_share), text::percent_text(row.candidate_share),
                     row.differs() ? fmt::format("{:+.1f} %", row.delta() * 100) : "~",
                     text::count_text(row.base_samples), text::count_text(row.candidate_samples)});
  }
  return table;
}

nlohmann::ordered_json rows_json(const std::vector<DiffRow>& rows) {
  auto all = nlohmann::ordered_json::array();
  for (const DiffRow& row : rows) {
    all.push_back({{"name", row.name},
                   {"object", text::or_null(row.object)},
                   {"baseSamples", row.base_samples},
                   {"candidateSamples", row.candidate_samples},
                   {"baseShare", row.base_share},
                   {"candidateShare", row.candidate_share},
                   {"chance", text::or_null(row.chance)},
                   {"differs", row.differs()}});
  }
  return all;
}

std::string lines_of(const DiffTable& table) {
  constexpr std::size_t kGap = 2;
  std::string text;
  for (const std::string& line : text::aligned(table, kGap)) text += line + "\n";
  return text;
}

std::string diff_head(const TargetDiff& each) {
  return fmt::format("{}: {} samples before, {} now", each.target, text::count_text(each.base_samples),
                     text::count_text(each.candidate_samples));
}

}  // namespace

std::string diff_text(const std::vector<TargetDiff>& diffs) {
  if (diffs.empty()) return "the two have no target in common\n";
  std::string text;
  for (const TargetDiff& each : diffs) {
    text += diff_head(each) + "\n\n";
    for (const auto& table : {diff_table("module", each.modules), diff_table("function", each.functions)})
      text += lines_of(table) + "\n";
  }
  for (const TargetDiff& each : diffs) text += each.conclusion + "\n";
  return text + diff_test_text() + "\n";
}

std::string diff_summary(const std::vector<TargetDiff>& diffs) {
  if (diffs.empty()) return "the two have no target in common\n";
  std::string text;
  for (const TargetDiff& each : diffs) {
    text += each.conclusion + "\n";
    std::vector<DiffRow> changed;
    for (const DiffRow& row : each.functions) {
      if (row.differs() && changed.size() < kSummaryRows) changed.push_back(row);
    }
    if (!changed.empty()) text += lines_of(diff_table("function", changed));
  }
  return text;
}

std::string diff_md(const std::vector<TargetDiff>& diffs) {
  if (diffs.empty()) return "The two have no target in common.\n\n";
  std::string text;
  for (const TargetDiff& each : diffs) text += fmt::format("- {}\n", each.conclusion);
  text += fmt::format("\n{}.\n\n", diff_test_text());
  for (const TargetDiff& each : diffs) {
    text += diff_head(each) + ".\n\n";
    for (const auto& table : {diff_table("module", each.modules), diff_table("function", each.functions)})
      text += text::markdown_table(table.front(), DiffTable(table.begin() + 1, table.end()));
  }
  return text;
}

std::string diff_section(const std::vector<TargetDiff>& diffs, const std::string& base) {
  return fmt::format("### Profile beside {}\n\n", base) + diff_md(diffs);
}

nlohmann::ordered_json diff_json(const std::vector<TargetDiff>& diffs) {
  auto targets = nlohmann::ordered_json::array();
  for (const TargetDiff& each : diffs) {
    targets.push_back({{"target", each.target},
                       {"baseSamples", each.base_samples},
                       {"candidateSamples", each.candidate_samples},
                       {"conclusion", each.conclusion},
                       {"modules", rows_json(each.modules)},
                       {"functions", rows_json(each.functions)}});
  }
  return {{"version", 1}, {"differentBelowChance", kDifferentBelow}, {"targets", std::move(targets)}};
}

}  // namespace walstorm::profile
