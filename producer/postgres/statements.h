#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "producer/rows/row_source.h"

namespace walstorm::producer {

/// PostgreSQL's limit on the parameters of a statement: their count is an int16 on the wire.
inline constexpr std::size_t kParametersMax = 65535;

/// How rows become statements.
enum class StatementForm : std::uint8_t {
  values,      ///< many rows a statement, a parameter for each of their columns
  unnest,      ///< many rows a statement, a parameter for each column: an array
  row_by_row,  ///< a statement a row
};

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

/// The same statements for any number of rows: a parameter for each column, an array of all rows' values (see
/// ColumnArrays), which unnest() makes rows of again.
///
/// unnest() of several arrays takes each of them apart to its last dimension, so there can be no array of
/// arrays: a column that is an array travels as an array of texts, each an array literal, and is cast.
[[nodiscard]] std::string insert_unnest_sql();
[[nodiscard]] std::string update_unnest_sql();
[[nodiscard]] std::string delete_unnest_sql();
/// The type oids of their parameters.
[[nodiscard]] std::vector<unsigned> array_types(Columns columns);

/// src/include/catalog/pg_type.dat: of a type, and of what an array of its values is made of here.
[[nodiscard]] unsigned type_oid(wire::ColumnType type);
[[nodiscard]] unsigned element_oid(wire::ColumnType type);

}  // namespace walstorm::producer
