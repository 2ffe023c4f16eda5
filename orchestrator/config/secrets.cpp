#include "orchestrator/config/secrets.h"

#include <algorithm>
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

}  // namespace

std::string without_secrets(std::string url) {
  static constexpr std::string_view kKey = "password";
  for (auto at = url.find(kKey); at != std::string::npos; at = url.find(kKey, at)) {
    at += kKey.size();
    const auto equals = url.find_first_not_of(' ', at);
    if (equals == std::string::npos || url[equals] != '=') continue;
    const auto start = std::min(url.find_first_not_of(' ', equals + 1), url.size());
    url.replace(start, end_of_value(url, start) - start, "***");
  }
  const auto scheme = url.find("://");
  const auto host = url.rfind('@');
  if (scheme == std::string::npos || host == std::string::npos || host < scheme) return url;
  const auto colon = url.find(':', scheme + 3);
  if (colon < host) url.replace(colon + 1, host - colon - 1, "***");
  return url;
}

}  // namespace walstorm::config
