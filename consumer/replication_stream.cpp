#include "consumer/replication_stream.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <libpq-fe.h>

#include "consumer/byte_reader.h"

namespace walstorm::consumer {
namespace {

using wire::Error;
using wire::ErrorKind;

/// How long reading may go on before timers and control frames get their turn.
constexpr std::int64_t kReadBudgetUs = 10'000;
constexpr std::chrono::milliseconds kStatusInterval{1000};
constexpr std::size_t kXLogDataHeader = 1 + 8 + 8 + 8;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;

struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};
using CopyData = std::unique_ptr<char, FreeMemory>;

/// libpq's messages end with a newline, and some have several lines.
std::string one_line(std::string_view message) {
  while (message.ends_with('\n')) message.remove_suffix(1);
  std::string line(message);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string quoted(PGconn* connection, const std::string& text,
                   char* (*escape)(PGconn*, const char*, std::size_t)) {
  const CopyData escaped(escape(connection, text.c_str(), text.size()));
  if (!escaped) throw Error(ErrorKind::config, fmt::format("the name {} is not valid text", text));
  return escaped.get();
}

/// The answer to a statement that must succeed.
Result query(PGconn* connection, const std::string& sql) {
  Result result(PQexec(connection, sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK && PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    throw Error(ErrorKind::unavailable, fmt::format("{}: {}", sql, one_line(PQerrorMessage(connection))));
  }
  return result;
}

Error slot_in_use(const std::string& slot, std::string_view said) {
  return Error(
      ErrorKind::unavailable,
      fmt::format("replication slot \"{0}\" is in use ({1}): stop its other reader, or SELECT "
                  "pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{0}'",
                  slot, said));
}

/// What a refused START_REPLICATION means, by its SQLSTATE.
Error refused(const std::string& slot, const PGresult* result, std::string_view said) {
  const char* const field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  if (state == "55006") return slot_in_use(slot, said);  // object_in_use
  if (state == "55000") {                                // object_not_in_prerequisite_state
    return Error(
        ErrorKind::unavailable,
        fmt::format("replication slot \"{}\" cannot be read any more ({}): drop it and start a new run", slot,
                    said));
  }
  return Error(ErrorKind::unavailable, fmt::format("start replication from slot \"{}\": {}", slot, said));
}

}  // namespace

void ReplicationStream::Closer::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

ReplicationStream::ReplicationStream(boost::asio::io_context& loop, const wire::Clock& clock,
                                     BusyMeter& meter, const proto::ConsumerSetup& setup)
    : loop_(loop), clock_(clock), meter_(meter), setup_(setup), socket_(loop), status_timer_(loop) {
  // A later keyword wins over the same one before it, so the connection string may set the timeout, and not
  // the rest.
  const std::array<const char*, 4> keywords{"connect_timeout", "dbname", "replication", nullptr};
  const std::array<const char*, 4> values{"10", setup_.postgres().c_str(), "database", nullptr};
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw Error(ErrorKind::unavailable, fmt::format("connect to PostgreSQL for replication: {}",
                                                    one_line(PQerrorMessage(connection_.get()))));
  }
  look_at_slot();
}

ReplicationStream::~ReplicationStream() {
  if (socket_.is_open()) socket_.release();
}

void ReplicationStream::look_at_slot() {
  const std::string& slot = setup_.slot_name();
  const Result result =
      query(connection_.get(),
            "SELECT plugin, active_pid, wal_status, confirmed_flush_lsn FROM pg_replication_slots "
            "WHERE slot_name = " +
                quoted(connection_.get(), slot, PQescapeLiteral));
  if (PQntuples(result.get()) == 0) {
    throw Error(ErrorKind::unavailable, fmt::format("replication slot \"{0}\" does not exist: SELECT "
                                                    "pg_create_logical_replication_slot('{0}', 'pgoutput')",
                                                    slot));
  }
  const auto field = [&](int column) { return std::string_view(PQgetvalue(result.get(), 0, column)); };
  if (field(0) != "pgoutput") {
    throw Error(ErrorKind::config,
                fmt::format("replication slot \"{}\" is of plugin \"{}\", not of pgoutput: name "
                            "another in consumer.slotName",
                            slot, field(0)));
  }
  if (!field(1).empty()) throw slot_in_use(slot, fmt::format("by the server's process {}", field(1)));
  if (field(2) == "lost") {
    throw Error(
        ErrorKind::unavailable,
        fmt::format("replication slot \"{}\" has lost WAL that it needs (wal_status is lost): drop it, raise "
                    "max_slot_wal_keep_size, and start a new run",
                    slot));
  }
  slot_confirmed_ = received_ = confirmed_ = wire::parse_lsn(field(3));
}

std::string ReplicationStream::start_command() const {
  PGconn* const connection = connection_.get();
  // publication_names is a list of identifiers inside a literal: quoted as the one, then as the other.
  const std::string publication = quoted(connection, setup_.publication_name(), PQescapeIdentifier);
  const char* streaming = "";  // a server that has not heard of an option refuses it, so: only when wanted
  if (setup_.streaming() == proto::STREAMING_ON) streaming = ", streaming 'on'";
  if (setup_.streaming() == proto::STREAMING_PARALLEL) streaming = ", streaming 'parallel'";
  return fmt::format(
      "START_REPLICATION SLOT {} LOGICAL 0/0 (proto_version '{}', publication_names {}, messages 'true'{}{})",
      quoted(connection, setup_.slot_name(), PQescapeIdentifier), setup_.proto_version(),
      quoted(connection, publication, PQescapeLiteral), setup_.binary() ? ", binary 'true'" : "", streaming);
}

void ReplicationStream::start(Handlers handlers) {
  handlers_ = std::move(handlers);
  PGconn* const connection = connection_.get();
  // The text forms that column_value.h reads, whatever the role's or the server's defaults are.
  query(connection, "SET datestyle TO 'ISO'");
  query(connection, "SET extra_float_digits TO 3");
  const Result result(PQexec(connection, start_command().c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_BOTH) {
    throw refused(setup_.slot_name(), result.get(), one_line(PQerrorMessage(connection)));
  }
  if (PQsetnonblocking(connection, 1) != 0) throw lost("start replication");
  socket_.assign(PQsocket(connection));
  reading_ = true;
  boost::asio::post(loop_, [this] { read_available(); });
  arm_status_timer();
}

void ReplicationStream::resume() {
  paused_ = false;
  if (reading_) return;
  reading_ = true;
  boost::asio::post(loop_, [this] { read_available(); });
}

void ReplicationStream::read_available() {
  const BusyMeter::Scope working(meter_);
  const std::int64_t budget_end_us = clock_.steady_us() + kReadBudgetUs;
  (void)deliver_buffered();  // what a pause left behind
  while (!paused_) {
    if (PQconsumeInput(connection_.get()) == 0) throw lost("read from the replication stream");
    arrival_ = {clock_.steady_us(), clock_.unix_us()};
    if (!deliver_buffered()) return wait_readable();
    if (arrival_.steady_us >= budget_end_us) {
      boost::asio::post(loop_, [this] { read_available(); });
      return;
    }
  }
  reading_ = false;
}

void ReplicationStream::wait_readable() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (!error) read_available();
                     });
}

