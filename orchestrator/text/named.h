#pragma once

#include <fmt/format.h>
#include <string>

#include "proto/wire/error.h"

namespace walstorm::text {

/// The value of T whose text, by the to_string beside T, is `text`; `last` is T's last value. Throws
/// Error{data} when none is.
template <typename T>
[[nodiscard]] T named(const std::string& text, T last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (to_string(static_cast<T>(i)) == text) return static_cast<T>(i);
  }
  throw wire::Error(wire::ErrorKind::data, fmt::format("\"{}\" is none of the words that stand there", text));
}

}  // namespace walstorm::text
