#include "consumer/encode/native_encoder.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "consumer/batch/block_layout.h"

namespace walstorm::consumer {
namespace {

void append_varint(std::string& out, std::uint64_t number) {
  std::array<char, kVarintBytesMax> bytes;
  out.append(bytes.data(), write_varint(number, bytes.data()));
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

void NativeEncoder::clear() {
  bytes_ = 0;
  for (Column& column : columns_) {
    column.prefix.clear();
    column.data.clear();
    column.elements = 0;
  }
}

void NativeEncoder::set_layout(const BlockLayout& layout) {
  const std::size_t count = layout.columns.size();
  columns_.resize(count + 2);
  for (std::size_t i = 0; i < count; ++i) {
    const BlockColumn& column = layout.columns[i];
    columns_[i].header = column.kind == ColumnKind::left_out
                             ? std::string()
                             : column_header(column.name, clickhouse_type(column, times_as_int64_));
  }
  columns_[count].header = column_header(kVersionColumn, "UInt64");
  columns_[count + 1].header = column_header(kDeletedColumn, "UInt8");
}

void NativeEncoder::serialize(std::uint64_t rows, std::string& out) const {
  const auto landed = std::count_if(columns_.begin(), columns_.end(),
                                    [](const Column& column) { return !column.header.empty(); });
  append_varint(out, static_cast<std::uint64_t>(landed) + 1);
  append_varint(out, rows);
  for (const Column& column : columns_) {
    out += column.header;
    out += column.prefix.view();
    out += column.data.view();
  }
  out += column_header(kRunColumn, "UInt64");
  const std::size_t begin = out.size();
  out.resize(begin + rows * sizeof run_number_);
  for (std::size_t at = begin; at < out.size(); at += sizeof run_number_) {
    std::memcpy(&out[at], &run_number_, sizeof run_number_);
  }
}

std::uint64_t NativeEncoder::capacity_bytes() const {
  std::uint64_t bytes = 0;
  for (const Column& column : columns_) bytes += column.prefix.capacity() + column.data.capacity();
  return bytes;
}

}  // namespace walstorm::consumer
