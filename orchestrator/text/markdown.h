#pragma once

#include <string>
#include <vector>

namespace walstorm::text {

/// A Markdown table and an empty line: the first column to the left, the others to the right. Every row has
/// as many cells as the header; what would end a cell is escaped.
[[nodiscard]] std::string markdown_table(const std::vector<std::string>& header,
                                         const std::vector<std::vector<std::string>>& rows);

}  // namespace walstorm::text
