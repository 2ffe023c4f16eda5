#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "producer/rows/encoded_rows.h"
#include "producer/rows/payload.h"
#include "producer/rows/row_facts.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::producer {

/// Positions in wire::kTaskRunColumns.
using Columns = std::span<const std::uint8_t>;

inline constexpr std::size_t kColumnCount = wire::kTaskRunColumns.size();

namespace detail {
consteval auto all_columns() {
  std::array<std::uint8_t, kColumnCount> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  return all;
}
template <typename... Names>
consteval auto columns(Names... names) {
  return std::array{static_cast<std::uint8_t>(wire::task_run_column(names))...};
}
}  // namespace detail

inline constexpr auto kAllColumns = detail::all_columns();
inline constexpr auto kIdColumn = detail::columns("id");
/// The id, and what an update changes. The payload is not in it: that stays over a row's life, so that large
/// ones travel as unchanged TOAST.
inline constexpr auto kUpdateColumns =
    detail::columns("id", "status", "output", "error", "attempt", "usageDurationMs", "costInCents",
                    "baseCostInCents", "updatedAt", "startedAt", "completedAt", "row_hash");

/// Makes the columns of any row version from the seed: the same bytes whenever and wherever it is asked.
class RowSource final {
 public:
  RowSource(std::uint64_t seed, std::uint64_t payload_bytes_mean, double payload_entropy);

  [[nodiscard]] std::uint64_t seed() const { return seed_; }

  /// Appends `columns` of `row` to `out`. Allocates only when `out` must grow.
  void encode(RowVersion row, Columns columns, EncodedRows& out) const;

 private:
  void encode_column(std::size_t column, const RowFacts& facts, EncodedRows& out) const;
  /// Those that no update touches.
  void encode_constant_column(std::size_t column, const RowFacts& facts, EncodedRows& out) const;

  std::uint64_t seed_;
  Payload payload_;
  std::size_t row_room_;
  std::vector<std::string> organization_ids_;
  std::vector<std::string> project_ids_;      // kProjectsPerOrganization for each organization
  std::vector<std::string> environment_ids_;  // kEnvironmentsPerProject for each project
};

}  // namespace walstorm::producer
