#include "producer/postgres/column_arrays.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "producer/postgres/statements.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::producer {
namespace {

constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);
// array_send: number of dimensions, null flag, element type, size and lower bound of the one dimension.
constexpr std::size_t kHeadBytes = 5 * sizeof(std::uint32_t);

std::uint32_t read_number(const char* at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = (value << 8) | static_cast<unsigned char>(at[i]);
  return value;
}

}  // namespace

void ColumnArrays::begin_array(unsigned element_oid, std::size_t rows, bool has_null, std::size_t room) {
  if (bytes_.size() < used_ + kHeadBytes + room) {
    bytes_.resize(std::max(used_ + kHeadBytes + room, bytes_.size() + bytes_.size() / 2));
  }
  char* out = bytes_.data() + used_;
  for (const std::uint32_t number :
       {1U, has_null ? 1U : 0U, element_oid, static_cast<std::uint32_t>(rows), 1U}) {
    out = EncodedRows::write_number(number, out);
  }
  used_ += kHeadBytes;
}

void ColumnArrays::fill(const EncodedRows& rows, Columns columns) {
  used_ = 0;
  ends_.clear();
  const auto& fields = rows.fields();
  const std::size_t count = fields.size() / columns.size();
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const wire::ColumnType type = wire::kTaskRunColumns[columns[column]].type;
    const bool as_literals = type == wire::ColumnType::text_array;
    std::size_t room = 0;
    bool has_null = false;
    for (std::size_t at = column; at < fields.size(); at += columns.size()) {
      has_null = has_null || fields[at].length < 0;
      const auto length = static_cast<std::size_t>(std::max(fields[at].length, 0));
      room += kLengthBytes + (as_literals ? 2 * length : length);
    }
    begin_array(element_oid(type), count, has_null, room);
    char* out = bytes_.data() + used_;
    for (std::size_t at = column; at < fields.size(); at += columns.size()) {
      const EncodedRows::Field& field = fields[at];
      const auto length = static_cast<std::size_t>(std::max(field.length, 0));
      if (as_literals && field.length >= 0) {
        char* const end = write_array_literal({rows.data(field), length}, out + kLengthBytes);
        EncodedRows::write_number(static_cast<std::uint32_t>(end - out - kLengthBytes), out);
        out = end;
      } else {
        // A row's field is laid out as an element of an array is: its length, then its bytes.
        std::memcpy(out, rows.data(field) - kLengthBytes, kLengthBytes + length);
        out += kLengthBytes + length;
      }
    }
    used_ = static_cast<std::size_t>(out - bytes_.data());
    ends_.push_back(used_);
  }
}

std::string_view ColumnArrays::array(std::size_t at) const {
  const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
  return {bytes_.data() + begin, ends_[at] - begin};
}

char* write_array_literal(std::string_view binary, char* out) {
  *out++ = '{';
  const std::uint32_t dimensions = read_number(binary.data());
  const std::uint32_t elements = dimensions == 0 ? 0 : read_number(binary.data() + 3 * kLengthBytes);
  const char* at = binary.data() + kHeadBytes;
  for (std::uint32_t i = 0; i < elements; ++i) {
    const std::string_view element(at + kLengthBytes, read_number(at));
    if (i > 0) *out++ = ',';
    *out++ = '"';
    for (const char c : element) {
      if (c == '"' || c == '\\') *out++ = '\\';
      *out++ = c;
    }
    *out++ = '"';
    at += kLengthBytes + element.size();
  }
  *out++ = '}';
  return out;
}

}  // namespace walstorm::producer
