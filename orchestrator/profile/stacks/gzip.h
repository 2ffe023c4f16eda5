#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace walstorm::profile {

[[nodiscard]] std::string gzip(std::string_view bytes);
[[nodiscard]] bool is_gzip(std::string_view bytes);
/// Throws Error{data} for what is damaged, or more than `bytes_max` when unpacked.
[[nodiscard]] std::string gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace walstorm::profile
