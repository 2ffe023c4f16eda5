#include "orchestrator/postgres/address/connection_url.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace walstorm::postgres {
namespace {

constexpr std::size_t npos = std::string_view::npos;

std::optional<unsigned char> hex_pair(std::string_view text) {
  unsigned value = 0;
  if (text.size() < 2) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 2, value, 16);
  if (error != std::errc() || end != text.data() + 2) return std::nullopt;
  return static_cast<unsigned char>(value);
}

/// What is no percent-encoding stays: libpq refuses it.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? hex_pair(text.substr(i + 1)) : std::nullopt;
    out += byte ? static_cast<char>(*byte) : text[i];
    if (byte) i += 2;
  }
  return out;
}

/// RFC 3986, 2.2 and 2.3, and no more than these.
bool is_plain(std::string_view text, std::string_view also) {
  constexpr std::string_view kAllowed = "-._~!$&'()*+,;=:%";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && !hex_pair(text.substr(i + 1))) return false;
    const bool letter_or_digit = std::isalnum(static_cast<unsigned char>(text[i])) != 0;
    if (!letter_or_digit && kAllowed.find(text[i]) == npos && also.find(text[i]) == npos) return false;
  }
  return true;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

/// "h", "h:5432", "[::1]:5432", "%2Frun%2Fpostgresql", or several of them with commas.
bool are_hosts(std::string_view text) {
  while (true) {
    const auto comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    if (one.starts_with('[')) one.remove_prefix(std::min(one.find(']'), one.size()));
    const auto colon = one.find(':');
    if (one.find('@') != npos) return false;
    if (colon != npos && colon + 1 < one.size() && !is_port(one.substr(colon + 1))) return false;
    if (comma == npos) return true;
    text.remove_prefix(comma + 1);
  }
}

std::vector<UrlParameter> parameters_of(std::string_view query) {
  std::vector<UrlParameter> found;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view raw = query.substr(0, end);
    const auto equals = std::min(raw.find('='), raw.size());
    found.push_back({decoded(raw.substr(0, equals)), decoded(raw.substr(std::min(equals + 1, raw.size()))),
                     std::string(raw)});
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return found;
}

std::size_t length_of_scheme(std::string_view text) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (text.starts_with(scheme)) return scheme.size();
  }
  return 0;
}

}  // namespace

std::string ConnectionUrl::text() const {
  std::string whole = before_query;
  for (const UrlParameter& each : parameters) {
    whole += &each == &parameters.front() ? '?' : '&';
    whole += each.raw;
  }
  return whole;
}

const UrlParameter* ConnectionUrl::find(std::string_view name) const {
  const auto found = std::find_if(parameters.rbegin(), parameters.rend(),
                                  [name](const UrlParameter& each) { return each.name == name; });
  return found == parameters.rend() ? nullptr : &*found;
}

void ConnectionUrl::remove(std::string_view name) {
  std::erase_if(parameters, [name](const UrlParameter& each) { return each.name == name; });
}

bool looks_like_url(std::string_view text) {
  const auto scheme = text.substr(0, std::min(text.find("://"), text.size()));
  return scheme.size() < text.size() && !scheme.empty() &&
         std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.' || c == ':';
         });
}

std::optional<ConnectionUrl> split_url(const std::string& text) {
  const std::size_t scheme = length_of_scheme(text);
  if (scheme == 0) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(scheme);
  // As libpq does: an @ behind the first / belongs to no user.
  const auto at = rest.find_first_of("@/");
  const bool has_user = at != npos && rest[at] == '@';
  const std::string_view user = has_user ? rest.substr(0, at) : "";
  const std::string_view behind = rest.substr(has_user ? at + 1 : 0);
  const auto query = std::min(behind.find('?'), behind.size());
  const std::string_view hosts = behind.substr(0, std::min(behind.find('/'), query));
  const std::string_view path = behind.substr(hosts.size(), query - hosts.size());
  if (!are_hosts(hosts) || path.find('@') != npos) return std::nullopt;
  const std::string_view parameters = behind.substr(std::min(query + 1, behind.size()));
  ConnectionUrl url;
  url.before_query = text.substr(0, text.size() - (behind.size() - query));
  url.parameters = parameters_of(parameters);
  url.plain =
      is_plain(user, "") && is_plain(hosts, "[]") && is_plain(path, "/") && is_plain(parameters, "/?[]");
  return url;
}

}  // namespace walstorm::postgres
