#pragma once

namespace walstorm::tests {

/// Whether this build carries a sanitizer, whose own memory is many times the program's: a bound on resident
/// memory says nothing then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace walstorm::tests
