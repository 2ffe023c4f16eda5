#include "producer/postgres/pg_connection.h"

#include <cstdlib>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libpq-fe.h>

#include "proto/postgres/sqlstate.h"
#include "proto/postgres/time_limits.h"
#include "proto/wire/error.h"

namespace walstorm::producer {

using boost::system::error_code;
using wire::Error;
using wire::ErrorKind;

namespace {

constexpr int kBinary = 1;

/// The session ends with it: FATAL, PANIC, or so the SQLSTATE says.
bool ends_session(const PGresult* result, std::string_view sqlstate) {
  const char* const severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const std::string_view is = severity == nullptr ? "" : severity;
  return is == "FATAL" || is == "PANIC" || postgres::refusal_of(sqlstate) == postgres::Refusal::session_ended;
}

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

PgConnection::PgConnection(boost::asio::io_context& loop, const ConnectOptions& options, PgSession session)
    : opener_(loop, options), socket_(loop) {
  adopt(std::move(session));
}

PgConnection::~PgConnection() {
  if (socket_.is_open()) socket_.release();
}

void PgConnection::adopt(PgSession session) {
  open_ = std::move(session);
  ++session_;
  server_version_ = PQserverVersion(open_.connection.get());
  lost_.reset();
  read_pending_ = write_pending_ = false;
  socket_.assign(PQsocket(open_.connection.get()));
}

void PgConnection::reopen(std::function<void()> on_open) {
  if (step_ != Step::idle) throw Error(ErrorKind::internal, "a session was given up within an exchange");
  if (socket_.is_open()) socket_.release();
  open_.connection.reset();
  if (!lost_) lost_ = "given up";
  opener_.reopen([this, on_open = std::move(on_open)](PgSession session) {
    adopt(std::move(session));
    on_open();
  });
}

void PgConnection::pipeline(std::function<bool()> queue_next, OnDone done) {
  check_queued(PQenterPipelineMode(open_.connection.get()));
  queue_next_ = std::move(queue_next);
  copying_ = false;
  all_queued_ = false;
  begin(std::move(done));
}

void PgConnection::query(const std::string& sql, std::span<const unsigned> types,
                         const Parameters& parameters, OnDone done) {
  check_queued(PQsendQueryParams(
      open_.connection.get(), sql.c_str(), static_cast<int>(parameters.values.size()), types.data(),
      parameters.values.data(), parameters.lengths.data(), parameters.formats.data(), kBinary));
  copying_ = false;
  all_queued_ = true;
  begin(std::move(done));
}

void PgConnection::lift_time_limits(OnDone done) {
  check_queued(PQsendQuery(open_.connection.get(), postgres::lift_time_limits_sql(server_version_).c_str()));
  copying_ = false;
  all_queued_ = true;
  begin(std::move(done));
}

void PgConnection::copy_in(const std::string& sql, std::function<std::string_view()> next_piece,
                           OnDone done) {
  check_queued(PQsendQuery(open_.connection.get(), sql.c_str()));
  next_piece_ = std::move(next_piece);
  all_queued_ = true;  // until the server asks for the data
  begin(std::move(done));
}

void PgConnection::begin(OnDone done) {
  if (step_ != Step::idle) throw Error(ErrorKind::internal, "an exchange began within another");
  step_ = Step::sending;
  done_ = std::move(done);
  reply_ = {};
  pump();
}

void PgConnection::queue(const char* sql) {
  check_queued(
      PQsendQueryParams(open_.connection.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, kBinary));
}

void PgConnection::queue_prepare(const char* name, const std::string& sql, std::span<const unsigned> types) {
  check_queued(
      PQsendPrepare(open_.connection.get(), name, sql.c_str(), static_cast<int>(types.size()), types.data()));
}

void PgConnection::queue_prepared(const char* name, const Parameters& parameters) {
  check_queued(PQsendQueryPrepared(open_.connection.get(), name, static_cast<int>(parameters.values.size()),
                                   parameters.values.data(), parameters.lengths.data(),
                                   parameters.formats.data(), kBinary));
}

void PgConnection::queue_unprepared(const std::string& sql, std::span<const unsigned> types,
                                    const Parameters& parameters) {
  check_queued(PQsendQueryParams(
      open_.connection.get(), sql.c_str(), static_cast<int>(parameters.values.size()), types.data(),
      parameters.values.data(), parameters.lengths.data(), parameters.formats.data(), kBinary));
}

BinaryResult PgConnection::select(const std::string& sql, std::span<const unsigned> types,
                                  const Parameters& parameters) {
  BinaryResult result(PQexecParams(
      open_.connection.get(), sql.c_str(), static_cast<int>(parameters.values.size()), types.data(),
      parameters.values.data(), parameters.lengths.data(), parameters.formats.data(), kBinary));
  if (PQstatus(open_.connection.get()) != CONNECTION_OK) {
    throw Error(ErrorKind::unavailable,
                fmt::format("the connection to postgres was lost: {}",
                            postgres::one_line(PQerrorMessage(open_.connection.get()))));
  }
  if (const char* const error = PQerrorMessage(open_.connection.get()); *error != '\0') {
    throw Error(ErrorKind::data, fmt::format("read rows back from postgres: {}", postgres::one_line(error)));
  }
  return result;
}

/// Goes on with the exchange as far as the socket allows; then comes back when it allows more.
void PgConnection::pump() {
  while (step_ != Step::idle && !lost_) {
    const bool step_ended = step_ == Step::sending ? send_all() : receive_all();
    if (!step_ended && !lost_) return wait_readable();
  }
  step_ = Step::idle;
  reply_.lost = lost_;
  reply_.lost_sqlstate = lost_ ? lost_sqlstate_ : "";
  // The next exchange may begin in there: nothing of this one is touched afterwards.
  const OnDone done = std::move(done_);
  const Reply reply = std::move(reply_);
  done(reply);
}

/// True when all is sent and answers are due.
bool PgConnection::send_all() {
  while (!lost_) {
    const int left = PQflush(open_.connection.get());
    if (left < 0) lose();
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
  if (!lost_) check_queued(PQpipelineSync(open_.connection.get()));
  return false;
}

bool PgConnection::feed_copy() {
  const std::string_view piece = next_piece_();
  const int accepted =
      piece.empty() ? PQputCopyEnd(open_.connection.get(), nullptr)
                    : PQputCopyData(open_.connection.get(), piece.data(), static_cast<int>(piece.size()));
  // Refused on a living connection: the server has ended the COPY with an error, which is read next.
  if (accepted != 1 && PQstatus(open_.connection.get()) != CONNECTION_OK) lose();
  return accepted == 1 && !piece.empty();
}

/// True when the exchange is over, or the server wants COPY data; false when more must be read, or nothing
/// will come any more.
bool PgConnection::receive_all() {
  while (!lost_ && PQisBusy(open_.connection.get()) == 0) {
    const std::unique_ptr<pg_result, void (*)(pg_result*)> result(PQgetResult(open_.connection.get()),
                                                                  PQclear);
    if (result) {
      if (take(result.get())) return true;
    } else if (PQstatus(open_.connection.get()) != CONNECTION_OK) {
      lose();
    } else if (PQpipelineStatus(open_.connection.get()) == PQ_PIPELINE_OFF) {
      end_exchange();
      return true;
    }
  }
  return false;
}

bool PgConnection::take(const pg_result* result) {
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
      reply_.rows += std::strtoull(PQcmdTuples(const_cast<pg_result*>(result)), nullptr, 10);
      return false;
    case PGRES_TUPLES_OK:
      take_value(result);
      return false;
    case PGRES_COPY_IN:
      copying_ = true;
      all_queued_ = false;
      step_ = Step::sending;
      return true;
    case PGRES_PIPELINE_SYNC:
      check_queued(PQexitPipelineMode(open_.connection.get()));
      end_exchange();
      return true;
    case PGRES_PIPELINE_ABORTED:
      return false;  // skipped after the error already noted
    default:
      note_error(result);
      return false;
  }
}

void PgConnection::take_value(const pg_result* result) {
  const int rows = PQntuples(result);
  reply_.rows += static_cast<std::uint64_t>(rows);
  if (rows == 0 || PQgetisnull(result, 0, 0) != 0) return;
  reply_.value.emplace(PQgetvalue(result, 0, 0), static_cast<std::size_t>(PQgetlength(result, 0, 0)));
}

void PgConnection::note_error(const pg_result* result) {
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  SqlError error{sqlstate == nullptr ? "" : sqlstate, message_of(result)};
  if (PQstatus(open_.connection.get()) != CONNECTION_OK || ends_session(result, error.sqlstate)) {
    return lose(error.sqlstate.empty() ? error.message
                                       : fmt::format("{} (SQLSTATE {})", error.message, error.sqlstate),
                error.sqlstate);
  }
  // Another session would not mend it either.
  if (postgres::refusal_of(error.sqlstate) == postgres::Refusal::unavailable) {
    throw Error(ErrorKind::unavailable,
                fmt::format("write to postgres: {} (SQLSTATE {})", error.message, error.sqlstate));
  }
  if (!reply_.error) reply_.error = std::move(error);
}

void PgConnection::end_exchange() {
  // Only an error leaves a transaction open. The error stays the reply.
  if (reply_.error && PQtransactionStatus(open_.connection.get()) != PQTRANS_IDLE) {
    check_queued(PQsendQuery(open_.connection.get(), "ROLLBACK"));
    all_queued_ = true;
    step_ = Step::sending;
    return;
  }
  step_ = Step::idle;
}

void PgConnection::wait_readable() {
  if (read_pending_) return;
  read_pending_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this, session = session_](const error_code& error) {
                       if (error || session != session_ || lost_) return;
                       read_pending_ = false;
                       if (PQconsumeInput(open_.connection.get()) == 0) lose();
                       if (step_ != Step::idle) pump();
                     });
}

void PgConnection::wait_writable() {
  if (write_pending_) return;
  write_pending_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                     [this, session = session_](const error_code& error) {
                       if (error || session != session_ || lost_) return;
                       write_pending_ = false;
                       if (step_ != Step::idle) pump();
                     });
}

void PgConnection::check_queued(int accepted) {
  if (accepted == 1 || lost_) return;
  if (PQstatus(open_.connection.get()) != CONNECTION_OK) return lose();
  throw Error(ErrorKind::internal, fmt::format("libpq refused a message: {}",
                                               postgres::one_line(PQerrorMessage(open_.connection.get()))));
}

void PgConnection::lose() {
  lose(postgres::one_line(PQerrorMessage(open_.connection.get())));
}

void PgConnection::lose(const std::string& why, const std::string& sqlstate) {
  if (lost_) return;
  lost_ = why;
  lost_sqlstate_ = sqlstate;
}

}  // namespace walstorm::producer
