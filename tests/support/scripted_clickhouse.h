#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/certificates.h"

namespace walstorm::tests {

/// What a ScriptedClickhouse does about one request.
struct Reply {
  enum class How {
    answer,
    answer_and_close,  ///< closes without having said so, as a server does with a connection that is idle
    answer_early,      ///< when it has read the request's header, and none of its body; then closes
    cut,               ///< closes before the answer
    cut_within,        ///< announces 100 bytes of body more than it sends
    hold,              ///< says nothing until release()
    gibberish,         ///< what is not HTTP
  };
  How how = How::answer;
  unsigned status = 200;
  int exception_code = 0;  ///< X-ClickHouse-Exception-Code; 0: without the header
  std::string body = {};
  std::string location = {};
  bool clickhouse = true;  ///< with a header that all answers of ClickHouse have
};

/// As ClickHouse answers an error since 22: by the status, the header and the text.
[[nodiscard]] Reply refusal(int code, const std::string& text, unsigned status = 500);

struct SeenRequest {
  std::string target = {};
  std::map<std::string, std::string> parameters = {};  ///< of the target's query
  std::map<std::string, std::string> headers = {};     ///< names in lower case
  std::string body = {};                               ///< empty where it was answered early
  std::size_t connection = 0;                          ///< counted from 0 in the order of their making
};

/// An HTTP server on a free loopback port that answers as told and remembers what it was asked. Runs on a
/// thread of its own; its members may be called from any other.
class ScriptedClickhouse final {
 public:
  ScriptedClickhouse();
  /// Speaks https.
  explicit ScriptedClickhouse(const Certificate& certificate);
  ScriptedClickhouse(const ScriptedClickhouse&) = delete;
  ScriptedClickhouse& operator=(const ScriptedClickhouse&) = delete;
  ~ScriptedClickhouse();

  [[nodiscard]] std::uint16_t port() const;
  /// With `host` for a name, such as "user:password@localhost".
  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const;

  /// For the requests to come, in their order; those beyond are answered 200 with nothing in it.
  void will(std::vector<Reply> replies);
  /// Answers 200 to all that are held.
  void release();
  /// Closes every connection as it is.
  void close_connections();
  /// Refuses connections from now on.
  void stop_listening();

  [[nodiscard]] std::vector<SeenRequest> requests() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace walstorm::tests
