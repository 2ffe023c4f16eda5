#pragma once

#include <cstring>
#include <string_view>

namespace walstorm::producer {

/// Copies `text` to `out`, which has room for it. Returns where the next text goes.
inline char* append(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace walstorm::producer
