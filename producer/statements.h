#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "producer/row_source.h"

namespace walstorm::producer {

/// PostgreSQL's limit on the parameters of a statement: their count is an int16 on the wire.
inline constexpr std::size_t kParametersMax = 65535;

/// Statements about `rows` rows at once. Parameters are the rows' columns, row by row, in binary form; types
/// are declared with the statement (parameter_types), so no casts are needed.

/// INSERT of kAllColumns.
[[nodiscard]] std::string insert_sql(std::size_t rows);
/// UPDATE by kUpdateColumns, each row with values of its own.
[[nodiscard]] std::string update_sql(std::size_t rows);
/// DELETE by kIdColumn.
[[nodiscard]] std::string delete_sql(std::size_t rows);
/// SELECT of kAllColumns by kIdColumn.
[[nodiscard]] std::string select_sql(std::size_t rows);
/// COPY of kAllColumns from binary data.
[[nodiscard]] std::string copy_sql();

/// The type oids of the parameters of a statement about `rows` rows.
[[nodiscard]] std::vector<unsigned> parameter_types(Columns columns, std::size_t rows);

}  // namespace walstorm::producer
