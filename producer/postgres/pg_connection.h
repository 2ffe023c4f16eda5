#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "producer/postgres/pg_opener.h"

namespace walstorm::producer {

/// A statement that the server refused.
struct SqlError {
  std::string sqlstate;
  std::string message;
};

/// What came of an exchange: rows written (or read) by all its statements, or the first error, or that the
/// session was lost on the way.
struct Reply {
  std::uint64_t rows = 0;
  std::optional<SqlError> error;
  std::optional<std::string> lost;   ///< why; what the server did of the exchange is not known
  std::string lost_sqlstate;         ///< of what ended the session; empty where the server did not say
  std::optional<std::string> value;  ///< the first one that a query read, in binary form
};

/// Bind parameters, all in binary form. A null value is a nullptr.
struct Parameters {
  std::span<const char* const> values;
  std::span<const int> lengths;
  std::span<const int> formats;
};

/// A result with binary columns.
class BinaryResult final {
 public:
  explicit BinaryResult(pg_result* result);
  [[nodiscard]] std::size_t rows() const;
  /// nullopt: null.
  [[nodiscard]] std::optional<std::string_view> value(std::size_t row, std::size_t column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

/// One session at a time with PostgreSQL: libpq without blocking, on the worker's loop. One exchange at a
/// time.
///
/// A refused statement is part of the Reply, after the transaction has been rolled back. So is the loss of
/// the session (connection closed, backend ended, server shut down): every exchange is answered by it from
/// then on, until reopen(). What another session would not mend either (out of disk or memory) is thrown as
/// Error{unavailable} out of the loop.
class PgConnection final {
 public:
  using OnDone = std::function<void(const Reply&)>;

  /// Takes over an open session; `options` are for those that follow it.
  PgConnection(boost::asio::io_context& loop, const ConnectOptions& options, PgSession session);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  /// Gives the session up for a new one, as PgOpener::reopen does. Not within an exchange.
  void reopen(std::function<void()> on_open);

  /// Counts the sessions: with each, prepared statements are gone.
  [[nodiscard]] unsigned session() const { return session_; }
  [[nodiscard]] const SessionId& id() const { return open_.id; }
  [[nodiscard]] std::chrono::milliseconds give_up() const { return opener_.give_up(); }

  /// A number for a prepared statement's name that none had before.
  [[nodiscard]] std::uint64_t new_statement() { return ++statements_; }

  /// One round trip: what `queue_next` queues, by the functions below. It is called each time the socket has
  /// taken what was queued before, so that memory is bounded by one piece, until it returns false: then all
  /// is queued.
  void pipeline(std::function<bool()> queue_next, OnDone done);

  void queue(const char* sql);
  void queue_prepare(const char* name, const std::string& sql, std::span<const unsigned> types);
  void queue_prepared(const char* name, const Parameters& parameters);
  /// By the unnamed statement.
  void queue_unprepared(const std::string& sql, std::span<const unsigned> types,
                        const Parameters& parameters);

  /// One statement, outside of any transaction.
  void query(const std::string& sql, std::span<const unsigned> types, const Parameters& parameters,
             OnDone done);

  /// Turns off what the role or the server set as limits of this session's time, until it is lost.
  void lift_time_limits(OnDone done);

  /// As of PQserverVersion(), of the session that is open.
  [[nodiscard]] int server_version() const { return server_version_; }

  /// Runs `sql`, which ends with COPY ... FROM STDIN, and feeds it what `next_piece` returns until that is
  /// empty.
  void copy_in(const std::string& sql, std::function<std::string_view()> next_piece, OnDone done);

  /// Blocks. Throws Error{data} when the server refuses the statement, Error{unavailable} when it is gone.
  [[nodiscard]] BinaryResult select(const std::string& sql, std::span<const unsigned> types,
                                    const Parameters& parameters);

 private:
  enum class Step { idle, sending, receiving };

  void adopt(PgSession session);
  void begin(OnDone done);
  void pump();
  bool send_all();
  bool queue_more();
  bool feed_copy();
  bool receive_all();
  bool take(const pg_result* result);
  void take_value(const pg_result* result);
  void note_error(const pg_result* result);
  void end_exchange();
  void wait_readable();
  void wait_writable();
  void check_queued(int accepted);
  void lose();
  void lose(const std::string& why, const std::string& sqlstate = {});

  PgOpener opener_;
  PgSession open_;  // null once lost and given up
  int server_version_ = 0;
  unsigned session_ = 0;
  std::uint64_t statements_ = 0;
  std::optional<std::string> lost_;  // why the session is of no use any more
  std::string lost_sqlstate_;
  // libpq's socket, lent: released before libpq closes it.
  boost::asio::posix::stream_descriptor socket_;
  Step step_ = Step::idle;
  bool copying_ = false;
  bool all_queued_ = false;
  bool read_pending_ = false;
  bool write_pending_ = false;
  std::function<bool()> queue_next_;
  std::function<std::string_view()> next_piece_;
  OnDone done_;
  Reply reply_;
};

}  // namespace walstorm::producer
