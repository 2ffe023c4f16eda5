#include "producer/postgres/column_arrays.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "producer/postgres/statements.h"

namespace walstorm::producer {
namespace {

std::uint32_t take_number(std::string_view& bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i)
    value = (value << 8) | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  bytes.remove_prefix(4);
  return value;
}

/// The elements of a one-dimensional array in binary form; nullopt for null.
std::vector<std::optional<std::string>> elements_of(std::string_view array, unsigned element_oid) {
  EXPECT_EQ(take_number(array), 1U) << "dimensions";
  const bool may_have_null = take_number(array) == 1;
  EXPECT_EQ(take_number(array), element_oid);
  const std::uint32_t count = take_number(array);
  EXPECT_EQ(take_number(array), 1U) << "lower bound";
  std::vector<std::optional<std::string>> elements;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t length = take_number(array);
    if (length == 0xFFFF'FFFF) {
      EXPECT_TRUE(may_have_null);
      elements.emplace_back(std::nullopt);
      continue;
    }
    elements.emplace_back(std::string(array.substr(0, length)));
    array.remove_prefix(length);
  }
  EXPECT_TRUE(array.empty());
  return elements;
}

TEST(ColumnArrays, HoldEveryValueOfEveryRow) {
  const RowSource source(7, 512, 0.5);
  ColumnArrays arrays;
  for (const std::uint32_t rows : {3U, 100U, 1U}) {
    EncodedRows encoded;
    for (std::uint32_t i = 0; i < rows; ++i) source.encode({RowId::of(1, i), i % 6}, kAllColumns, encoded);
    arrays.fill(encoded, kAllColumns);
    for (std::size_t column = 0; column < kColumnCount; ++column) {
      const wire::ColumnType type = wire::kTaskRunColumns[column].type;
      const auto elements = elements_of(arrays.array(column), element_oid(type));
      ASSERT_EQ(elements.size(), rows);
      if (type == wire::ColumnType::text_array) continue;
      for (std::size_t row = 0; row < rows; ++row) {
        const EncodedRows::Field& field = encoded.fields()[row * kColumnCount + column];
        ASSERT_EQ(elements[row].has_value(), field.length >= 0);
        if (!elements[row]) continue;
        EXPECT_EQ(*elements[row],
                  std::string_view(encoded.data(field), static_cast<std::size_t>(field.length)));
      }
    }
  }
}

std::string literal_of(const std::vector<std::string>& texts) {
  std::string binary(20, '\0');
  char* head = binary.data();
  for (const std::uint32_t number :
       {texts.empty() ? 0U : 1U, 0U, 25U, static_cast<std::uint32_t>(texts.size()), 1U}) {
    head = EncodedRows::write_number(number, head);
  }
  if (texts.empty()) binary.resize(12);
  for (const std::string& text : texts) {
    std::string length(4, '\0');
    EncodedRows::write_number(static_cast<std::uint32_t>(text.size()), length.data());
    binary += length + text;
  }
  std::string literal(2 * binary.size(), '\0');
  literal.resize(static_cast<std::size_t>(write_array_literal(binary, literal.data()) - literal.data()));
  return literal;
}

TEST(ColumnArrays, QuoteWhatAnArrayLiteralWouldRead) {
  EXPECT_EQ(literal_of({}), "{}");
  EXPECT_EQ(literal_of({"beta"}), R"({"beta"})");
  EXPECT_EQ(literal_of({"a, b {c}", "quote\"back\\slash", "NULL", ""}),
            R"({"a, b {c}","quote\"back\\slash","NULL",""})");
  // Nothing but what must be escaped: the longest literal for its bytes.
  EXPECT_EQ(literal_of({std::string(50, '"')}).size(), 2 + 2 + 100U);
}

}  // namespace
}  // namespace walstorm::producer
