#include "producer/pg_connection.h"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libpq-fe.h>

#include "proto/wire/error.h"

namespace walstorm::producer {

using boost::system::error_code;
using wire::Error;
using wire::ErrorKind;

namespace {

constexpr int kBinary = 1;

/// libpq's messages end with a line feed and may have several lines, with tabs.
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
  return line;
}

/// What the server says, without its DETAIL: that may quote the row, and row data never crosses to the
/// orchestrator. An error of libpq itself has no fields.
std::string message_of(const PGresult* result) {
  const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* const hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  if (primary == nullptr) return one_line(PQresultErrorMessage(result));
  return hint == nullptr ? one_line(primary) : one_line(fmt::format("{} ({})", primary, hint));
}

/// The server is going away or cannot work: class 08 (connection), 53 (out of disk, memory, connections), 57P
/// (shut down). PostgreSQL's documentation, appendix A.
bool is_unavailable(std::string_view sqlstate) {
  return sqlstate.starts_with("08") || sqlstate.starts_with("53") || sqlstate.starts_with("57P");
}

void log_notice(void*, const PGresult* notice) {
  spdlog::debug("postgres: {}", message_of(notice));
}

// Sessions plan their statements while the table is still empty, and keep the plans (prepared statements,
// generic plans): without these, the plan for an empty table, a sequential scan, would stay when it has
// grown.
constexpr std::array<std::pair<const char*, const char*>, 4> kPlannerSettings{{
    {"plan_cache_mode", "force_generic_plan"},
    {"enable_seqscan", "off"},
    {"enable_hashjoin", "off"},
    {"enable_mergejoin", "off"},
}};

}  // namespace

BinaryResult::BinaryResult(pg_result* result) : result_(result) {}

void BinaryResult::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

std::size_t BinaryResult::rows() const {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::optional<std::string_view> BinaryResult::value(std::size_t row, std::size_t column) const {
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  if (PQgetisnull(result_.get(), r, c) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result_.get(), r, c),
                          static_cast<std::size_t>(PQgetlength(result_.get(), r, c)));
}

void PgConnection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PgConnection::PgConnection(boost::asio::io_context& loop, const ConnectOptions& options) : socket_(loop) {
  connect(options);
  for (const auto& [name, value] : kPlannerSettings) set(name, value);
  for (const auto& [name, value] : options.session_settings) set(name, value);
  if (PQsetnonblocking(connection_.get(), 1) != 0) throw_lost();
  socket_.assign(PQsocket(connection_.get()));
}

PgConnection::~PgConnection() {
  if (socket_.is_open()) socket_.release();
}

void PgConnection::connect(const ConnectOptions& options) {
  // Parsed apart first: PQconnectdbParams quotes a string that it cannot parse, with the password in it.
  char* parse_error = nullptr;
  PQconninfoOption* const parsed = PQconninfoParse(options.conninfo.c_str(), &parse_error);
  PQfreemem(parse_error);
  if (parsed == nullptr) {
    throw Error(ErrorKind::config,
                "connect to postgres: libpq cannot read the connection string; see its "
                "documentation, \"Connection Strings\"");
  }
  PQconninfoFree(parsed);
  // What stands before dbname is a default, what stands after it wins over the connection string.
  const std::array keywords{"connect_timeout", "dbname", "client_encoding",
                            static_cast<const char*>(nullptr)};
  const std::array values{"10", options.conninfo.c_str(), "UTF8", static_cast<const char*>(nullptr)};
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), /*expand_dbname=*/1));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw Error(ErrorKind::unavailable,
                fmt::format("connect to postgres: {}", one_line(PQerrorMessage(connection_.get()))));
  }
  PQsetNoticeReceiver(connection_.get(), log_notice, nullptr);
}

void PgConnection::set(const std::string& name, const std::string& value) {
  const std::array values{name.c_str(), value.c_str()};
  const BinaryResult answer(PQexecParams(connection_.get(), "SELECT set_config($1, $2, false)", 2, nullptr,
                                         values.data(), nullptr, nullptr, kBinary));
  if (answer.rows() == 1) return;
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw_lost();
  throw Error(ErrorKind::config, fmt::format("set \"{}\" to \"{}\" on a writing session: {}; correct it in "
                                             "database.settings",
                                             name, value, one_line(PQerrorMessage(connection_.get()))));
}

void PgConnection::pipeline(std::function<bool()> queue_next, OnDone done) {
  check_queued(PQenterPipelineMode(connection_.get()));
  queue_next_ = std::move(queue_next);
  copying_ = false;
  all_queued_ = false;
  begin(Step::sending, std::move(done));
}

void PgConnection::copy_in(const std::string& sql, std::function<std::string_view()> next_piece,
                           OnDone done) {
  check_queued(PQsendQuery(connection_.get(), sql.c_str()));
  next_piece_ = std::move(next_piece);
  all_queued_ = true;  // until the server asks for the data
  begin(Step::sending, std::move(done));
}

void PgConnection::begin(Step step, OnDone done) {
  if (step_ != Step::idle) throw Error(ErrorKind::internal, "an exchange began within another");
  step_ = step;
  done_ = std::move(done);
  reply_ = {};
  pump();
}

void PgConnection::queue(const char* sql) {
  check_queued(PQsendQueryParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, kBinary));
}

void PgConnection::queue_prepare(const char* name, const std::string& sql, std::span<const unsigned> types) {
  check_queued(
      PQsendPrepare(connection_.get(), name, sql.c_str(), static_cast<int>(types.size()), types.data()));
}

