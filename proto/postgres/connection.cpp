#include "proto/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <regex>
#include <sstream>

#include <libpq-fe.h>

#include "proto/wire/utf8.h"

namespace walstorm::postgres {
namespace {

/// For PQconnectStartParams: what stands before dbname is a default, what stands after it wins over the
/// connection string.
struct Parameters {
  std::vector<const char*> keywords, values;

  void add(const Connection::Keywords& more) {
    for (const auto& [keyword, value] : more) add(keyword, value);
  }
  void add(const char* keyword, const std::string& value) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  }
};

std::optional<Refused> error_of(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE) return std::nullopt;
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return Refused(one_line(PQresultErrorMessage(result)), state == nullptr ? "" : state);
}

}  // namespace

std::string one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const bool is_space = c == '\n' || c == '\t' || c == ' ';
    if (!is_space) {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return wire::to_utf8(line);  // before the client encoding is agreed on, the server speaks its own
}

void Connection::Free::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

void Connection::Free::operator()(pg_result* result) const {
  PQclear(result);
}

Connection::Connection(const std::string& conninfo, const Keywords& fixed, const HostAddresses& addresses,
                       const Keywords& defaults) {
  Parameters parameters;
  parameters.add(defaults);
  parameters.add("dbname", conninfo);
  parameters.add(fixed);
  addresses.append_to(parameters.keywords, parameters.values);
  parameters.keywords.push_back(nullptr);
  parameters.values.push_back(nullptr);
  connection_.reset(
      PQconnectStartParams(parameters.keywords.data(), parameters.values.data(), /*expand_dbname=*/1));
  // A refused connection leaves no PGresult: its SQLSTATE can only be read in a verbose message.
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
}

int Connection::socket() const {
  return PQsocket(connection_.get());
}

std::optional<Wants> Connection::connect() {
  PGconn* const connection = connection_.get();
  if (PQstatus(connection) == CONNECTION_BAD) refused_to_connect();
  // libpq's documentation of PQconnectStart: begin as if PQconnectPoll had asked to write.
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
  if (PQsetnonblocking(connection, 1) != 0) lost();
  return std::nullopt;
}

void Connection::refused_to_connect() const {
  // "FATAL:  57P03: the database system is starting up\nLOCATION:  ...": of several hosts the last one
  // counts.
  static const std::regex sqlstate(R"(:  ([0-9A-Z]{5}): )");
  std::istringstream lines(PQerrorMessage(connection_.get()));
  std::string said;
  std::string state;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("LOCATION:")) continue;
    if (std::smatch match; std::regex_search(line, match, sqlstate)) {
      state = match[1];
      line = match.prefix().str() + ": " + match.suffix().str();
    }
    said += line + "\n";
  }
  throw Refused(one_line(said), state);
}

std::string Connection::failure() const {
  // libpq guesses on further lines what it "probably means"; the server's own are kept.
  std::istringstream lines(PQerrorMessage(connection_.get()));
  std::string said;
  for (std::string line; std::getline(lines, line);) {
    if (said.empty() || line.starts_with("DETAIL:") || line.starts_with("HINT:")) said += line + "\n";
  }
  return one_line(said);
}

void Connection::lost() const {
  throw Refused(failure());
}

void Connection::send(const std::string& sql, const std::vector<std::string>& values) {
  answer_.reset();
  refused_.reset();
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const std::string& value : values) texts.push_back(value.c_str());
  const int sent = values.empty()
                       ? PQsendQuery(connection_.get(), sql.c_str())
                       : PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(texts.size()),
                                           nullptr, texts.data(), nullptr, nullptr, 0);
  if (sent == 0) lost();
}

std::optional<Wants> Connection::receive() {
  PGconn* const connection = connection_.get();
  const int pending = PQflush(connection);
  if (pending < 0) lost();
  if (pending > 0) return Wants::write;
  if (PQconsumeInput(connection) == 0) {
    if (refused_) throw *std::exchange(refused_, std::nullopt);
    lost();
  }
  while (PQisBusy(connection) == 0) {
    std::unique_ptr<pg_result, Free> next(PQgetResult(connection));
    if (!next) {
      if (refused_) throw *std::exchange(refused_, std::nullopt);
      return std::nullopt;
    }
    if (refused_) continue;  // the first error is the answer
    answer_ = std::move(next);
    // The stream is the rest of the answer.
    if (PQresultStatus(answer_.get()) == PGRES_COPY_BOTH) return std::nullopt;
    refused_ = error_of(answer_.get());
  }
  return Wants::read;
}

bool Connection::take_result() {
  answer_.reset(PQgetResult(connection_.get()));
  if (!answer_) return false;
  if (const auto error = error_of(answer_.get())) throw *error;
  return true;
}

bool Connection::has_row() const {
  return PQntuples(answer_.get()) > 0;
}

std::string_view Connection::field(int column) const {
  return PQgetvalue(answer_.get(), 0, column);
}

bool Connection::is_open() const {
  return PQstatus(connection_.get()) == CONNECTION_OK;
}

bool await(const std::function<int()>& socket, const std::function<std::optional<Wants>()>& advance,
           Deadline deadline) {
  while (const auto wants = advance()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Deadline::clock::now());
    pollfd ready{socket(), static_cast<short>(*wants == Wants::read ? POLLIN : POLLOUT), 0};
    if (left.count() > 0) (void)::poll(&ready, 1, static_cast<int>(left.count()));
    if (Deadline::clock::now() >= deadline) return false;
  }
  return true;
}

Connection open(const std::string& conninfo, const Connection::Keywords& fixed,
                std::chrono::milliseconds timeout) {
  const Deadline deadline = Deadline::clock::now() + timeout;
  std::string why_not;
  const HostAddresses addresses = look_up_hosts(conninfo, static_cast<int>(timeout.count()), why_not);
  if (!why_not.empty()) throw Refused(why_not);
  Connection connection(conninfo, fixed, addresses);
  if (await([&] { return connection.socket(); }, [&] { return connection.connect(); }, deadline))
    return connection;
  throw Refused(fmt::format("no answer within {:g} s", static_cast<double>(timeout.count()) / 1000));
}

std::optional<std::string> ask(Connection& connection, const std::string& sql, Deadline deadline) {
  try {
    connection.send(sql);
    if (await([&] { return connection.socket(); }, [&] { return connection.receive(); }, deadline) &&
        connection.has_row())
      return std::string(connection.field(0));
  } catch (const Refused&) {
  }
  return std::nullopt;
}

}  // namespace walstorm::postgres
