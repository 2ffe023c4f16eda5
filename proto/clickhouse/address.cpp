#include "proto/clickhouse/address.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

constexpr std::uint16_t kHttpPort = 8123;
constexpr std::uint16_t kHttpsPort = 8443;
constexpr const char* kExample = "http://user:password@host:8123";

/// The URL itself is never shown: a password may stand anywhere in one that cannot be read.
[[noreturn]] void refuse(const std::string& key, const std::string& why) {
  throw wire::Error(wire::ErrorKind::config, fmt::format("{}: {}", key, why));
}

std::uint16_t port_of(const boost::urls::url_view& url, bool tls, const std::string& key) {
  const std::string port(url.port());
  if (port.empty()) return tls ? kHttpsPort : kHttpPort;
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number == 0) {
    refuse(key, fmt::format("port {} is not between 1 and 65535", port));
  }
  return number;
}

/// Boost.URL takes one there; in people's URLs it is the end of a password that was cut by a raw / or ?.
void refuse_at_behind_host(const boost::urls::url_view& url, const std::string& key) {
  const bool found = url.encoded_path().find('@') != std::string_view::npos ||
                     url.encoded_query().find('@') != std::string_view::npos || url.has_fragment();
  if (!found) return;
  refuse(key,
         fmt::format("user, password and host cannot be told apart; write it as {}, with percent-encoding "
                     "(%40 for @, %2F for /, %23 for #, %3F for ?) for what is not a letter or a digit in "
                     "the password",
                     kExample));
}

void take_path(const boost::urls::url_view& url, const std::string& key, Address& address) {
  std::string path = url.path();
  // Boost.URL takes what follows the digits of a port for a path.
  if (!path.empty() && !path.starts_with('/')) refuse(key, "the port is not a number");
  if (!path.empty()) path.erase(0, 1);
  if (path.ends_with('/')) path.pop_back();
  if (path.find('/') != std::string::npos) {
    refuse(key, fmt::format("the path names a database and nothing more, as in {}/database", kExample));
  }
  address.database = std::move(path);
}

void take_query(const boost::urls::url_view& url, const std::string& key, Address& address) {
  for (const auto& parameter : url.params()) {
    std::string value = parameter.value;
    if (parameter.key == "user" || parameter.key == "username") {
      address.user = std::move(value);
    } else if (parameter.key == "password") {
      address.password = std::move(value);
    } else if (parameter.key == "database") {
      address.database = std::move(value);
    } else if (parameter.key == "query") {
      refuse(key, "a URL with a statement in it (query=...): walstorm brings its own");
    } else if (parameter.key.starts_with("session_") || parameter.key == "query_id") {
      refuse(key,
             fmt::format("{}: it may stand with one statement at a time, and walstorm sends several at once: "
                         "take it out",
                         parameter.key));
    } else if (!parameter.key.empty()) {
      address.settings[parameter.key] = std::move(value);
    }
  }
}

/// In HTTP's header lines, where user and password travel, such a character ends the line.
bool fits_a_header(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

}  // namespace

std::string Address::shown() const {
  return fmt::format("{}://{}{}", tls ? "https" : "http", authority(),
                     user.empty() ? "" : fmt::format(" as \"{}\"", user));
}

std::string Address::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}:{}", ipv6 ? "[" + host + "]" : percent_encoded(host), port);
}

Address parse_address(const std::string& url, const std::string& key) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed.has_value()) {
    refuse(key, fmt::format(
                    "cannot be read as a URL ({}); write it as {}, with percent-encoding for what is not a "
                    "letter or a digit in the password",
                    parsed.error().message(), kExample));
  }
  const boost::urls::url_view view = parsed.value();
  Address address;
  const std::string scheme(view.scheme());
  if (scheme != "http" && scheme != "https") {
    refuse(key,
           fmt::format("\"{}\" is not what walstorm speaks to ClickHouse; write it as {} or https://..., "
                       "with the port of the HTTP interface (8123, 8443)",
                       scheme, kExample));
  }
  refuse_at_behind_host(view, key);
  address.tls = scheme == "https";
  address.host = view.host_address();
  if (address.host.empty()) refuse(key, fmt::format("names no host; write it as {}", kExample));
  address.port = port_of(view, address.tls, key);
  address.user = view.user();
  address.password = view.password();
  take_path(view, key, address);
  take_query(view, key, address);
  if (!fits_a_header(address.user) || !fits_a_header(address.password) || !fits_a_header(address.host)) {
    refuse(key, "host, user and password cannot hold control characters");
  }
  return address;
}

std::string to_url(const Address& address) {
  std::string url = address.tls ? "https://" : "http://";
  if (!address.user.empty() || !address.password.empty()) {
    url += percent_encoded(address.user);
    if (!address.password.empty()) url += ":" + percent_encoded(address.password);
    url += "@";
  }
  url += address.authority() + "/" + percent_encoded(address.database);
  char separator = '?';
  for (const auto& [name, value] : address.settings) {
    url += fmt::format("{}{}={}", separator, percent_encoded(name), percent_encoded(value));
    separator = '&';
  }
  return url;
}

std::string percent_encoded(std::string_view text) {
  return boost::urls::encode({text.data(), text.size()}, boost::urls::unreserved_chars);
}

}  // namespace walstorm::clickhouse
