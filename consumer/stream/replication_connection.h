#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "proto/postgres/connection.h"

namespace walstorm::consumer {

/// The server is gone, or refused us for now (shutting down, starting up, no connection left, the slot in
/// use): trying again may help. Never leaves ReplicationStream; everything that does is a wire::Error.
class ConnectionLost final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One connection of the replication protocol. Nothing here waits: each step goes as far as the socket allows
/// and says what to wait for. The only file that knows libpq's replication calls.
/// https://www.postgresql.org/docs/current/protocol-replication.html
///
/// libpq would block to look up a host's name: who has a loop to keep going looks it up before. Every step
/// throws ConnectionLost, or Error where trying again is no use.
class ReplicationConnection final {
 public:
  using Wants = postgres::Wants;

  /// Begins to connect. `addresses`: of the string's hosts, if they were looked up.
  ReplicationConnection(const std::string& conninfo, const postgres::HostAddresses& addresses);
  ReplicationConnection(const ReplicationConnection&) = delete;
  ReplicationConnection& operator=(const ReplicationConnection&) = delete;
  ~ReplicationConnection();

  /// Changes while connecting: ask again before each wait.
  [[nodiscard]] int socket() const { return connection_.socket(); }
  /// The server's process for this connection, also when that is lost; 0 before there is one.
  [[nodiscard]] int server_process() const { return server_process_; }
  /// connect_timeout of the connection string; `otherwise` when it sets none.
  [[nodiscard]] int connect_timeout_sec(int otherwise) const;

  /// Goes on connecting; nullopt: connected.
  [[nodiscard]] std::optional<Wants> connect();

  /// Sends one statement, whose answer receive() waits for. `doing` begins the message of what it throws.
  void send(const std::string& sql, std::string doing);
  /// nullopt: the answer is there, or the server streams.
  [[nodiscard]] std::optional<Wants> receive();
  /// Of the answer: whether it has a row, and the first row's columns as text, empty for NULL.
  [[nodiscard]] bool has_row() const { return connection_.has_row(); }
  [[nodiscard]] std::string_view field(int column) const { return connection_.field(column); }

  /// In the replication grammar, which knows no E'' (PQescapeLiteral) and takes a backslash as it is.
  [[nodiscard]] static std::string quoted_literal(const std::string& text);
  [[nodiscard]] std::string quoted_identifier(const std::string& text) const;

  // While streaming.
  /// Takes what the socket has.
  void consume();
  /// The next whole message that was taken, valid until the next call; nullopt when there is none.
  [[nodiscard]] std::optional<std::string_view> next_message();
  /// Sends one message. Returns whether all is with the kernel: else wait for the socket and flush().
  [[nodiscard]] bool put(std::string_view message);
  [[nodiscard]] bool flush();

 private:
  struct Free {
    void operator()(char* memory) const;
  };

  [[nodiscard]] std::string quoted(const std::string& text,
                                   char* (*escape)(pg_conn*, const char*, std::size_t)) const;
  [[noreturn]] void lost(const std::string& doing) const;
  [[noreturn]] void ended();

  postgres::Connection connection_;
  std::unique_ptr<char, Free> message_;
  std::string doing_;
  int server_process_ = 0;
};

}  // namespace walstorm::consumer
