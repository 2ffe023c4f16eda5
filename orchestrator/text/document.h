#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace walstorm::text {

/// A JSON file's text. Each number is the shortest text that reads back as the same double, which dump() does
/// not always find: of 0.0527205 it makes 0.052720499999999997. A string that is not UTF-8 all the same costs
/// its bytes, and not the file.
[[nodiscard]] std::string document_text(const nlohmann::ordered_json& document);

}  // namespace walstorm::text
