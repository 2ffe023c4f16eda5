#include "producer/content_check.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unordered_map>
#include <utility>

#include "producer/postgres/statements.h"

namespace walstorm::producer {
namespace {

constexpr std::size_t kRowsPerSelectMax = 100;
/// Of the rows of one answer, which libpq holds whole.
constexpr std::size_t kBytesPerSelect = 16U << 20U;

std::string_view text(const EncodedRows& rows, const EncodedRows::Field& field) {
  return {rows.data(field), static_cast<std::size_t>(field.length)};
}

void check_some(PgConnection& connection, const RowSource& source, std::span<const RowVersion> sample,
                ContentReport& report) {
  EncodedRows ids;
  for (const RowVersion row : sample) source.encode(row, kIdColumn, ids);
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const EncodedRows::Field& id : ids.fields()) {
    values.push_back(ids.data(id));
    lengths.push_back(id.length);
  }
  const std::vector<int> formats(values.size(), 1);
  const BinaryResult found = connection.select(
      select_sql(sample.size()), parameter_types(kIdColumn, sample.size()), {values, lengths, formats});

  std::unordered_map<std::string_view, std::size_t> row_by_id;
  for (std::size_t row = 0; row < found.rows(); ++row)
    row_by_id.emplace(found.value(row, kIdColumn[0]).value(), row);
  EncodedRows expected;
  std::array<std::optional<std::string_view>, kColumnCount> actual;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const std::string_view id = text(ids, ids.fields()[i]);
    report.ids.emplace_back(id);
    const auto at = row_by_id.find(id);
    if (at == row_by_id.end()) {
      report.add_difference(fmt::format("row {} is not there", id));
      continue;
    }
    for (std::size_t column = 0; column < kColumnCount; ++column)
      actual[column] = found.value(at->second, column);
    expected.clear();
    source.encode(sample[i], kAllColumns, expected);
    const auto columns = differing_columns(expected, actual);
    if (columns.empty()) {
      report.add_match();
    } else {
      report.add_difference(fmt::format("row {} differs in {}", id, fmt::join(columns, ", ")));
    }
  }
}

}  // namespace

std::vector<RowVersion> pick_sample(std::vector<Candidates> groups, std::uint64_t rows, Random& random) {
  std::vector<RowVersion> sample;
  std::uint64_t population = 0;
  for (const Candidates& group : groups) population += group.population;
  while (sample.size() < rows && population > 0) {
    std::uint64_t at = random.next_below(population);
    auto group = groups.begin();
    for (; at >= group->population; ++group) at -= group->population;
    if (group->rows.empty()) {
      population -= std::exchange(group->population, 0);
      continue;
    }
    std::swap(group->rows[random.next_below(group->rows.size())], group->rows.back());
    sample.push_back(group->rows.back());
    group->rows.pop_back();
    --group->population;
    --population;
  }
  return sample;
}

void ContentReport::add_match() {
  ++sampled;
  ++matching;
}

void ContentReport::add_difference(std::string sentence) {
  ++sampled;
  if (differences.size() < kDifferencesMax) differences.push_back(std::move(sentence));
}

std::vector<std::string_view> differing_columns(const EncodedRows& expected,
                                                std::span<const std::optional<std::string_view>> actual) {
  std::vector<std::string_view> columns;
  for (std::size_t column = 0; column < kColumnCount; ++column) {
    const EncodedRows::Field& field = expected.fields()[column];
    const bool same = field.length < 0 ? !actual[column] : actual[column] == text(expected, field);
    if (!same) columns.push_back(wire::kTaskRunColumns[column].name);
  }
  return columns;
}

ContentReport check_content(PgConnection& connection, const RowSource& source,
                            std::span<const RowVersion> sample, std::size_t row_bytes_mean) {
  const auto rows_per_select = std::clamp<std::size_t>(
      kBytesPerSelect / std::max<std::size_t>(row_bytes_mean, 1), 1, kRowsPerSelectMax);
  ContentReport report;
  while (!sample.empty()) {
    const std::size_t count = std::min(sample.size(), rows_per_select);
    check_some(connection, source, sample.first(count), report);
    sample = sample.subspan(count);
  }
  return report;
}

}  // namespace walstorm::producer
