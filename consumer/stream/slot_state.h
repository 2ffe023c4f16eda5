#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/wire/error.h"
#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// What the server says of a replication slot. Texts are empty where it says nothing.
struct SlotState {
  std::string plugin;
  std::string wal_status;           ///< reserved, extended, unreserved, lost
  std::string invalidation_reason;  ///< PostgreSQL 17 and later
  bool conflicting = false;         ///< PostgreSQL 16 and later
  wire::Lsn confirmed;
  struct Holder {
    std::int64_t process = 0;
    std::string user, application, address;  ///< empty where we may not see them
  };
  std::optional<Holder> holder;  ///< whoever streams from it now
};

/// Why nothing will ever be read from this slot again, and what to do; nullopt for one that can be read.
/// Nothing of it passes by waiting.
[[nodiscard]] std::optional<wire::Error> why_unusable(const std::string& slot, const SlotState& state);

/// The slot does not exist: not yet (`was_read` false), or not any more.
[[nodiscard]] wire::Error slot_missing(const std::string& slot, bool was_read);

/// Who holds the slot, and how to free it.
[[nodiscard]] std::string in_use(const std::string& slot, const SlotState::Holder& holder);

/// Whether what a server answered with this SQLSTATE may have passed when it is asked again: lost
/// connections (no SQLSTATE at all), shutdown, start-up, lack of resources, an object in use. Not: refused
/// authentication, a database or slot that is gone, WAL that is gone, a broken protocol.
[[nodiscard]] bool may_pass(std::string_view sqlstate);

/// What to do about a stream refused or ended with this SQLSTATE: ": ..." to append, or nothing.
[[nodiscard]] std::string_view advice_for(std::string_view sqlstate);

}  // namespace walstorm::consumer
