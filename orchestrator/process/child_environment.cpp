#include "orchestrator/process/child_environment.h"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace walstorm::process {
namespace {

constexpr std::array<std::string_view, 11> kNeeded{"PATH",          "HOME",         "USER",      "LOGNAME",
                                                   "SHELL",         "LANG",         "LANGUAGE",  "TMPDIR",
                                                   "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5CCNAME"};
/// Of the C library, the loader, time zones, OpenSSL, Kerberos, sanitizers (ASAN_OPTIONS) and our own.
constexpr std::array<std::string_view, 8> kNeededBeginnings{"LC_",      "TZ",    "LD_",        "MALLOC_",
                                                            "OPENSSL_", "KRB5_", "GLIBC_TUNA", "WALSTORM_"};

bool is_secret(std::string_view name) {
  for (const std::string_view part :
       {"PASSWORD", "SECRET", "TOKEN", "_URL", "PASSPHRASE", "_URI", "_DSN", "_PWD", "_KEY", "CREDENTIAL"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

bool is_given(std::string_view name, Variables which) {
  if (which == Variables::all) return true;
  if (is_secret(name)) return false;
  if (which == Variables::no_secrets) return true;
  if (which == Variables::libpq && name.starts_with("PG")) return true;
  return std::find(kNeeded.begin(), kNeeded.end(), name) != kNeeded.end() || name.ends_with("SAN_OPTIONS") ||
         std::any_of(kNeededBeginnings.begin(), kNeededBeginnings.end(),
                     [name](std::string_view beginning) { return name.starts_with(beginning); });
}

std::vector<std::string> child_environment(Variables which, const std::vector<std::string>& more) {
  std::vector<std::string> variables = more;
  const auto is_replaced = [&more](std::string_view name) {
    return std::any_of(more.begin(), more.end(),
                       [name](std::string_view each) { return each.substr(0, each.find('=')) == name; });
  };
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    if (is_given(name, which) && !is_replaced(name)) variables.emplace_back(text);
  }
  return variables;
}

}  // namespace walstorm::process
