#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// postgresql:// URLs as libpq reads them (fe-connect.c, conninfo_uri_parse_options), taken apart before it
/// does: so that parameters which it refuses can be looked at, and so that a URL in which a password may have
/// been cut in two is known before any part of it is shown.
namespace walstorm::postgres {

struct UrlParameter {
  std::string name;   ///< decoded
  std::string value;  ///< decoded
  std::string raw;    ///< as written: "name=value"
};

struct ConnectionUrl {
  std::string before_query;  ///< as written
  std::vector<UrlParameter> parameters;
  /// Every character stands where RFC 3986 lets it stand. Where not, a password may reach into any part.
  bool plain = false;

  /// The whole again.
  [[nodiscard]] std::string text() const;
  /// The parameter of that name, the last of several; nullptr for none.
  [[nodiscard]] const UrlParameter* find(std::string_view name) const;
  void remove(std::string_view name);
};

/// Whether `text` is meant as a URL: it begins with a scheme, whichever.
[[nodiscard]] bool looks_like_url(std::string_view text);

/// Nullopt for another scheme, and where the parts cannot be told apart: an @ in host or path, a port that is
/// none. `postgresql://app:Hunter2` and `postgresql://app:Hun/ter2@host` are such.
[[nodiscard]] std::optional<ConnectionUrl> split_url(const std::string& text);

}  // namespace walstorm::postgres
