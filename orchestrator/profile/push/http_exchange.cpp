#include "orchestrator/profile/push/http_exchange.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>

#include "proto/clickhouse/tls_trust.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using wire::Error;
using wire::ErrorKind;

constexpr std::size_t kAnswerBytesMax = 256U << 20U;
constexpr std::size_t kSaidChars = 200;

using Request = http::request<http::string_body>;
using Result = beast::error_code;

boost::urls::url_view parsed(const std::string& url) {
  const auto result = boost::urls::parse_uri(url);
  if (result.has_error() || result->host().empty())
    throw Error(ErrorKind::config, fmt::format("{} is no URL", shown_url(url)));
  if (result->scheme() != "http" && result->scheme() != "https")
    throw Error(ErrorKind::config, fmt::format("{}: http:// and https:// are spoken here, {}:// is not",
                                               shown_url(url), std::string(result->scheme())));
  return *result;
}

std::string basic_authorization(const boost::urls::url_view& url) {
  const std::string login = url.user() + ":" + url.password();
  std::string text(beast::detail::base64::encoded_size(login.size()), '\0');
  text.resize(beast::detail::base64::encode(text.data(), login.data(), login.size()));
  return "Basic " + text;
}

Request request_to(const boost::urls::url_view& url, const HttpRequest& wanted) {
  std::string target(url.encoded_target());
  if (target.empty() || target.front() != '/') target.insert(0, "/");
  Request request(http::string_to_verb(wanted.method), target, 11);
  request.set(http::field::host, std::string(url.encoded_host_and_port()));
  request.set(http::field::user_agent, "walstorm");
  request.set(http::field::connection, "close");
  if (url.has_userinfo()) request.set(http::field::authorization, basic_authorization(url));
  if (!wanted.content_type.empty()) request.set(http::field::content_type, wanted.content_type);
  request.body() = wanted.body;
  request.prepare_payload();
  return request;
}

/// One exchange: its steps run one by one to their ends, within one deadline.
class Exchange final {
 public:
  explicit Exchange(const HttpRequest& wanted) : wanted_(wanted), url_(parsed(wanted.url)) {}

  [[nodiscard]] HttpAnswer run() {
    if (url_.scheme() != "https") {
      beast::tcp_stream stream(io_);
      connect(stream);
      return carry(stream);
    }
    clickhouse::TlsTrust trust;
    boost::asio::ssl::stream<beast::tcp_stream> stream(io_, trust.context());
    connect(stream.next_layer());
    shake_hands(stream);
    return carry(stream);
  }

 private:
  [[nodiscard]] auto take() {
    return [this](const Result& result, auto&&...) { result_ = result; };
  }

  void settle(const char* what) {
    io_.restart();
    io_.run();
    if (result_) fail(what, result_.message());
  }

  [[noreturn]] void fail(const char* what, const std::string& why) const {
    throw Error(ErrorKind::unavailable, fmt::format("{} {}: {}", what, shown_url(wanted_.url), why));
  }

  void connect(beast::tcp_stream& stream) {
    tcp::resolver resolver(io_);
    const std::string port = url_.has_port() ? std::string(url_.port()) : std::string(url_.scheme());
    const auto endpoints = resolver.resolve(std::string(url_.host_address()), port, result_);
    if (result_) fail("find", result_.message());
    stream.expires_after(wanted_.timeout);
    stream.async_connect(endpoints, take());
    settle("connect to");
  }

  void shake_hands(boost::asio::ssl::stream<beast::tcp_stream>& stream) {
    const std::string host(url_.host_address());
    clickhouse::TlsTrust::expect_host(stream.native_handle(), host);
    stream.async_handshake(boost::asio::ssl::stream_base::client, take());
    io_.restart();
    io_.run();
    if (!result_) return;
    const std::string trouble = clickhouse::TlsTrust::certificate_trouble(stream.native_handle(), host);
    fail("connect to", trouble.empty() ? fmt::format("TLS handshake: {}; see that it is the port for https",
                                                     result_.message())
                                       : trouble);
  }

  template <typename Stream>
  [[nodiscard]] HttpAnswer carry(Stream& stream) {
    const Request request = request_to(url_, wanted_);
    http::async_write(stream, request, take());
    settle("send to");
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerBytesMax);
    http::async_read(stream, buffer, parser, take());
    settle("read the answer of");
    const auto location = parser.get()[http::field::location];
    return {parser.get().result_int(), parser.get().body(), std::string(location.data(), location.size())};
  }

  const HttpRequest& wanted_;
  const boost::urls::url_view url_;
  boost::asio::io_context io_{1};
  Result result_;
};

}  // namespace

HttpAnswer http_exchange(const HttpRequest& request) {
  return Exchange(request).run();
}

std::string refusal_text(const HttpAnswer& answer) {
  if (!answer.location.empty())
    return fmt::format("HTTP {}, a redirect to {}: give that URL", answer.status, shown_url(answer.location));
  const std::string said = answer.body.substr(0, kSaidChars);
  return fmt::format("HTTP {}{}{}", answer.status, said.empty() ? "" : " ", said);
}

std::string shown_url(const std::string& url) {
  const auto result = boost::urls::parse_uri(url);
  if (result.has_error()) return url.find('@') == std::string::npos ? url : "the URL that was given";
  return fmt::format("{}://{}{}", std::string(result->scheme()), std::string(result->encoded_host_and_port()),
                     std::string(result->encoded_path()));
}

}  // namespace walstorm::profile
