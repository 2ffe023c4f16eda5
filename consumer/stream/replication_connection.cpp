#include "consumer/stream/replication_connection.h"

#include <cstdlib>
#include <fmt/format.h>
#include <regex>
#include <sstream>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "consumer/stream/slot_state.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::consumer {
namespace {

using wire::Error;
using wire::ErrorKind;

/// libpq's messages end with a newline, and some have several lines.
std::string one_line(std::string_view message) {
  while (message.ends_with('\n')) message.remove_suffix(1);
  std::string line;
  for (const char c : message) {
    if (c == '\n') line += ' ';
    if (c != '\n' && c != '\t') line += c;
  }
  return wire::to_utf8(line);
}

[[noreturn]] void refuse(const std::string& doing, const std::string& said, std::string_view sqlstate) {
  if (may_pass(sqlstate)) throw ConnectionLost(fmt::format("{}: {}", doing, said));
  throw Error(ErrorKind::unavailable, fmt::format("{}: {}{}", doing, said, advice_for(sqlstate)));
}

[[noreturn]] void refuse(const std::string& doing, const PGresult* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  refuse(doing, one_line(PQresultErrorMessage(result)), state == nullptr ? "" : state);
}

}  // namespace

void ReplicationConnection::Free::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

void ReplicationConnection::Free::operator()(pg_result* result) const {
  PQclear(result);
}

void ReplicationConnection::Free::operator()(char* memory) const {
  PQfreemem(memory);
}

ReplicationConnection::ReplicationConnection(const std::string& conninfo,
                                             const postgres::HostAddresses& addresses) {
  // A later keyword wins over the same one before it.
  std::vector<const char*> keywords{"dbname", "replication"};
  std::vector<const char*> values{conninfo.c_str(), "database"};
  addresses.append_to(keywords, values);
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 1));
  // A refused connection leaves no PGresult: its SQLSTATE can only be read in a verbose message.
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
}

ReplicationConnection::~ReplicationConnection() = default;

int ReplicationConnection::socket() const {
  return PQsocket(connection_.get());
}

int ReplicationConnection::connect_timeout_sec(int otherwise) const {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfo(connection_.get()),
                                                                               PQconninfoFree);
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr || std::string_view(option->keyword) != "connect_timeout") continue;
    const int seconds = std::atoi(option->val);
    return seconds > 0 ? seconds : otherwise;
  }
  return otherwise;
}

std::optional<ReplicationConnection::Wants> ReplicationConnection::connect() {
  PGconn* const connection = connection_.get();
  if (PQstatus(connection) == CONNECTION_BAD) refused_to_connect();
  if (!std::exchange(polled_, true)) return Wants::write;
  switch (PQconnectPoll(connection)) {
    case PGRES_POLLING_READING:
      return Wants::read;
    case PGRES_POLLING_WRITING:
      return Wants::write;
    case PGRES_POLLING_OK:
      break;
    default:
      refused_to_connect();
  }
  PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  server_process_ = PQbackendPID(connection);  // libpq forgets it when it loses the connection
  if (PQsetnonblocking(connection, 1) != 0) lost("connect to PostgreSQL for replication");
  return std::nullopt;
}

void ReplicationConnection::refused_to_connect() const {
  // "FATAL:  57P03: the database system is starting up\nLOCATION:  ...": of several hosts the last one
  // counts.
  static const std::regex sqlstate(R"(:  ([0-9A-Z]{5}): )");
  std::string said = PQerrorMessage(connection_.get());
  std::string state;
  for (std::smatch match; std::regex_search(said, match, sqlstate);) {
    state = match[1];
    said = match.prefix().str() + ": " + match.suffix().str();
  }
  if (const auto location = said.find("\nLOCATION:"); location != std::string::npos) said.resize(location);
  // Without a password the server was not even asked.
  if (PQconnectionNeedsPassword(connection_.get()) != 0) state = "28P01";
  refuse("connect to PostgreSQL for replication", one_line(said), state);
}

void ReplicationConnection::lost(const std::string& doing) const {
  // libpq guesses on further lines what it "probably means"; the server's own are kept.
  std::istringstream lines(PQerrorMessage(connection_.get()));
  std::string said;
  for (std::string line; std::getline(lines, line);) {
    if (said.empty())
      said = line;
    else if (line.starts_with("DETAIL:") || line.starts_with("HINT:"))
      said += " " + line;
  }
  throw ConnectionLost(fmt::format("{}: {}", doing, one_line(said)));
}

void ReplicationConnection::send(const std::string& sql, std::string doing) {
  doing_ = std::move(doing);
  answer_.reset();
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) lost(doing_);
}

std::optional<ReplicationConnection::Wants> ReplicationConnection::receive() {
  PGconn* const connection = connection_.get();
  const int pending = PQflush(connection);
  if (pending < 0) lost(doing_);
  if (pending > 0) return Wants::write;
  if (PQconsumeInput(connection) == 0) lost(doing_);
  while (PQisBusy(connection) == 0) {
    std::unique_ptr<pg_result, Free> next(PQgetResult(connection));
    if (!next) return std::nullopt;
    answer_ = std::move(next);
    switch (PQresultStatus(answer_.get())) {
      case PGRES_COPY_BOTH:
        return std::nullopt;  // the stream is the rest of the answer
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
        break;
      default:
        refuse(doing_, answer_.get());
    }
  }
  return Wants::read;
}

bool ReplicationConnection::has_row() const {
  return PQntuples(answer_.get()) > 0;
}

std::string_view ReplicationConnection::field(int column) const {
  return PQgetvalue(answer_.get(), 0, column);
}

std::string ReplicationConnection::quoted(const std::string& text,
                                          char* (*escape)(pg_conn*, const char*, std::size_t)) const {
  const std::unique_ptr<char, Free> escaped(escape(connection_.get(), text.c_str(), text.size()));
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
  if (PQconsumeInput(connection_.get()) == 0) lost("read from the replication stream");
}

std::optional<std::string_view> ReplicationConnection::next_message() {
  char* memory = nullptr;
  const int size = PQgetCopyData(connection_.get(), &memory, 1);
  message_.reset(memory);
  if (size > 0) return std::string_view(memory, static_cast<std::size_t>(size));
  if (size == 0) return std::nullopt;
  if (size == -1) ended();
  lost("read from the replication stream");
}

/// The server has ended the stream: why.
void ReplicationConnection::ended() {
  answer_.reset(PQgetResult(connection_.get()));
  const std::string doing = "the server ended the replication stream";
  // A server that shuts down sends all it has and then ends the stream without an error.
  if (PQresultStatus(answer_.get()) != PGRES_FATAL_ERROR) throw ConnectionLost(doing);
  refuse(doing, answer_.get());
}

bool ReplicationConnection::put(std::string_view message) {
  if (PQputCopyData(connection_.get(), message.data(), static_cast<int>(message.size())) < 0) {
    lost("send a standby status update");
  }
  return flush();
}

bool ReplicationConnection::flush() {
  const int pending = PQflush(connection_.get());
  if (pending < 0) lost("send a standby status update");
  return pending == 0;
}

}  // namespace walstorm::consumer
