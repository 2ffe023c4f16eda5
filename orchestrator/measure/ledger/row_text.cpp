#include "orchestrator/measure/ledger/row_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "proto/workload/task_run_table.h"

namespace walstorm::measure {
namespace {

constexpr std::size_t kDifferencesMax = 10;

std::vector<std::string_view> differing_columns(const RowText& original, const RowText& copy) {
  std::vector<std::string_view> columns;
  for (std::size_t i = 0; i < wire::kTaskRunColumns.size(); ++i) {
    const bool known = i < original.size() && i < copy.size();
    if (!known || original[i] != copy[i]) columns.push_back(wire::kTaskRunColumns[i].name);
  }
  return columns;
}

}  // namespace

RowComparison compare_rows(const std::vector<std::string>& ids, const RowTexts& original,
                           const RowTexts& copy, std::string_view where) {
  RowComparison comparison;
  const auto differs = [&](std::string sentence) {
    if (comparison.differences.size() < kDifferencesMax)
      comparison.differences.push_back(std::move(sentence));
  };
  for (const std::string& id : ids) {
    const auto expected = original.find(id);
    const auto found = copy.find(id);
    if (found == copy.end()) {
      differs(fmt::format("row {} is not in {}", id, where));
    } else if (expected == original.end()) {
      differs(fmt::format("row {} is in {} alone", id, where));
    } else if (const auto columns = differing_columns(expected->second, found->second); !columns.empty()) {
      differs(fmt::format("row {} differs in {}: {}", id, where, fmt::join(columns, ", ")));
    } else {
      ++comparison.matching;
    }
  }
  return comparison;
}

}  // namespace walstorm::measure
