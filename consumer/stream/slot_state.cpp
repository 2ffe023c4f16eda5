#include "consumer/stream/slot_state.h"

#include <fmt/format.h>

#include "proto/postgres/sqlstate.h"

namespace walstorm::consumer {
namespace {

using wire::Error;
using wire::ErrorKind;

std::string_view cure_for(std::string_view invalidation_reason) {
  if (invalidation_reason == "idle_timeout") {
    return "raise idle_replication_slot_timeout, or set it to 0, which turns it off";
  }
  if (invalidation_reason == "wal_level_insufficient") return "keep wal_level at logical on the primary";
  if (invalidation_reason == "rows_removed") return "set hot_standby_feedback to on at the standby";
  return "raise max_slot_wal_keep_size, or set it to -1, which removes the limit";
}

}  // namespace

std::optional<Error> why_unusable(const std::string& slot, const SlotState& state) {
  if (state.plugin != "pgoutput") {
    return Error(ErrorKind::config,
                 fmt::format("replication slot \"{}\" is of plugin \"{}\", not of pgoutput: name another in "
                             "consumer.slotName",
                             slot, state.plugin));
  }
  if (!state.invalidation_reason.empty()) {
    return Error(
        ErrorKind::unavailable,
        fmt::format("PostgreSQL has invalidated replication slot \"{}\" ({}), so changes are lost: {}; "
                    "then start a new run",
                    slot, state.invalidation_reason, cure_for(state.invalidation_reason)));
  }
  if (state.wal_status == "lost") {
    return Error(
        ErrorKind::unavailable,
        fmt::format("PostgreSQL has removed WAL that replication slot \"{}\" needs (its wal_status is "
                    "lost), so changes are lost: {}; then start a new run",
                    slot, cure_for("wal_removed")));
  }
  if (state.conflicting) {
    return Error(ErrorKind::unavailable,
                 fmt::format("PostgreSQL has invalidated replication slot \"{}\", which conflicted with "
                             "recovery: {}; then start a new run",
                             slot, cure_for("rows_removed")));
  }
  return std::nullopt;
}

Error slot_missing(const std::string& slot, bool was_read) {
  if (was_read) {
    return Error(
        ErrorKind::unavailable,
        fmt::format("replication slot \"{}\" is gone: someone dropped it while the run read from it, "
                    "and with it the changes that were still to be sent",
                    slot));
  }
  return Error(ErrorKind::unavailable, fmt::format("replication slot \"{0}\" does not exist: SELECT "
                                                   "pg_create_logical_replication_slot('{0}', 'pgoutput')",
                                                   slot));
}

std::string in_use(const std::string& slot, const SlotState::Holder& holder) {
  const auto shown = [](const char* what, const std::string& text) {
    return text.empty() ? std::string() : fmt::format(", {} {}", what, text);
  };
  return fmt::format(
      "replication slot \"{}\" is in use by the server's process {}{}{}{}: stop that client, or "
      "SELECT pg_terminate_backend({})",
      slot, holder.process, shown("user", holder.user), shown("application", holder.application),
      shown("from", holder.address), holder.process);
}

bool may_pass(std::string_view sqlstate) {
  return postgres::refusal_of(sqlstate) != postgres::Refusal::final;
}

std::string_view advice_for(std::string_view sqlstate) {
  // "requested WAL segment ... has already been removed"; "can no longer get changes from replication slot".
  if (sqlstate == "58P01" || sqlstate == "55000") {
    return ": the slot cannot be read any more; raise max_slot_wal_keep_size, or set it to -1 (from "
           "PostgreSQL "
           "18 on look at idle_replication_slot_timeout too), and start a new run";
  }
  if (sqlstate.starts_with("28")) return ": the server no longer lets this user in; look at pg_hba.conf";
  return "";
}

}  // namespace walstorm::consumer
