#include "proto/clickhouse/http_connection.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "proto/clickhouse/server_error.h"
#include "proto/clickhouse/tls_trust.h"

namespace walstorm::clickhouse {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Body = http::span_body<const char>;

constexpr std::uint32_t kHeaderBytesMax = 64U << 10U;

/// Where a statement goes: settings, and the SQL as well when the body is its data.
std::string target_of(const Statement& statement, const Address& address) {
  std::string target = "/";
  char separator = '?';
  const auto add = [&](std::string_view name, std::string_view value) {
    target += separator;
    target += percent_encoded(name) + "=" + percent_encoded(value);
    separator = '&';
  };
  if (!statement.data.empty()) add("query", statement.sql);
  for (const auto& [name, value] : address.settings) {
    if (!statement.settings.contains(name)) add(name, value);
  }
  for (const auto& [name, value] : statement.settings) add(name, value);
  return target;
}

http::request<Body> request_of(const Statement& statement, const Address& address) {
  if (statement.sql.empty()) {
    http::request<Body> greeting(http::verb::get, "/", 11);
    greeting.set(http::field::host, address.authority());
    greeting.set(http::field::user_agent, "walstorm");
    return greeting;
  }
  http::request<Body> request(http::verb::post, target_of(statement, address), 11);
  request.set(http::field::host, address.authority());
  request.set(http::field::user_agent, "walstorm");
  if (!address.user.empty()) request.set("X-ClickHouse-User", address.user);
  if (!address.password.empty()) request.set("X-ClickHouse-Key", address.password);
  const std::string_view body = statement.data.empty() ? std::string_view(statement.sql) : statement.data;
  if (!statement.data.empty() && !statement.encoding.empty()) {
    request.set(http::field::content_encoding, {statement.encoding.data(), statement.encoding.size()});
  }
  request.body() = {body.data(), body.size()};
  request.prepare_payload();
  return request;
}

bool not_http(const error_code& error) {
  return error.category() == make_error_code(http::error::bad_version).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:.4g} s", static_cast<double>(time.count()) / 1e3);
}

std::string shown(const tcp::endpoint& endpoint) {
  Address address;
  address.host = endpoint.address().to_string();
  address.port = endpoint.port();
  return address.authority();
}

