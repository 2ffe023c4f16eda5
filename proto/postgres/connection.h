#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/postgres/host_lookup.h"

struct pg_conn;
struct pg_result;

namespace walstorm::postgres {

/// The server has said no, or cannot be reached. For whoever holds the connection, and knows what it is for,
/// to catch.
class Refused final : public std::runtime_error {
 public:
  /// `said` on one line. `sqlstate`: empty where no server has said it.
  explicit Refused(const std::string& said, std::string sqlstate = {})
      : std::runtime_error(said), sqlstate_(std::move(sqlstate)) {}

  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }

 private:
  std::string sqlstate_;
};

/// What a connection waits for.
enum class Wants : std::uint8_t { read, write };

/// libpq's messages end with a line feed and may have several lines, with tabs.
[[nodiscard]] std::string one_line(std::string_view message);

/// One libpq connection, opened and asked without waiting: each step goes as far as the socket allows and
/// says what to wait for. Who waits on a loop does it by LentSocket, who may block by await().
///
/// libpq would block to look up a host's name: `addresses` are those of the string's hosts, if they were
/// looked up before. What does more than ask (pipelines, COPY) takes libpq's own handle.
class Connection final {
 public:
  using Keywords = std::vector<std::pair<const char*, std::string>>;

  /// Begins to connect. `fixed` wins over the string, `defaults` give way to it.
  explicit Connection(const std::string& conninfo, const Keywords& fixed = {},
                      const HostAddresses& addresses = {}, const Keywords& defaults = {});
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;
  ~Connection() = default;

  /// Changes while connecting: ask again before each wait.
  [[nodiscard]] int socket() const;

  /// Goes on connecting; nullopt: connected, and not blocking from then on. Throws Refused.
  [[nodiscard]] std::optional<Wants> connect();

  /// Sends one statement with its values for $1, $2, ..., as text; without values by the simple protocol,
  /// which is all that a replication connection takes. receive() waits for the answer. Throws Refused.
  void send(const std::string& sql, const std::vector<std::string>& values = {});

  /// nullopt: the answer is there to its end, or the server streams. Throws Refused; answer() has the
  /// server's refusal then, if it was one, and is_open() says whether the connection stands.
  [[nodiscard]] std::optional<Wants> receive();

  /// The next result, which becomes answer(); false when there is none. May wait for it. Throws Refused when
  /// it is an error.
  bool take_result();

  /// What libpq says of the connection's loss, on one line.
  [[nodiscard]] std::string failure() const;

  /// The last result, null before there is one.
  [[nodiscard]] const pg_result* answer() const { return answer_.get(); }
  /// Whether the answer has a row, and the first row's columns as text, empty for NULL.
  [[nodiscard]] bool has_row() const;
  [[nodiscard]] std::string_view field(int column) const;

  [[nodiscard]] bool is_open() const;
  /// libpq's handle, which stays ours.
  [[nodiscard]] pg_conn* libpq() const { return connection_.get(); }
  /// The same, to be taken over.
  [[nodiscard]] pg_conn* release() { return connection_.release(); }

 private:
  struct Free {
    void operator()(pg_conn* connection) const;
    void operator()(pg_result* result) const;
  };

  [[noreturn]] void refused_to_connect() const;
  [[noreturn]] void lost() const;

  std::unique_ptr<pg_conn, Free> connection_;
  std::unique_ptr<pg_result, Free> answer_;
  std::optional<Refused> refused_;  // thrown when the rest of its answer has been read
  bool polled_ = false;             // the first step of connecting is to wait
};

using Deadline = std::chrono::steady_clock::time_point;

/// Blocks until `advance` has nothing more to wait for at `socket`, which is asked anew each time. False:
/// `deadline` came first.
[[nodiscard]] bool await(const std::function<int()>& socket,
                         const std::function<std::optional<Wants>()>& advance, Deadline deadline);

/// A connection that is open, `fixed` as for Connection. Blocks, for `timeout` at most, the look-up of a
/// host's name included. Throws Refused, also when the time is up.
[[nodiscard]] Connection open(const std::string& conninfo, const Connection::Keywords& fixed,
                              std::chrono::milliseconds timeout);

/// The first row's first column of what `sql` gives; nullopt when it does not by `deadline`. Blocks.
[[nodiscard]] std::optional<std::string> ask(Connection& connection, const std::string& sql,
                                             Deadline deadline);

}  // namespace walstorm::postgres
