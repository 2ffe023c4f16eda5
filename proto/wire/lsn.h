#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace walstorm::wire {

/// A position in PostgreSQL's WAL: a byte offset, so differences are bytes. Zero is PostgreSQL's
/// InvalidXLogRecPtr and means "none yet".
struct Lsn {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(Lsn,
                                    Lsn) = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 errs here

  [[nodiscard]] constexpr bool is_set() const { return value != 0; }

  /// Bytes from `earlier` up to this position; 0 when this one is behind it.
  [[nodiscard]] constexpr std::uint64_t bytes_after(Lsn earlier) const {
    return value > earlier.value ? value - earlier.value : 0;
  }
};

/// PostgreSQL's text form, "16/B374D848" (pg_lsn_out: two upper-case hexadecimal halves).
[[nodiscard]] std::string to_string(Lsn lsn);

/// Reads that form. Throws Error{protocol} when `text` is not one.
[[nodiscard]] Lsn parse_lsn(std::string_view text);

}  // namespace walstorm::wire