/// Hands over what libpq holds, until it holds no whole message or reading is paused. False when there was
/// nothing.
bool ReplicationStream::deliver_buffered() {
  bool any = false;
  while (!paused_) {
    char* memory = nullptr;
    const int size = PQgetCopyData(connection_.get(), &memory, 1);
    const CopyData copy_data(memory);
    if (size == 0) break;
    if (size == -1) throw ended();
    if (size < 0) throw lost("read from the replication stream");
    deliver({copy_data.get(), static_cast<std::size_t>(size)});
    any = true;
  }
  return any;
}

void ReplicationStream::deliver(std::string_view copy_data) {
  if (copy_data.starts_with('k')) return deliver_keepalive(copy_data);
  if (!copy_data.starts_with('w') || copy_data.size() < kXLogDataHeader) {
    throw Error(
        ErrorKind::protocol,
        fmt::format("a replication message of {} bytes, of a kind or size unknown", copy_data.size()));
  }
  ByteReader in(copy_data.substr(1));
  const wire::Lsn lsn{in.number<std::uint64_t>()};
  received_ =
      std::max(received_, lsn);  // a transaction's messages lie before the commit of the one before it
  handlers_.on_wal({lsn, arrival_, copy_data.substr(kXLogDataHeader)});
}

void ReplicationStream::deliver_keepalive(std::string_view copy_data) {
  ByteReader in(copy_data.substr(1));
  const wire::Lsn wal_end{in.number<std::uint64_t>()};
  (void)in.number<std::int64_t>();  // the server's clock
  received_ = std::max(received_, wal_end);
  handlers_.on_keepalive(wal_end);
  if (in.number<std::uint8_t>() != 0) send_status();
}

void ReplicationStream::arm_status_timer() {
  std::chrono::milliseconds interval = kStatusInterval;
  if (setup_.wal_sender_timeout_ms() > 0) {
    const std::chrono::milliseconds third(setup_.wal_sender_timeout_ms() / 3);
    interval = std::clamp(third, std::chrono::milliseconds(1), interval);
  }
  status_timer_.expires_after(interval);
  status_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const BusyMeter::Scope working(meter_);
    send_status();
    arm_status_timer();
  });
}

void ReplicationStream::send_status() {
  if (writing_) return;  // the server has yet to take the last one
  const wire::Lsn confirmable = handlers_.confirmable();
  std::string message(1, 'r');
  const auto append = [&](std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) message += static_cast<char>(number >> shift);
  };
  append(received_.value);    // written
  append(confirmable.value);  // flushed; 0 is "nothing to say" and leaves the slot where it is
  append(confirmable.value);  // applied
  append(static_cast<std::uint64_t>(clock_.unix_us() - wire::kPostgresEpochUnixUs));
  message += '\0';  // no answer wanted
  if (PQputCopyData(connection_.get(), message.data(), static_cast<int>(message.size())) < 0) {
    throw lost("send a standby status update");
  }
  confirmed_ = std::max(confirmed_, confirmable);
  flush_output();
}

void ReplicationStream::flush_output() {
  const int pending = PQflush(connection_.get());
  if (pending < 0) throw lost("send a standby status update");
  writing_ = pending > 0;
  if (!writing_) return;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                     [this](const boost::system::error_code& error) {
                       if (!error) flush_output();
                     });
}

Error ReplicationStream::lost(const std::string& doing) const {
  return Error(ErrorKind::unavailable, fmt::format("{} from slot \"{}\": {}", doing, setup_.slot_name(),
                                                   one_line(PQerrorMessage(connection_.get()))));
}

/// The server has ended the stream: why.
Error ReplicationStream::ended() const {
  const Result result(PQgetResult(connection_.get()));
  const std::string said = one_line(PQresultErrorMessage(result.get()));
  return Error(ErrorKind::unavailable,
               fmt::format("the server ended the replication stream of slot \"{}\": {}", setup_.slot_name(),
                           said.empty() ? "without a reason" : said));
}

}  // namespace walstorm::consumer
