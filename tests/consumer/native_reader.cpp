#include "native_reader.h"

#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>

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
  if (type == "Int64" || type == "DateTime64(3)") return fmt::format("{}", in.number<std::int64_t>());
  if (type == "UInt64") return fmt::format("{}", in.number<std::uint64_t>());
  if (type == "UInt8") return fmt::format("{}", in.number<std::uint8_t>());
  if (type == "Float64") return fmt::format("{}", in.number<double>());
  throw std::runtime_error("unknown type " + type);
}

std::vector<std::string> read_values(Reader& in, const std::string& type, std::uint64_t rows) {
  std::vector<std::string> values;
  if (type == "Array(String)") {
    std::vector<std::uint64_t> ends;
    for (std::uint64_t i = 0; i < rows; ++i) ends.push_back(in.number<std::uint64_t>());
    std::uint64_t at = 0;
    for (const std::uint64_t end : ends) {
      std::string text;
      for (; at < end; ++at) text += fmt::format("{}'{}'", text.empty() ? "" : ",", in.string());
      values.push_back("[" + text + "]");
    }
    return values;
  }
  const std::string nullable = "Nullable(";
  const bool may_be_null = type.starts_with(nullable);
  const std::string inner =
      may_be_null ? type.substr(nullable.size(), type.size() - nullable.size() - 1) : type;
  const std::string nulls = may_be_null ? std::string(in.bytes(rows)) : std::string(rows, '\0');
  for (const char null : nulls) {
    const std::string value = read_value(in, inner);
    values.push_back(null == '\0' ? value : "NULL");
  }
  return values;
}

}  // namespace

std::map<std::string, NativeColumn> read_native(std::string_view block) {
  Reader in(block);
  const std::uint64_t columns = in.varint();
  const std::uint64_t rows = in.varint();
  std::map<std::string, NativeColumn> read;
  for (std::uint64_t i = 0; i < columns; ++i) {
    const std::string name = in.string();
    const std::string type = in.string();
    read[name] = {type, read_values(in, type, rows)};
  }
  if (!in.at_end()) throw std::runtime_error("bytes behind the block");
  return read;
}

}  // namespace walstorm::consumer::test
