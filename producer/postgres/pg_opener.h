#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "proto/postgres/connection.h"
#include "proto/postgres/host_lookup.h"
#include "proto/postgres/lent_socket.h"
#include "proto/wire/backoff.h"

namespace walstorm::producer {

struct ConnectOptions {
  std::string conninfo;                                               ///< URL or keywords
  std::vector<std::pair<std::string, std::string>> session_settings;  ///< GUCs of the user
  std::chrono::milliseconds give_up{30'000};  ///< how long the server may be out of reach
};

/// How the server knows a session: its backend's process id and when that started, since ids are used again.
/// `started` is empty where the server does not tell.
struct SessionId {
  std::string pid;
  std::string started;
};

/// An open session of libpq's, not blocking, with its settings made.
struct PgSession {
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Finish> connection;
  SessionId id;
};

/// What the server says, with its DETAIL and HINT. A DETAIL may quote values of a generated row, at any
/// length: it is cut.
[[nodiscard]] std::string message_of(const pg_result* result);

/// Opens sessions, on the loop. With pg_connection.cpp the only file of the producer that includes libpq.
class PgOpener final {
 public:
  using OnOpen = std::function<void(PgSession)>;

  PgOpener(boost::asio::io_context& loop, ConnectOptions options);
  PgOpener(const PgOpener&) = delete;
  PgOpener& operator=(const PgOpener&) = delete;
  ~PgOpener();

  /// One attempt, after which `on_open` is called with the session. What is in its way leaves the loop:
  /// Error{unavailable} when the server is not to be had, Error{config} for a connection string that cannot
  /// be read or a setting that the server refuses.
  void open(OnOpen on_open);

  /// Tries again and again, with a back-off, until `on_open` can be called with a session. After
  /// ConnectOptions::give_up Error{unavailable} leaves the loop. Never blocks: the server's name is looked up
  /// anew for each attempt, off the loop.
  void reopen(OnOpen on_open);

  [[nodiscard]] std::chrono::milliseconds give_up() const { return options_.give_up; }

 private:
  void try_again();
  void attempt();
  void connect(const postgres::HostAddresses& addresses);
  void advance();
  void ask_settings();
  void attempt_failed(const std::string& why);
  void refused(const postgres::Refused& refused);
  void drop_attempt();

  const ConnectOptions options_;
  boost::asio::steady_timer timer_;
  postgres::LentSocket socket_;  // of the attempt under way
  postgres::HostLookup lookup_;
  std::optional<postgres::Connection> opening_;
  bool asked_ = false;    // for its settings: it is connected
  bool once_ = false;     // open(), not reopen()
  unsigned attempt_ = 0;  // tells what the loop still holds of an attempt given up
  wire::Backoff backoff_{wire::kReconnect, std::random_device{}()};
  std::uint64_t failures_ = 0;  // since reopen()
  std::chrono::steady_clock::time_point gives_up_at_;
  OnOpen on_open_;
};

/// Opens `count` sessions, several at a time: from a distant server each of them takes many round trips.
/// Blocks. Throws as PgOpener::open does, for the first that fails.
[[nodiscard]] std::vector<PgSession> open_together(const ConnectOptions& options, std::size_t count);

}  // namespace walstorm::producer
