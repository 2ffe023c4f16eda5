#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace walstorm::clickhouse {

/// Where a ClickHouse server listens for HTTP, and as whom to speak to it.
struct Address {
  bool tls = false;
  std::string host;  ///< a name or an address; an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string user;      ///< empty: the server's default user
  std::string password;  ///< in no message, log or report
  /// A database that the URL names, by its path or its query; empty: none. walstorm has its own
  /// (clickhouse.database).
  std::string database;
  /// Further parameters of the URL's query: ClickHouse's settings, sent along with every statement.
  std::map<std::string, std::string> settings;

  /// "http://127.0.0.1:8123 as "load"": for people, without the password.
  [[nodiscard]] std::string shown() const;
  /// "127.0.0.1:8123", "[::1]:8123": as in a URL and in HTTP's Host.
  [[nodiscard]] std::string authority() const;
};

/// Reads http(s)://[user[:password]@]host[:port][/[database]][?name=value...]. Ports left out are 8123 and
/// 8443. `user` or `username`, `password` and `database` in the query are taken too, as ClickHouse's own
/// clients do. Throws Error{config}, which names `key` (such as "clickhouse.url"), says what is wrong and
/// shows no password.
[[nodiscard]] Address parse_address(const std::string& url, const std::string& key);

/// The URL that parse_address reads the same again. Holds the password.
[[nodiscard]] std::string to_url(const Address& address);

/// Fit to stand anywhere in a URL.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace walstorm::clickhouse
