#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "proto/clickhouse/address.h"

namespace walstorm::clickhouse {

/// One statement, and what goes with it.
struct Statement {
  /// Empty: no statement. The server's greeting (GET /) is asked for, without user and key.
  std::string sql;
  /// Settings of this statement, beside the address's.
  std::map<std::string, std::string> settings = {};
  /// Of an INSERT ... FORMAT: its rows. Then the statement travels in the URL and the data is the body. It
  /// stays where it is, as it is, until the answer.
  std::string_view data = {};
  /// Of the data, as HTTP's Content-Encoding has it: "lz4", "zstd", "gzip"; empty: none.
  std::string_view encoding = {};
};

/// How a statement ended.
struct Answer {
  enum class Kind {
    done,       ///< carried out; `text` is what it returned
    refused,    ///< the server said no; `text` is what it said, `code` ClickHouse's number for it, 0 where it
                ///< gave none. Or we did, and `text` says why: a certificate that is not to be trusted, a
                ///< redirect, an answer that is too long
    no_answer,  ///< not reached, cut off, too slow, or answered by something that is no ClickHouse: whether
                ///< it was carried out is unknown. `text` says what happened
  };
  Kind kind = Kind::no_answer;
  int code = 0;
  int http_status = 0;  ///< 0: there was no answer
  std::string text;

  [[nodiscard]] bool ok() const { return kind == Kind::done; }
};

/// Whether the same statement may well succeed later, by ClickHouse's code for the error; by the HTTP status
/// only where there is none (TRAPS, "Writing to ClickHouse" 5). Everything that is not known to pass is
/// final.
[[nodiscard]] bool worth_a_retry(const Answer& answer);

/// Speaks ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) on the loop that it is
/// given: nothing blocks, not even the look-up of the host's name. Connections are kept alive and used again.
/// The only part of walstorm that knows Boost.Beast and OpenSSL.
class HttpClient final {
 public:
  struct Limits {
    /// Further statements wait for a connection, in order.
    std::size_t connections_max = 1;
    std::chrono::milliseconds connect_timeout{10'000};
    /// From sending until the whole answer is there.
    std::chrono::milliseconds answer_timeout{60'000};
    /// A longer answer is an error.
    std::size_t answer_bytes_max = 64U << 20U;
  };
  using Done = std::function<void(const Answer&)>;

  /// `loop` outlives the client. Certificates are checked against the system's roots (SSL_CERT_FILE and
  /// SSL_CERT_DIR as OpenSSL has them), and for the host's name.
  HttpClient(boost::asio::io_context& loop, Address address, const Limits& limits);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  /// Statements under way are given up: their `done` is not called any more.
  ~HttpClient();

  /// `done` is called once, from the loop, never from within send.
  void send(Statement statement, Done done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walstorm::clickhouse
