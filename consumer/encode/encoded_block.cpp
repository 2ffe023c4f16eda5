#include "consumer/encode/encoded_block.h"

#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::consumer {

void refuse_value(const BlockLayout& layout, std::size_t index, wire::Lsn version, std::string_view why) {
  const BlockColumn& column = layout.columns[index];
  throw wire::Error(wire::ErrorKind::data,
                    fmt::format("land the change at {} of {}: column {} (type {}) {}",
                                wire::to_string(version), layout.table, column.name, column.type_oid, why));
}

void refuse_form(const BlockLayout& layout, std::size_t index, wire::Lsn version) {
  refuse_value(layout, index, version, "holds what its type cannot be read from");
}

void check_width(const BlockLayout& layout, const Row& row) {
  const std::size_t count = layout.columns.size();
  if (row.values.size() == count && (row.before.empty() || row.before.size() == count)) return;
  throw wire::Error(wire::ErrorKind::protocol,
                    fmt::format("pgoutput: a row of {} at {} has {} columns where the table has {}",
                                layout.table, wire::to_string(row.version), row.values.size(), count));
}

}  // namespace walstorm::consumer
