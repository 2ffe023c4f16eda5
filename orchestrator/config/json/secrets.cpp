#include "orchestrator/config/json/secrets.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>
#include <utility>

#include "orchestrator/config/json/json_text.h"
#include "orchestrator/config/json/shown_json.h"

namespace walstorm::config {
namespace {

constexpr const char* kHidden = "***";
/// Ends of names: of libpq (password, sslpassword, oauth_client_secret, scram_client_key), of ClickHouse and
/// of what stands before it.
constexpr std::array<std::string_view, 10> kSecretEndings{
    "password", "passwd",  "pwd",    "passphrase", "secret",
    "token",    "api_key", "apikey", "access_key", "scram_client_key"};

/// Where a value that begins at `start` ends: at its closing quote, at the next parameter, or at a blank.
std::size_t end_of_value(const std::string& text, std::size_t start) {
  if (start == text.size() || text[start] != '\'') {
    return std::min(text.find_first_of("& \t\n", start), text.size());
  }
  std::size_t quote = start + 1;
  while (quote < text.size() && text[quote] != '\'') quote += text[quote] == '\\' ? 2 : 1;
  return std::min(quote + 1, text.size());
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int letter = std::tolower(static_cast<unsigned char>(c));
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// libpq and ClickHouse decode the names of parameters too: "pass%77ord".
std::string decoded(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_escape =
        name[i] == '%' && i + 2 < name.size() && hex_digit(name[i + 1]) >= 0 && hex_digit(name[i + 2]) >= 0;
    text += is_escape ? static_cast<char>(hex_digit(name[i + 1]) * 16 + hex_digit(name[i + 2])) : name[i];
    if (is_escape) i += 2;
  }
  return text;
}

/// Behind every '?' and '&': passwords with a raw '?' in them are no reason to show another parameter.
void hide_parameters(std::string& url) {
  for (auto at = url.find_first_of("?&"); at != std::string::npos; at = url.find_first_of("?&", at + 1)) {
    const auto equals = url.find('=', at);
    if (equals == std::string::npos) return;
    const std::string_view name = std::string_view(url).substr(at + 1, equals - at - 1);
    if (name.find_first_of("?&") != std::string_view::npos || !names_a_secret(decoded(name))) continue;
    url.replace(equals + 1, end_of_value(url, equals + 1) - equals - 1, kHidden);
  }
}

/// What a `password=value` stands in.
enum class Within {
  value,  ///< a connection string: the value ends where libpq would end it
  text    ///< anything: a JSON string or a sentence may end there too
};

std::string hide_keywords(std::string text, Within within) {
  static constexpr std::string_view kKey = "password";
  for (auto at = text.find(kKey); at != std::string::npos; at = text.find(kKey, at)) {
    at += kKey.size();
    const auto equals = text.find_first_not_of(' ', at);
    if (equals == std::string::npos || text[equals] != '=') continue;
    const auto start = std::min(text.find_first_not_of(' ', equals + 1), text.size());
    const bool quoted = start < text.size() && text[start] == '\'';
    const auto end = quoted || within == Within::value
                         ? end_of_value(text, start)
                         : std::min(text.find_first_of("& \t\r\n\"\\`", start), text.size());
    // Within a JSON string no quote of ours may be taken for the string's end.
    if (within == Within::text && text.substr(start, end - start).find('"') != std::string::npos) continue;
    text.replace(start, end - start, kHidden);
  }
  return text;
}

bool belongs_to_scheme(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= 65'535;
}

/// "h", "h:5432", "[::1]:5432", or several of them with commas.
bool are_hosts(std::string_view text) {
  while (true) {
    const auto comma = text.find(',');
    std::string_view host = text.substr(0, comma);
    if (host.starts_with('[')) host.remove_prefix(std::min(host.find(']'), host.size()));
    const auto colon = host.find(':');
    if (colon != std::string_view::npos && colon + 1 < host.size() && !is_port(host.substr(colon + 1)))
      return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

/// Where the scheme of a URL ends that begins with the text; npos for what is no URL.
std::size_t end_of_scheme(std::string_view text) {
  const auto end = text.find("://");
  if (end == 0 || end == std::string_view::npos) return std::string_view::npos;
  const bool scheme = std::all_of(
      text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
      [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.' || c == ':'; });
  return scheme ? end + 3 : std::string_view::npos;
}

}  // namespace

bool names_a_secret(std::string_view key) {
  std::string name(key);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(kSecretEndings.begin(), kSecretEndings.end(),
                     [&name](std::string_view ending) { return name.ends_with(ending); });
}

std::string without_secrets(std::string url) {
  url = hide_keywords(std::move(url), Within::value);
  const auto scheme = end_of_scheme(url);
  if (scheme == std::string::npos) return url;
  const auto host_end = std::min(url.find_first_of("/?#", scheme), url.size());
  const auto at = url.find('@', scheme);
  const bool has_user = at < host_end;
  const auto host = has_user ? at + 1 : scheme;
  if (url.find('@', host) != std::string::npos ||
      !are_hosts(std::string_view(url).substr(host, host_end - host)))
    return url.substr(0, scheme).append(kHidden);
  hide_parameters(url);
  const auto colon = url.find(':', scheme);
  if (has_user && colon < at) url.replace(colon + 1, at - colon - 1, kHidden);
  return url;
}

std::string shown_value(const std::string& value) {
  ParsedJson parsed = parse_json(value);
  if (!parsed.error.empty()) return without_secrets(value);
  hide_secrets_in(parsed.value);
  return parsed.value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string hide_secrets(const std::string& text) {
  // How a URL is to be written is no secret.
  static constexpr std::string_view kAdvice = "postgresql://user:password@";
  std::string shown;
  std::size_t from = 0;
  for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", from)) {
    std::size_t begin = at;
    while (begin > from && belongs_to_scheme(text[begin - 1])) --begin;
    std::size_t end = std::min(text.find_first_of(" \t\r\n\"\\`", at), text.size());
    // "http://host:8123: no answer": what the sentence puts behind a URL is none of it.
    while (end > at + 3 && std::string_view(":;,.)").find(text[end - 1]) != std::string_view::npos) --end;
    const std::string url = text.substr(begin, end - begin);
    shown += hide_keywords(text.substr(from, begin - from), Within::text);
    shown += url.starts_with(kAdvice) ? url : without_secrets(url);
    from = end;
  }
  return shown + hide_keywords(text.substr(from), Within::text);
}

}  // namespace walstorm::config