void PgConnection::queue_prepared(const char* name, const Parameters& parameters) {
  check_queued(PQsendQueryPrepared(connection_.get(), name, static_cast<int>(parameters.values.size()),
                                   parameters.values.data(), parameters.lengths.data(),
                                   parameters.formats.data(), kBinary));
}

void PgConnection::queue_unprepared(const std::string& sql, std::span<const unsigned> types,
                                    const Parameters& parameters) {
  check_queued(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(parameters.values.size()),
                                 types.data(), parameters.values.data(), parameters.lengths.data(),
                                 parameters.formats.data(), kBinary));
}

BinaryResult PgConnection::select(const std::string& sql, std::span<const unsigned> types,
                                  const Parameters& parameters) {
  BinaryResult result(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(parameters.values.size()),
                                   types.data(), parameters.values.data(), parameters.lengths.data(),
                                   parameters.formats.data(), kBinary));
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw_lost();
  if (const char* const error = PQerrorMessage(connection_.get()); *error != '\0') {
    throw Error(ErrorKind::data, fmt::format("read rows back from postgres: {}", one_line(error)));
  }
  return result;
}

/// Goes on with the exchange as far as the socket allows; then comes back when it allows more.
void PgConnection::pump() {
  while (step_ != Step::idle) {
    const bool step_ended = step_ == Step::sending ? send_all() : receive_all();
    if (!step_ended) return wait_readable();
  }
  // The next exchange may begin in there: nothing of this one is touched afterwards.
  const OnDone done = std::move(done_);
  const Reply reply = std::move(reply_);
  done(reply);
}

/// True when all is sent and answers are due.
bool PgConnection::send_all() {
  while (true) {
    const int left = PQflush(connection_.get());
    if (left < 0) throw_lost();
    if (left > 0) {
      wait_writable();
      return false;
    }
    if (all_queued_) break;
    all_queued_ = copying_ ? !feed_copy() : !queue_more();
  }
  step_ = Step::receiving;
  return true;
}

bool PgConnection::queue_more() {
  if (queue_next_()) return true;
  check_queued(PQpipelineSync(connection_.get()));
  return false;
}

bool PgConnection::feed_copy() {
  const std::string_view piece = next_piece_();
  const int accepted = piece.empty()
                           ? PQputCopyEnd(connection_.get(), nullptr)
                           : PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size()));
  // Refused on a living connection: the server has ended the COPY with an error, which is read next.
  if (accepted != 1 && PQstatus(connection_.get()) != CONNECTION_OK) throw_lost();
  return accepted == 1 && !piece.empty();
}

/// True when the exchange is over, or the server wants COPY data; false when more must be read.
bool PgConnection::receive_all() {
  while (PQisBusy(connection_.get()) == 0) {
    const std::unique_ptr<pg_result, void (*)(pg_result*)> result(PQgetResult(connection_.get()), PQclear);
    if (result) {
      if (take(result.get())) return true;
    } else if (PQpipelineStatus(connection_.get()) == PQ_PIPELINE_OFF) {
      end_exchange();
      return true;
    } else if (PQstatus(connection_.get()) != CONNECTION_OK) {
      throw_lost();
    }
  }
  return false;
}

bool PgConnection::take(const pg_result* result) {
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
      reply_.rows += std::strtoull(PQcmdTuples(const_cast<pg_result*>(result)), nullptr, 10);
      return false;
    case PGRES_COPY_IN:
      copying_ = true;
      all_queued_ = false;
      step_ = Step::sending;
      return true;
    case PGRES_PIPELINE_SYNC:
      check_queued(PQexitPipelineMode(connection_.get()));
      end_exchange();
      return true;
    case PGRES_PIPELINE_ABORTED:
      return false;  // skipped after the error already noted
    default:
      note_error(result);
      return false;
  }
}

void PgConnection::note_error(const pg_result* result) {
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  SqlError error{sqlstate == nullptr ? "" : sqlstate, message_of(result)};
  if (PQstatus(connection_.get()) != CONNECTION_OK || is_unavailable(error.sqlstate)) {
    throw Error(ErrorKind::unavailable,
                fmt::format("write to postgres: {} (SQLSTATE {})", error.message, error.sqlstate));
  }
  if (!reply_.error) reply_.error = std::move(error);
}

void PgConnection::end_exchange() {
  // Only an error leaves a transaction open. The error stays the reply.
  if (reply_.error && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
    check_queued(PQsendQuery(connection_.get(), "ROLLBACK"));
    all_queued_ = true;
    step_ = Step::sending;
    return;
  }
  step_ = Step::idle;
}

void PgConnection::wait_readable() {
  if (read_pending_) return;
  read_pending_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    if (error) return;
    read_pending_ = false;
    if (PQconsumeInput(connection_.get()) == 0) throw_lost();
    if (step_ != Step::idle) pump();
  });
}

void PgConnection::wait_writable() {
  if (write_pending_) return;
  write_pending_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write, [this](const error_code& error) {
    if (error) return;
    write_pending_ = false;
    if (step_ != Step::idle) pump();
  });
}

void PgConnection::check_queued(int accepted) const {
  if (accepted == 1) return;
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw_lost();
  throw Error(ErrorKind::internal,
              fmt::format("libpq refused a message: {}", one_line(PQerrorMessage(connection_.get()))));
}

void PgConnection::throw_lost() const {
  throw Error(ErrorKind::unavailable, fmt::format("the connection to postgres was lost: {}",
                                                  one_line(PQerrorMessage(connection_.get()))));
}

}  // namespace walstorm::producer
