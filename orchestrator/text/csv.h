#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walstorm::text {

/// RFC 4180: a field with a comma, a quote or a newline is quoted, quotes in it doubled.
[[nodiscard]] std::string csv_field(std::string_view text);

/// A line of such fields.
[[nodiscard]] std::string csv_row(const std::vector<std::string>& fields);

/// The fields of such a line, its line break aside. A field with a line break in it is not understood.
[[nodiscard]] std::vector<std::string> csv_fields(std::string_view line);

}  // namespace walstorm::text
