#include "orchestrator/profile/push/http_exchange.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>

#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using wire::Error;
using wire::ErrorKind;

constexpr std::size_t kAnswerBytesMax = 256U << 20U;

boost::urls::url_view parsed(const std::string& url) {
  const auto result = boost::urls::parse_uri(url);
  if (result.has_error() || result->host().empty())
    throw Error(ErrorKind::config, fmt::format("{} is no URL", shown_url(url)));
  if (result->scheme() != "http")
    throw Error(ErrorKind::config,
                fmt::format("{}: only http:// is spoken here; put a proxy before it that speaks {}",
                            shown_url(url), std::string(result->scheme())));
  return *result;
}

std::string basic_authorization(const boost::urls::url_view& url) {
  const std::string login = url.user() + ":" + url.password();
  std::string text(beast::detail::base64::encoded_size(login.size()), '\0');
  text.resize(beast::detail::base64::encode(text.data(), login.data(), login.size()));
  return "Basic " + text;
}

/// Runs what has been started to its end, within the stream's own deadline.
void settle(boost::asio::io_context& io, const beast::error_code& result, const char* what,
            const std::string& url) {
  io.restart();
  io.run();
  if (result)
    throw Error(ErrorKind::unavailable, fmt::format("{} {}: {}", what, shown_url(url), result.message()));
}

}  // namespace

HttpAnswer http_exchange(const HttpRequest& wanted) {
  const boost::urls::url_view url = parsed(wanted.url);
  boost::asio::io_context io(1);
  beast::error_code result;
  tcp::resolver resolver(io);
  const std::string host(url.host_address());
  const auto endpoints = resolver.resolve(host, url.has_port() ? std::string(url.port()) : "80", result);
  if (result)
    throw Error(ErrorKind::unavailable, fmt::format("find {}: {}", shown_url(wanted.url), result.message()));
  beast::tcp_stream stream(io);
  stream.expires_after(wanted.timeout);
  const auto take = [&result](const beast::error_code& error, auto&&...) { result = error; };
  stream.async_connect(endpoints, take);
  settle(io, result, "connect to", wanted.url);
  std::string target(url.encoded_target());
  if (target.empty() || target.front() != '/') target.insert(0, "/");
  http::request<http::string_body> request(http::string_to_verb(wanted.method), target, 11);
  request.set(http::field::host, std::string(url.encoded_host_and_port()));
  request.set(http::field::user_agent, "walstorm");
  request.set(http::field::connection, "close");
  if (url.has_userinfo()) request.set(http::field::authorization, basic_authorization(url));
  if (!wanted.content_type.empty()) request.set(http::field::content_type, wanted.content_type);
  request.body() = wanted.body;
  request.prepare_payload();
  http::async_write(stream, request, take);
  settle(io, result, "send to", wanted.url);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytesMax);
  http::async_read(stream, buffer, parser, take);
  settle(io, result, "read the answer of", wanted.url);
  return {parser.get().result_int(), parser.get().body()};
}

std::string shown_url(const std::string& url) {
  const auto result = boost::urls::parse_uri(url);
  if (result.has_error()) return url.find('@') == std::string::npos ? url : "the URL that was given";
  return fmt::format("{}://{}{}", std::string(result->scheme()), std::string(result->encoded_host_and_port()),
                     std::string(result->encoded_path()));
}

}  // namespace walstorm::profile
