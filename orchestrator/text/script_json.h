#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace walstorm::text {

/// JSON that may stand in a <script> of a page: nothing in it ends that, and what is no UTF-8 is replaced.
[[nodiscard]] std::string script_json(const nlohmann::ordered_json& json);

}  // namespace walstorm::text
