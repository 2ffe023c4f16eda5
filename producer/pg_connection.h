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
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

struct pg_conn;
struct pg_result;

namespace walstorm::producer {

/// A statement that the server refused.
struct SqlError {
  std::string sqlstate;
  std::string message;

  /// Class 40: the transaction was rolled back because of others (serialization, deadlock), not because of
  /// what it does.
  [[nodiscard]] bool is_transaction_rollback() const { return sqlstate.starts_with("40"); }
};

/// What came of an exchange: rows written by all its statements, or the first error.
struct Reply {
  std::uint64_t rows = 0;
  std::optional<SqlError> error;
};

/// Bind parameters, all in binary form. A null value is a nullptr.
struct Parameters {
  std::span<const char* const> values;
  std::span<const int> lengths;
  std::span<const int> formats;
};

struct ConnectOptions {
  std::string conninfo;                                               ///< URL or keywords
  std::vector<std::pair<std::string, std::string>> session_settings;  ///< GUCs of the user
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

/// One session with PostgreSQL: libpq without blocking, on the worker's loop. One exchange at a time.
///
/// The only file of the producer that includes libpq. What ends the session (connection lost, server shut
/// down, out of disk) is thrown as Error{unavailable} out of the loop; a refused statement is part of the
/// Reply, after the transaction has been rolled back.
class PgConnection final {
 public:
  using OnDone = std::function<void(const Reply&)>;

  /// Connects and sets the session up; blocks. Throws Error{unavailable} when the server is not to be had,
  /// Error{config} for a connection string that cannot be read or a setting that the server refuses.
  PgConnection(boost::asio::io_context& loop, const ConnectOptions& options);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  /// One round trip: what `queue_next` queues, by the functions below. It is called each time the socket has
  /// taken what was queued before, so that memory is bounded by one piece, until it returns false.
  void pipeline(std::function<bool()> queue_next, OnDone done);

  void queue(const char* sql);
  void queue_prepare(const char* name, const std::string& sql, std::span<const unsigned> types);
  void queue_prepared(const char* name, const Parameters& parameters);
  /// By the unnamed statement.
  void queue_unprepared(const std::string& sql, std::span<const unsigned> types,
                        const Parameters& parameters);

  /// Runs `sql`, which ends with COPY ... FROM STDIN, and feeds it what `next_piece` returns until that is
  /// empty.
  void copy_in(const std::string& sql, std::function<std::string_view()> next_piece, OnDone done);

  /// Blocks. Throws Error{data} when the server refuses the statement.
  [[nodiscard]] BinaryResult select(const std::string& sql, std::span<const unsigned> types,
                                    const Parameters& parameters);

 private:
  enum class Step { idle, sending, receiving };
  struct Finish {
    void operator()(pg_conn* connection) const;
  };

  void connect(const ConnectOptions& options);
  void set(const std::string& name, const std::string& value);
  void begin(Step step, OnDone done);
  void pump();
  bool send_all();
  bool queue_more();
  bool feed_copy();
  bool receive_all();
  bool take(const pg_result* result);
  void note_error(const pg_result* result);
  void end_exchange();
  void wait_readable();
  void wait_writable();
  void check_queued(int accepted) const;
  [[noreturn]] void throw_lost() const;

  std::unique_ptr<pg_conn, Finish> connection_;
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
