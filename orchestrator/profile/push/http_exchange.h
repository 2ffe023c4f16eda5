#pragma once

#include <chrono>
#include <string>

namespace walstorm::profile {

struct HttpRequest {
  std::string method = "GET";
  std::string url;           ///< http://[user[:password]@]host[:port]/path?query
  std::string content_type = {};  ///< of the body
  std::string body = {};
  std::chrono::milliseconds timeout{10'000};  ///< for all of it
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body = {};
};

/// One request and its answer. Blocks, so it is for when nothing is measured. Throws Error{config} for a URL
/// that is none or that this cannot speak to (https), Error{unavailable} when there is no answer; neither
/// shows a password.
[[nodiscard]] HttpAnswer http_exchange(const HttpRequest& request);

/// Without user and password, for people.
[[nodiscard]] std::string shown_url(const std::string& url);

}  // namespace walstorm::profile
