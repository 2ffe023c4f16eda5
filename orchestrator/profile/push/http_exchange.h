#pragma once

#include <chrono>
#include <string>

namespace walstorm::profile {

struct HttpRequest {
  std::string method = "GET";
  std::string url;                ///< http[s]://[user[:password]@]host[:port]/path?query
  std::string content_type = {};  ///< of the body
  std::string body = {};
  std::chrono::milliseconds timeout{10'000};  ///< for all of it
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body = {};
  std::string location = {};  ///< where a redirect leads to
};

/// One request and its answer; no redirect is followed. Blocks, so it is for when nothing is measured. https
/// needs a certificate that the system's roots vouch for (SSL_CERT_FILE, SSL_CERT_DIR). Throws Error{config}
/// for a URL that is none or of another scheme, Error{unavailable} when there is no answer or the certificate
/// is not accepted; neither shows a password.
[[nodiscard]] HttpAnswer http_exchange(const HttpRequest& request);

/// Of an answer that is no success: "HTTP 404 no such tenant", "HTTP 301, a redirect to …: give that URL".
[[nodiscard]] std::string refusal_text(const HttpAnswer& answer);

/// Without user and password, for people.
[[nodiscard]] std::string shown_url(const std::string& url);

}  // namespace walstorm::profile
