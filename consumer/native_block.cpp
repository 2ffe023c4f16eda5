#include "consumer/native_block.h"

#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>

#include "consumer/column_value.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

/// LEB128, as ClickHouse's writeVarUInt. Returns how many bytes of `out` it took.
std::size_t write_varint(std::uint64_t number, std::array<char, 10>& out) {
  std::size_t size = 0;
  for (; number >= 0x80; number >>= 7U) out[size++] = static_cast<char>(number | 0x80U);
  out[size++] = static_cast<char>(number);
  return size;
}

void append_varint(std::string& out, std::uint64_t number) {
  std::array<char, 10> bytes;
  out.append(bytes.data(), write_varint(number, bytes));
}

std::string column_header(std::string_view name, std::string_view type) {
  std::string header;
  append_varint(header, name.size());
  header += name;
  append_varint(header, type.size());
  header += type;
  return header;
}

}  // namespace

template <typename T>
void NativeBlock::append_number(ByteBuffer& out, T number) {
  static_assert(std::endian::native == std::endian::little, "Native is little-endian");
  out.append_number(number);
  bytes_ += sizeof(T);
}

template <typename T>
void NativeBlock::append_parsed(std::size_t index, std::optional<T> number) {
  if (!number) {
    refuse(index, fmt::format("holds what type {} cannot be read from", layout_->columns[index].type_oid));
  }
  append_number(columns_[index].data, *number);
}

inline void NativeBlock::append_string(ByteBuffer& out, std::string_view text) {
  std::size_t length_size = 1;
  if (text.size() < 0x80) [[likely]] {
    *out.extend(1) = static_cast<char>(text.size());
  } else {
    std::array<char, 10> length;
    length_size = write_varint(text.size(), length);
    std::memcpy(out.extend(length_size), length.data(), length_size);
  }
  if (!text.empty()) std::memcpy(out.extend(text.size()), text.data(), text.size());
  bytes_ += length_size + text.size();
}

void NativeBlock::append_strings(Column& column) {
  // ClickHouse has no NULL inside Array(String): it lands as an empty string.
  for (const auto& element : elements_) append_string(column.data, element.value_or(std::string_view()));
  column.elements += elements_.size();
  append_number(column.prefix, column.elements);
}

void NativeBlock::refuse(std::size_t index, const std::string& why) const {
  throw wire::Error(wire::ErrorKind::data,
                    fmt::format("land the change at {} of {}: column {} {}", wire::to_string(row_version_),
                                layout_->table, layout_->columns[index].name, why));
}

void NativeBlock::reset(const std::shared_ptr<const BlockLayout>& layout) {
  rows_ = 0;
  bytes_ = 0;
  for (Column& column : columns_) {
    column.prefix.clear();
    column.data.clear();
    column.elements = 0;
  }
  if (layout == layout_) return;
  layout_ = layout;
  columns_.resize(layout->columns.size() + 2);
  for (std::size_t i = 0; i < layout->columns.size(); ++i) {
    columns_[i].header = column_header(layout->columns[i].name, clickhouse_type(layout->columns[i]));
  }
  columns_[columns_.size() - 2].header = column_header("_version", "UInt64");
  columns_[columns_.size() - 1].header = column_header("_is_deleted", "UInt8");
}

void NativeBlock::append(const Row& row) {
  row_version_ = row.version;
  const std::size_t count = layout_->columns.size();
  if (row.values.size() != count || (!row.before.empty() && row.before.size() != count)) {
    throw wire::Error(wire::ErrorKind::protocol,
                      fmt::format("pgoutput: a row of {} at {} has {} columns where the table has {}",
                                  layout_->table, wire::to_string(row.version), row.values.size(), count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Value* value = &row.values[i];
    if (value->kind == ValueKind::unchanged_toast) value = row.before.empty() ? value : &row.before[i];
    if (value->kind == ValueKind::text || value->kind == ValueKind::binary) [[likely]] {
      append_value(i, *value);
    } else if (value->kind == ValueKind::null) {
      append_absent(i, row.key_only);
    } else {
      refuse(i, "is unchanged TOAST and its old value was not sent: ALTER TABLE ... REPLICA IDENTITY FULL");
    }
  }
  append_number(columns_[count].data, row.version.value);
  append_number(columns_[count + 1].data, static_cast<std::uint8_t>(row.deleted));
  ++rows_;
}

void NativeBlock::append_value(std::size_t index, const Value& value) {
  const BlockColumn& shape = layout_->columns[index];
  Column& column = columns_[index];
  if (shape.nullable) append_number(column.prefix, std::uint8_t{0});
  switch (shape.kind) {
    case ColumnKind::string:
      return append_string(column.data, value.bytes);
    case ColumnKind::jsonb:
      if (value.kind == ValueKind::text) return append_string(column.data, value.bytes);
      if (!value.bytes.starts_with('\1')) refuse(index, "is jsonb of an unknown version");
      return append_string(column.data, value.bytes.substr(1));
    case ColumnKind::other:
      if (value.kind == ValueKind::text) return append_string(column.data, value.bytes);
      refuse(index,
             fmt::format("came in the binary form of type {}, which is unknown here: set consumer.binary "
                         "to false",
                         shape.type_oid));
    case ColumnKind::int32:
      return append_parsed(index, read_integer<std::int32_t>(value));
    case ColumnKind::int64:
    case ColumnKind::hash:
      return append_parsed(index, read_integer<std::int64_t>(value));
    case ColumnKind::float64:
      return append_parsed(index, read_double(value));
    case ColumnKind::boolean:
      return append_parsed(index, read_bool(value));
    case ColumnKind::datetime:
      return append_parsed(index, read_timestamp_ms(value));
    case ColumnKind::strings:
      if (!read_text_array(value, elements_, unescaped_)) refuse(index, "is not an array of one dimension");
      return append_strings(column);
  }
}

void NativeBlock::append_absent(std::size_t index, bool key_only) {
  const BlockColumn& shape = layout_->columns[index];
  Column& column = columns_[index];
  if (shape.nullable) {
    append_number(column.prefix, std::uint8_t{1});
  } else if (!key_only && shape.kind != ColumnKind::strings) {
    refuse(index, "is NULL, which the table in ClickHouse does not allow");
  }
  // Also under a NULL there stands a value in the data.
  switch (shape.kind) {
    case ColumnKind::string:
    case ColumnKind::jsonb:
    case ColumnKind::other:
      return append_string(column.data, {});
    case ColumnKind::int32:
      return append_number(column.data, std::int32_t{0});
    case ColumnKind::boolean:
      return append_number(column.data, std::uint8_t{0});
    case ColumnKind::int64:
    case ColumnKind::hash:
    case ColumnKind::float64:
    case ColumnKind::datetime:
      return append_number(column.data, std::int64_t{0});  // the same eight bytes as 0.0
    case ColumnKind::strings:
      elements_.clear();
      return append_strings(column);
  }
}

void NativeBlock::serialize(std::string& out) const {
  append_varint(out, columns_.size());
  append_varint(out, rows_);
  for (const Column& column : columns_) {
    out += column.header;
    out += column.prefix.view();
    out += column.data.view();
  }
}

std::uint64_t NativeBlock::capacity_bytes() const {
  std::uint64_t bytes = 0;
  for (const Column& column : columns_) bytes += column.prefix.capacity() + column.data.capacity();
  return bytes;
}

}  // namespace walstorm::consumer