std::string_view trimmed(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \r\n\t");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

struct HttpConnection::Wire {
  std::optional<asio::ssl::stream<tcp::socket&>> tls;
  http::request<Body> request;
  std::optional<http::response_parser<http::string_body>> parser;
  boost::beast::flat_buffer received;
};

HttpConnection::HttpConnection(asio::io_context& loop, const Address& address,
                               const HttpClient::Limits& limits, TlsTrust* trust)
    : address_(address),
      limits_(limits),
      trust_(trust),
      socket_(loop),
      resolver_(loop),
      deadline_(loop),
      wire_(std::make_unique<Wire>()) {}

HttpConnection::~HttpConnection() = default;

template <typename Action>
void HttpConnection::with_stream(Action action) {
  if (wire_->tls) {
    action(*wire_->tls);
  } else {
    action(socket_);
  }
}

void HttpConnection::carry(const Statement& statement, Done done) {
  done_ = std::move(done);
  wire_->request = request_of(statement, address_);
  timed_out_ = false;
  served_before_ = stage_ == Stage::ready;
  if (served_before_) {
    exchange();
  } else {
    open();
  }
}

void HttpConnection::abandon() {
  done_ = nullptr;
  close();
}

/// A look-up takes a thread of Asio's, which an address in figures does without.
void HttpConnection::open() {
  error_code not_an_address;
  const asio::ip::address address = asio::ip::make_address(address_.host, not_an_address);
  if (!not_an_address) {
    endpoints_ = {tcp::endpoint(address, address_.port)};
    connect_next();
    return;
  }
  enter(Stage::resolving, limits_.connect_timeout);
  resolver_.async_resolve(
      address_.host, std::to_string(address_.port),
      [this, self = shared_from_this()](const error_code& error, const tcp::resolver::results_type& found) {
        if (stage_ != Stage::resolving) return;
        if (error) {
          fail_to_open(fmt::format("look up the host: {}", error.message()));
          return;
        }
        for (const auto& entry : found) endpoints_.push_back(entry.endpoint());
        connect_next();
      });
}

/// Each address gets its share of the time, so that one that does not answer leaves some for the others.
void HttpConnection::connect_next() {
  error_code ignored;
  socket_.close(ignored);
  timed_out_ = false;
  enter(Stage::connecting,
        limits_.connect_timeout / static_cast<int>(std::max<std::size_t>(endpoints_.size(), 1)));
  socket_.async_connect(endpoints_[next_endpoint_++],
                        [this, self = shared_from_this()](const error_code& error) { on_connected(error); });
}

void HttpConnection::on_connected(const error_code& error) {
  if (stage_ != Stage::connecting) return;
  if (error || timed_out_) {
    if (!failures_.empty()) failures_ += "; ";
    // Of one address, it is in the message already or says nothing that the name does not.
    if (endpoints_.size() > 1) failures_ += shown(endpoints_[next_endpoint_ - 1]) + ": ";
    failures_ += timed_out_ ? "no answer within " + seconds(time_limit_) : error.message();
    if (next_endpoint_ < endpoints_.size()) {
      connect_next();
    } else {
      fail_to_open(failures_ +
                   "; see that ClickHouse runs there, and that it is the port of its HTTP interface");
    }
    return;
  }
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  if (trust_ != nullptr) {
    handshake();
  } else {
    exchange();
  }
}

void HttpConnection::handshake() {
  auto& stream = wire_->tls.emplace(socket_, trust_->context());
  TlsTrust::expect_host(stream.native_handle(), address_.host);
  enter(Stage::handshaking, limits_.connect_timeout);
  stream.async_handshake(
      asio::ssl::stream_base::client, [this, self = shared_from_this()](const error_code& error) {
        if (stage_ != Stage::handshaking) return;
        if (!error && !timed_out_) {
          exchange();
          return;
        }
        const std::string trouble = TlsTrust::certificate_trouble(wire_->tls->native_handle(), address_.host);
        if (timed_out_) {
          fail_to_open("no TLS handshake within " + seconds(time_limit_));
        } else if (!trouble.empty()) {
          fail_to_open(trouble, Answer::Kind::refused);
        } else {
          fail_to_open(fmt::format("TLS handshake: {}; see that it is the port for https", error.message()));
        }
      });
}

/// Reads from the beginning: a server that refuses a statement may answer before it has taken all of the
/// data.
void HttpConnection::exchange() {
  enter(Stage::exchanging, limits_.answer_timeout);
  auto& parser = wire_->parser.emplace();
  parser.body_limit(limits_.answer_bytes_max);
  parser.header_limit(kHeaderBytesMax);
  under_way_ = 2;
  write_error_ = read_error_ = {};
  with_stream([this](auto& stream) {
    http::async_write(
        stream, wire_->request,
        [this, self = shared_from_this()](const error_code& error, std::size_t) { on_written(error); });
    http::async_read(
        stream, wire_->received, *wire_->parser,
        [this, self = shared_from_this()](const error_code& error, std::size_t) { on_read(error); });
  });
}

/// What ends the writing ends the reading too, by what there is to read or by the deadline.
void HttpConnection::on_written(const error_code& error) {
  write_error_ = error;
  if (--under_way_ == 0) conclude();
}

void HttpConnection::on_read(const error_code& error) {
  read_error_ = error;
  if (--under_way_ == 0) {
    conclude();
    return;
  }
  // There is nothing left to say; the statement's data is free once the writing has ended.
  error_code ignored;
  socket_.close(ignored);
}

void HttpConnection::conclude() {
  if (!done_) return;
  Outcome outcome;
  const bool complete = !read_error_ && !write_error_;
  if (!read_error_) {
    outcome.answer = answer_read();
  } else {
    outcome.was_stale =
        served_before_ && !timed_out_ && !wire_->parser->got_some() && wire_->received.size() == 0;
    outcome.answer = answer_lost();
  }
  if (complete && wire_->parser->keep_alive() && wire_->received.size() == 0) {
    stage_ = Stage::ready;
    deadline_.cancel();
  } else {
    close();
  }
  finish(std::move(outcome));
}

/// The whole answer is there.
Answer HttpConnection::answer_read() {
  auto& message = wire_->parser->get();
  Answer answer{.kind = Answer::Kind::refused,
                .http_status = static_cast<int>(message.result_int()),
                .text = std::move(message.body())};
  if (message.result_int() / 100 == 3) {
    const auto location = message[http::field::location];
    answer.text = fmt::format("{} answers with a redirect to {}: give the URL that it leads to",
                              address_.shown(), std::string_view(location.data(), location.size()));
    return answer;
  }
  const auto header = message["X-ClickHouse-Exception-Code"];
  std::from_chars(header.data(), header.data() + header.size(), answer.code);
  if (const auto error = find_server_error(answer.text)) {
    if (answer.code == 0) answer.code = error->code;
    answer.text.erase(0, error->at);
  } else if (message.result() == http::status::ok && header.empty()) {
    // 18.16 sends the header with the answers to statements alone; a greeting is known by its text.
    const bool greeting = wire_->request.method() == http::verb::get;
    const bool clickhouses = std::any_of(message.begin(), message.end(), [](const auto& field) {
      return is_clickhouse_header({field.name_string().data(), field.name_string().size()});
    });
    if (!greeting && !clickhouses) return not_clickhouse(address_.shown(), answer.text);
    answer.kind = Answer::Kind::done;
    return answer;
  }
  if (answer.code == 0) answer.code = code_in(answer.text);
  answer.text.resize(trimmed(answer.text).size());
  if (answer.text.empty()) {
    answer.text =
        fmt::format("{} answers with HTTP status {} and no text", address_.shown(), answer.http_status);
  }
  return answer;
}

/// There is none, or a part of one. A server that fails in mid-answer says why and cuts the connection.
Answer HttpConnection::answer_lost() {
  Answer answer;
  const auto& parser = *wire_->parser;
  if (parser.is_header_done()) {
    answer.http_status = static_cast<int>(parser.get().result_int());
    const std::string& body = parser.get().body();
    if (const auto error = find_server_error(body)) {
      answer.kind = Answer::Kind::refused;
      answer.code = error->code;
      answer.text = trimmed(std::string_view(body).substr(error->at));
      return answer;
    }
  }
  const std::string who = address_.shown();
  if (timed_out_) {
    answer.text = fmt::format("{}: no answer within {}", who, seconds(time_limit_));
  } else if (read_error_ == http::error::body_limit) {
    answer.kind = Answer::Kind::refused;
    answer.text = fmt::format("{}: the answer is longer than {} bytes", who, limits_.answer_bytes_max);
  } else if (not_http(read_error_)) {
    answer.text = fmt::format(
        "{}: what comes back is not HTTP ({}); see that it is the port of ClickHouse's HTTP interface", who,
        read_error_.message());
  } else {
    const bool ended = read_error_ == http::error::end_of_stream ||
                       read_error_ == http::error::partial_message ||
                       read_error_ == asio::ssl::error::stream_truncated;
    answer.text =
        fmt::format("{}: the connection was cut {} the answer{}", who,
                    parser.got_some() ? "within" : "before", ended ? "" : " (" + read_error_.message() + ")");
  }
  return answer;
}

void HttpConnection::fail_to_open(const std::string& why, Answer::Kind kind) {
  close();
  finish({.answer = {.kind = kind, .text = fmt::format("connect to {}: {}", address_.shown(), why)}});
}

/// The last thing that a handler does: the owner may let go of the connection.
void HttpConnection::finish(Outcome outcome) {
  const Done done = std::exchange(done_, nullptr);
  if (done) done(std::move(outcome));
}

/// Every wait has a deadline.
void HttpConnection::enter(Stage stage, std::chrono::milliseconds time_limit) {
  stage_ = stage;
  time_limit_ = time_limit;
  deadline_.expires_after(time_limit);
  deadline_.async_wait([this, self = shared_from_this()](const error_code& error) {
    // A wait that was put off may have been over already, its handler being on the way.
    if (!error && deadline_.expiry() <= std::chrono::steady_clock::now()) on_deadline();
  });
}

void HttpConnection::on_deadline() {
  timed_out_ = true;
  error_code ignored;
  switch (stage_) {
    case Stage::closed:
    case Stage::ready:
      return;
    case Stage::resolving:
      // The look-up itself cannot be called back; its handler will find the stage closed.
      fail_to_open("look up the host: no answer within " + seconds(time_limit_));
      return;
    default:
      socket_.close(ignored);  // whoever waits for it hears of that
  }
}

void HttpConnection::close() {
  stage_ = Stage::closed;
  deadline_.cancel();
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
  // Handlers that are on their way make OpenSSL go on; now it refuses before it looks at what was to be
  // written.
  if (wire_->tls) SSL_set_shutdown(wire_->tls->native_handle(), SSL_SENT_SHUTDOWN);
}

}  // namespace walstorm::clickhouse
