#include "orchestrator/config/secrets.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

namespace walstorm::config {
namespace {

/// Where a value that begins at `start` ends: at its closing quote, at the next parameter, or at a blank.
std::size_t end_of_value(const std::string& text, std::size_t start) {
  if (start == text.size() || text[start] != '\'') {
    return std::min(text.find_first_of("& \t\n", start), text.size());
  }
  std::size_t quote = start + 1;
  while (quote < text.size() && text[quote] != '\'') quote += text[quote] == '\\' ? 2 : 1;
  return std::min(quote + 1, text.size());
}

void hide_parameters(std::string& text) {
  static constexpr std::string_view kKey = "password";
  for (auto at = text.find(kKey); at != std::string::npos; at = text.find(kKey, at)) {
    at += kKey.size();
    const auto equals = text.find_first_not_of(' ', at);
    if (equals == std::string::npos || text[equals] != '=') continue;
    const auto start = std::min(text.find_first_not_of(' ', equals + 1), text.size());
    text.replace(start, end_of_value(text, start) - start, "***");
  }
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

std::string without_secrets(std::string url) {
  hide_parameters(url);
  const auto scheme = end_of_scheme(url);
  if (scheme == std::string::npos) return url;
  const auto host_end = std::min(url.find_first_of("/?#", scheme), url.size());
  const auto at = url.find('@', scheme);
  const bool has_user = at < host_end;
  const auto host = has_user ? at + 1 : scheme;
  if (url.find('@', host) != std::string::npos ||
      !are_hosts(std::string_view(url).substr(host, host_end - host)))
    return url.substr(0, scheme) + "***";
  const auto colon = url.find(':', scheme);
  if (has_user && colon < at) url.replace(colon + 1, at - colon - 1, "***");
  return url;
}

}  // namespace walstorm::config
