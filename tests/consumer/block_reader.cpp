#include "block_reader.h"

#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

namespace walstorm::consumer::test {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view bytes(std::size_t count) {
    if (rest_.size() < count) throw std::runtime_error("the block ends too early");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = number<std::uint8_t>();
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
  }
  std::string string() { return std::string(bytes(varint())); }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::string read_value(Reader& in, const std::string& type) {
  if (type == "String") return in.string();
  if (type == "Int32") return fmt::format("{}", in.number<std::int32_t>());
  if (type == "Int64" || type == "DateTime64(3, 'UTC')") return fmt::format("{}", in.number<std::int64_t>());
  if (type == "UInt64") return fmt::format("{}", in.number<std::uint64_t>());
  if (type == "UInt8") return fmt::format("{}", in.number<std::uint8_t>());
  if (type == "Float64") return fmt::format("{}", in.number<double>());
  throw std::runtime_error("unknown type " + type);
}

constexpr std::string_view kNullable = "Nullable(";

bool is_nullable(const std::string& type) {
  return type.starts_with(kNullable);
}

/// Of Nullable(T) it is T.
std::string inner_type(const std::string& type) {
  return is_nullable(type) ? type.substr(kNullable.size(), type.size() - kNullable.size() - 1) : type;
}

std::string array_text(const std::vector<std::string>& elements) {
  std::string text;
  for (const std::string& element : elements) text += fmt::format("{}'{}'", text.empty() ? "" : ",", element);
  return "[" + text + "]";
}

std::vector<std::string> read_values(Reader& in, const std::string& type, std::uint64_t rows) {
  std::vector<std::string> values;
  if (type == "Array(String)") {
    std::vector<std::uint64_t> ends;
    for (std::uint64_t i = 0; i < rows; ++i) ends.push_back(in.number<std::uint64_t>());
    std::uint64_t at = 0;
    for (const std::uint64_t end : ends) {
      std::vector<std::string> elements;
      for (; at < end; ++at) elements.push_back(in.string());
      values.push_back(array_text(elements));
    }
    return values;
  }
  const std::string nulls = is_nullable(type) ? std::string(in.bytes(rows)) : std::string(rows, '\0');
  for (const char null : nulls) {
    const std::string value = read_value(in, inner_type(type));
    values.push_back(null == '\0' ? value : "NULL");
  }
  return values;
}

/// Of a row format.
std::string read_field(Reader& in, const std::string& type) {
  if (type == "Array(String)") {
    std::vector<std::string> elements(in.varint());
    for (std::string& element : elements) element = in.string();
    return array_text(elements);
  }
  if (is_nullable(type) && in.number<std::uint8_t>() != 0) return "NULL";
  return read_value(in, inner_type(type));
}

double denormal_of(const std::string& text) {
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  throw std::runtime_error("not a number: " + text);
}

/// Throws for a value that is not of JSON's type for it.
std::string json_value(const nlohmann::json& value, const std::string& type) {
  if (type == "Array(String)") return array_text(value.get<std::vector<std::string>>());
  if (is_nullable(type) && value.is_null()) return "NULL";
  const std::string inner = inner_type(type);
  if (inner == "String") return value.get<std::string>();
  if (inner == "Float64") {
    if (value.is_string()) return fmt::format("{}", denormal_of(value.get<std::string>()));
    if (!value.is_number()) throw std::runtime_error("no number: " + value.dump());
    return fmt::format("{}", value.get<double>());
  }
  if (!value.is_number_integer()) throw std::runtime_error("no integer: " + value.dump());
  return value.dump();
}

using Column = std::pair<std::string, std::string>;  // name, type

std::vector<Column> columns_of(const BlockLayout& layout) {
  std::vector<Column> columns;
  for (const BlockColumn& column : layout.columns) {
    columns.emplace_back(column.name, clickhouse_type(column, false));
  }
  columns.emplace_back("_version", "UInt64");
  columns.emplace_back("_is_deleted", "UInt8");
  columns.emplace_back("_run_id", "UInt64");
  return columns;
}

LandedBlock read_row_binary(const std::vector<Column>& columns, std::string_view block) {
  LandedBlock read;
  for (Reader in(block); !in.at_end();) {
    for (const auto& [name, type] : columns) read[name].values.push_back(read_field(in, type));
  }
  return read;
}

LandedBlock read_json_compact(const std::vector<Column>& columns, std::string_view block) {
  LandedBlock read;
  while (!block.empty()) {
    const std::size_t end = block.find('\n');
    if (end == std::string_view::npos) throw std::runtime_error("the last line has no end");
    const nlohmann::json row = nlohmann::json::parse(block.substr(0, end));
    if (row.size() != columns.size()) throw std::runtime_error("a row of another width: " + row.dump());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      read[columns[i].first].values.push_back(json_value(row[i], columns[i].second));
    }
    block.remove_prefix(end + 1);
  }
  return read;
}

}  // namespace

LandedBlock read_native(std::string_view block) {
  Reader in(block);
  const std::uint64_t columns = in.varint();
  const std::uint64_t rows = in.varint();
  LandedBlock read;
  for (std::uint64_t i = 0; i < columns; ++i) {
    const std::string name = in.string();
    const std::string type = in.string();
    read[name] = {type, read_values(in, type, rows)};
  }
  if (!in.at_end()) throw std::runtime_error("bytes behind the block");
  return read;
}

LandedBlock read_block(proto::InsertFormat format, const BlockLayout& layout, std::string_view block) {
  if (format == proto::INSERT_FORMAT_NATIVE) return read_native(block);
  const std::vector<Column> columns = columns_of(layout);
  LandedBlock read = format == proto::INSERT_FORMAT_ROW_BINARY ? read_row_binary(columns, block)
                                                               : read_json_compact(columns, block);
  for (const auto& [name, type] : columns) read[name].type = type;
  return read;
}

}  // namespace walstorm::consumer::test
