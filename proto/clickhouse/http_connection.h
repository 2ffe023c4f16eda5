#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "proto/clickhouse/address.h"
#include "proto/clickhouse/http_client.h"

namespace walstorm::clickhouse {

class TlsTrust;

/// One connection of an HttpClient: made with its first statement, and good for one statement after another
/// for as long as both sides keep it. Handlers that the loop still holds keep it alive; once it is abandoned
/// they do nothing.
class HttpConnection final : public std::enable_shared_from_this<HttpConnection> {
 public:
  struct Outcome {
    Answer answer;
    /// The connection had served before, and ended before any byte of this answer: most likely the server had
    /// closed it while nobody used it.
    bool was_stale = false;
  };
  using Done = std::function<void(Outcome)>;

  HttpConnection(boost::asio::io_context& loop, const Address& address, const HttpClient::Limits& limits,
                 TlsTrust* trust);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();

  /// One at a time. `statement` stays as it is until `done`, which is called once, from the loop and never
  /// from within carry.
  void carry(const Statement& statement, Done done);

  /// After a statement: whether it can take another.
  [[nodiscard]] bool reusable() const { return stage_ == Stage::ready; }

  /// Closes it; `done` is not called any more, and nothing of the statement is touched.
  void abandon();

 private:
  enum class Stage { closed, resolving, connecting, handshaking, ready, exchanging };
  struct Wire;  // keeps Beast in the one .cpp

  void open();
  void connect_next();
  void on_connected(const boost::system::error_code& error);
  void handshake();
  void exchange();
  void on_written(const boost::system::error_code& error);
  void on_read(const boost::system::error_code& error);
  void conclude();
  [[nodiscard]] Answer answer_read();
  [[nodiscard]] Answer answer_lost();
  void fail_to_open(const std::string& why, Answer::Kind kind = Answer::Kind::no_answer);
  void finish(Outcome outcome);
  void enter(Stage stage, std::chrono::milliseconds time_limit);
  void on_deadline();
  void close();
  template <typename Action>
  void with_stream(Action action);

  const Address& address_;
  const HttpClient::Limits& limits_;
  TlsTrust* trust_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer deadline_;
  std::unique_ptr<Wire> wire_;
  Stage stage_ = Stage::closed;
  bool timed_out_ = false;
  std::chrono::milliseconds time_limit_{};
  // While it opens.
  std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  std::string failures_;  // of the endpoints before
  // Of the statement.
  Done done_;
  bool served_before_ = false;
  int under_way_ = 0;  // the writing and the reading
  boost::system::error_code write_error_;
  boost::system::error_code read_error_;
};

}  // namespace walstorm::clickhouse
