#include "orchestrator/postgres/row_texts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::postgres {
namespace {

/// In the form of measure::RowText.
std::string text_expression(const wire::TaskRunColumn& column) {
  std::string name = fmt::format("\"{}\"", column.name);
  switch (column.type) {
    case wire::ColumnType::text:
      return name;
    case wire::ColumnType::integer:
    case wire::ColumnType::bigint:
      return name + "::text";
    case wire::ColumnType::boolean:
      return name + "::int::text";
    case wire::ColumnType::double_precision:
      return fmt::format("('x' || encode(float8send({}), 'hex'))::bit(64)::bigint::text", name);
    case wire::ColumnType::timestamptz:
      return fmt::format("floor(extract(epoch FROM {}) * 1000)::bigint::text", name);
    case wire::ColumnType::text_array:
      return fmt::format(
          "(SELECT coalesce(string_agg(octet_length(coalesce(e, '')) || ':' || coalesce(e, ''), '' ORDER BY "
          "n), "
          "'') "
          "FROM unnest({}) WITH ORDINALITY AS u(e, n))",
          name);
  }
  return name;
}

/// text[]'s input form: every element quoted.
std::string array_literal(const std::vector<std::string>& elements) {
  std::string literal = "{";
  for (const std::string& element : elements) {
    literal += literal.size() > 1 ? ",\"" : "\"";
    for (const char c : element) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  return literal + "}";
}

}  // namespace

measure::RowTexts read_row_texts(pqxx::connection& connection, const std::vector<std::string>& ids) {
  std::vector<std::string> expressions;
  expressions.reserve(wire::kTaskRunColumns.size());
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns)
    expressions.push_back(text_expression(column));
  pqxx::nontransaction transaction(connection);
  const pqxx::result found = query(transaction,
                                   fmt::format("SELECT {} FROM \"{}\" WHERE id = ANY($1::text[])",
                                               fmt::join(expressions, ", "), wire::kTaskRunTable),
                                   array_literal(ids));
  measure::RowTexts rows;
  for (const auto& row : found) {
    measure::RowText text;
    for (std::size_t i = 0; i < wire::kTaskRunColumns.size(); ++i) {
      const auto field = row[static_cast<pqxx::row::size_type>(i)];
      text.push_back(field.is_null() ? std::nullopt : std::optional<std::string>(field.c_str()));
    }
    rows.emplace(text[wire::task_run_column("id")].value_or(""), std::move(text));
  }
  return rows;
}

}  // namespace walstorm::postgres
