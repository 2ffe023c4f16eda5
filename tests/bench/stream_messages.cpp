#include "tests/bench/stream_messages.h"

#include <bit>
#include <fmt/format.h>

#include "consumer/decode/byte_reader.h"
#include "proto/wire/clock.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::bench {
namespace {

using producer::EncodedRows;

constexpr std::uint32_t kRelation = 16'384;
constexpr std::uint64_t kLsn = 0x1'0000'0000;

template <typename Unsigned>
void put(std::string& out, Unsigned number) {
  char bytes[sizeof number];
  EncodedRows::write_number(number, bytes);
  out.append(bytes, sizeof number);
}

void put_text(std::string& out, std::string_view text) {
  out += text;
  out += '\0';
}

std::uint32_t type_oid(wire::ColumnType type) {
  switch (type) {
    case wire::ColumnType::text:
      return 25;
    case wire::ColumnType::text_array:
      return 1009;
    case wire::ColumnType::integer:
      return 23;
    case wire::ColumnType::bigint:
      return 20;
    case wire::ColumnType::double_precision:
      return 701;
    case wire::ColumnType::boolean:
      return 16;
    case wire::ColumnType::timestamptz:
      return 1184;
  }
  return 0;
}

/// What the type's output function would make of a binary value; a timestamp is always the same one, since
/// only its form costs.
std::string text_form(wire::ColumnType type, std::string_view binary) {
  switch (type) {
    case wire::ColumnType::text:
      return std::string(binary);
    case wire::ColumnType::text_array:
      return "{etl,nightly,customer}";
    case wire::ColumnType::integer:
      return std::to_string(consumer::load_big_endian<std::int32_t>(binary.data()));
    case wire::ColumnType::bigint:
      return std::to_string(consumer::load_big_endian<std::int64_t>(binary.data()));
    case wire::ColumnType::double_precision:
      return fmt::format("{}", std::bit_cast<double>(consumer::load_big_endian<std::int64_t>(binary.data())));
    case wire::ColumnType::boolean:
      return binary.front() != 0 ? "t" : "f";
    case wire::ColumnType::timestamptz:
      return "2024-05-17 12:34:56.789+00";
  }
  return {};
}

void put_tuple(std::string& out, const producer::RowSource& source, producer::RowVersion row, Form form) {
  EncodedRows rows;
  source.encode(row, producer::kAllColumns, rows);
  put(out, static_cast<std::uint16_t>(producer::kColumnCount));
  for (std::size_t i = 0; i < producer::kColumnCount; ++i) {
    const EncodedRows::Field& field = rows.fields()[i];
    if (field.length < 0) {
      out += 'n';
      continue;
    }
    const std::string_view binary(rows.data(field), static_cast<std::size_t>(field.length));
    const std::string value =
        form == Form::binary ? std::string(binary) : text_form(wire::kTaskRunColumns[i].type, binary);
    out += form == Form::binary ? 'b' : 't';
    put(out, static_cast<std::uint32_t>(value.size()));
    out += value;
  }
}

producer::RowVersion row_of(std::uint64_t number, std::uint32_t version) {
  return {producer::RowId::of(0, number), version};
}

}  // namespace

std::string relation_message() {
  std::string message = "R";
  put(message, kRelation);
  put_text(message, "public");
  put_text(message, wire::kTaskRunTable);
  message += 'f';
  put(message, static_cast<std::uint16_t>(producer::kColumnCount));
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
    message += '\1';
    put_text(message, column.name);
    put(message, type_oid(column.type));
    put(message, std::uint32_t{0xFFFF'FFFF});
  }
  return message;
}

std::string begin_message() {
  std::string message = "B";
  put(message, kLsn);
  put(message, std::uint64_t{0});
  put(message, std::uint32_t{700});
  return message;
}

std::string commit_message() {
  std::string message = "C";
  message += '\0';
  put(message, kLsn);
  put(message, kLsn + 8);
  put(message, std::uint64_t{0});
  return message;
}

std::string insert_message(const producer::RowSource& source, std::uint64_t number, Form form) {
  std::string message = "I";
  put(message, kRelation);
  message += 'N';
  put_tuple(message, source, row_of(number, 0), form);
  return message;
}

std::string update_message(const producer::RowSource& source, std::uint64_t number, Form form) {
  std::string message = "U";
  put(message, kRelation);
  message += 'O';
  put_tuple(message, source, row_of(number, 0), form);
  message += 'N';
  put_tuple(message, source, row_of(number, 1), form);
  return message;
}

}  // namespace walstorm::bench
