#include "consumer/stream/replication_handshake.h"

#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::consumer {

ReplicationHandshake::ReplicationHandshake(const proto::ConsumerSetup& setup, StartCommand start_command,
                                           std::optional<Former> former,
                                           const postgres::HostAddresses& addresses)
    : setup_(setup),
      start_command_(std::move(start_command)),
      former_(former),
      connection_(std::make_unique<ReplicationConnection>(setup.postgres(), addresses)) {}

std::optional<ReplicationHandshake::Wants> ReplicationHandshake::advance() {
  while (true) {
    const auto wants = step_ == Step::connecting ? connection_->connect() : connection_->receive();
    if (wants) return wants;
    if (!next_step()) return std::nullopt;
  }
}

/// Starts the step after the one that is done; false when that was the last.
bool ReplicationHandshake::next_step() {
  switch (step_) {
    case Step::connecting:
      look();
      return true;
    case Step::looking:
      read_slot();
      // The text forms that column_value.h reads, whatever the role's or the server's defaults are.
      if (freed_from_former()) send(Step::setting_dates, "SET datestyle TO 'ISO'", "set the date style");
      return true;
    case Step::ending_former:
      throw ConnectionLost(
          fmt::format("replication slot \"{}\" was still held by our former connection, the "
                      "server's process {}: told it to end",
                      setup_.slot_name(), former_->process));
    case Step::setting_dates:
      send(Step::setting_floats, "SET extra_float_digits TO 3", "set the number style");
      return true;
    case Step::setting_floats:
      send(Step::starting, start_command_(*connection_),
           fmt::format("start replication from slot \"{}\"", setup_.slot_name()));
      return true;
    case Step::starting:
      break;
  }
  return false;
}

void ReplicationHandshake::send(Step step, const std::string& sql, const std::string& doing) {
  step_ = step;
  connection_->send(sql, doing);
}

void ReplicationHandshake::look() {
  // to_jsonb: a column that this server's version does not have is NULL.
  send(Step::looking,
       "SELECT s.plugin, s.wal_status, to_jsonb(s)->>'invalidation_reason', "
       "coalesce((to_jsonb(s)->>'conflicting')::boolean, false), s.confirmed_flush_lsn, s.active_pid, "
       "a.usename, a.application_name, host(a.client_addr) "
       "FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid "
       "WHERE s.slot_name = " +
           ReplicationConnection::quoted_literal(setup_.slot_name()),
       fmt::format("look at replication slot \"{}\"", setup_.slot_name()));
}

void ReplicationHandshake::read_slot() {
  const std::string& name = setup_.slot_name();
  if (!connection_->has_row()) throw slot_missing(name, former_.has_value());
  const auto text = [this](int column) { return std::string(connection_->field(column)); };
  slot_ = {.plugin = text(0),
           .wal_status = text(1),
           .invalidation_reason = text(2),
           .conflicting = connection_->field(3) == "t",
           .confirmed = {},
           .holder = std::nullopt};
  if (const std::string_view process = connection_->field(5); !process.empty()) {
    SlotState::Holder& holder = slot_.holder.emplace(SlotState::Holder{0, text(6), text(7), text(8)});
    std::from_chars(process.data(), process.data() + process.size(), holder.process);
  }
  if (const auto why = why_unusable(name, slot_)) throw *why;
  slot_.confirmed = wire::parse_lsn(connection_->field(4));
}

/// Whether nobody holds the slot. False: its former holder, ourselves, is being ended. Throws when another
/// client holds it.
bool ReplicationHandshake::freed_from_former() {
  if (!slot_.holder) return true;
  if (!former_ || slot_.holder->process != former_->process || !former_->end_it) {
    throw ConnectionLost(in_use(setup_.slot_name(), *slot_.holder));
  }
  send(Step::ending_former,
       fmt::format("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = {} "
                   "AND active_pid = {}",
                   ReplicationConnection::quoted_literal(setup_.slot_name()), former_->process),
       "end the server's process of our former connection");
  return false;
}

}  // namespace walstorm::consumer
