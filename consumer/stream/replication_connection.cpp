#include "consumer/stream/replication_connection.h"

#include <cstdlib>
#include <fmt/format.h>
#include <utility>

#include <libpq-fe.h>

#include "consumer/stream/slot_state.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

using wire::Error;
using wire::ErrorKind;

[[noreturn]] void refuse(const std::string& doing, const std::string& said, std::string_view sqlstate) {
  if (may_pass(sqlstate)) throw ConnectionLost(fmt::format("{}: {}", doing, said));
  throw Error(ErrorKind::unavailable, fmt::format("{}: {}{}", doing, said, advice_for(sqlstate)));
}

}  // namespace

void ReplicationConnection::Free::operator()(char* memory) const {
  PQfreemem(memory);
}

ReplicationConnection::ReplicationConnection(const std::string& conninfo,
                                             const postgres::HostAddresses& addresses)
    : connection_(conninfo, {{"replication", "database"}}, addresses) {}

ReplicationConnection::~ReplicationConnection() = default;

int ReplicationConnection::connect_timeout_sec(int otherwise) const {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfo(connection_.libpq()), PQconninfoFree);
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr || std::string_view(option->keyword) != "connect_timeout") continue;
    const int seconds = std::atoi(option->val);
    return seconds > 0 ? seconds : otherwise;
  }
  return otherwise;
}

std::optional<postgres::Wants> ReplicationConnection::connect() {
  try {
    if (const auto wants = connection_.connect()) return wants;
  } catch (const postgres::Refused& refused) {
    // Without a password the server was not even asked.
    const bool no_password = PQconnectionNeedsPassword(connection_.libpq()) != 0;
    refuse("connect to PostgreSQL for replication", refused.what(),
           no_password ? "28P01" : refused.sqlstate());
  }
  server_process_ = PQbackendPID(connection_.libpq());  // libpq forgets it when it loses the connection
  return std::nullopt;
}

void ReplicationConnection::lost(const std::string& doing) const {
  throw ConnectionLost(fmt::format("{}: {}", doing, connection_.failure()));
}

void ReplicationConnection::send(const std::string& sql, std::string doing) {
  doing_ = std::move(doing);
  try {
    connection_.send(sql);
  } catch (const postgres::Refused& refused) {
    refuse(doing_, refused.what(), refused.sqlstate());
  }
}

std::optional<postgres::Wants> ReplicationConnection::receive() {
  try {
    return connection_.receive();
  } catch (const postgres::Refused& refused) {
    refuse(doing_, refused.what(), refused.sqlstate());
  }
}

std::string ReplicationConnection::quoted(const std::string& text,
                                          char* (*escape)(pg_conn*, const char*, std::size_t)) const {
  const std::unique_ptr<char, Free> escaped(escape(connection_.libpq(), text.c_str(), text.size()));
  if (!escaped) throw Error(ErrorKind::config, fmt::format("the name {} is not valid text", text));
  return escaped.get();
}

std::string ReplicationConnection::quoted_literal(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'') literal += c;
    literal += c;
  }
  return literal + "'";
}

std::string ReplicationConnection::quoted_identifier(const std::string& text) const {
  return quoted(text, PQescapeIdentifier);
}

void ReplicationConnection::consume() {
  if (PQconsumeInput(connection_.libpq()) == 0) lost("read from the replication stream");
}

std::optional<std::string_view> ReplicationConnection::next_message() {
  char* memory = nullptr;
  const int size = PQgetCopyData(connection_.libpq(), &memory, 1);
  message_.reset(memory);
  if (size > 0) return std::string_view(memory, static_cast<std::size_t>(size));
  if (size == 0) return std::nullopt;
  if (size == -1) ended();
  lost("read from the replication stream");
}

/// The server has ended the stream: why.
void ReplicationConnection::ended() {
  const std::string doing = "the server ended the replication stream";
  try {
    (void)connection_.take_result();
  } catch (const postgres::Refused& refused) {
    refuse(doing, refused.what(), refused.sqlstate());
  }
  // A server that shuts down sends all it has and then ends the stream without an error.
  throw ConnectionLost(doing);
}

bool ReplicationConnection::put(std::string_view message) {
  if (PQputCopyData(connection_.libpq(), message.data(), static_cast<int>(message.size())) < 0) {
    lost("send a standby status update");
  }
  return flush();
}

bool ReplicationConnection::flush() {
  const int pending = PQflush(connection_.libpq());
  if (pending < 0) lost("send a standby status update");
  return pending == 0;
}

}  // namespace walstorm::consumer
