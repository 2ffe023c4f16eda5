#pragma once

#include <stdexcept>
#include <string>

namespace walstorm::wire {

/// What a failure means for whoever catches it. The kind decides the exit code (see exit_code_for in the
/// orchestrator); the message is for people.
enum class ErrorKind {
  config,       ///< The user asked for something impossible: say what to change. Exit 2.
  unavailable,  ///< Something outside is not there or not ready: a server, a file, a port. Exit 3 before a
                ///< run, 1 within.
  protocol,     ///< The other side broke the contract: a frame, a WAL message. Exit 1.
  data,         ///< Rows are missing, doubled or altered, or were refused for good. Exit 1.
  internal,     ///< A defect of ours. Exit 1.
};

/// "config", "unavailable", ... as logs and reports show it.
[[nodiscard]] const char* to_string(ErrorKind kind);

/// The root of everything walstorm throws. Foreign exceptions become one in the file that includes their
/// library. The message says what was tried, on what, and what came back; a user's error also says what to
/// do.
class Error final : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace walstorm::wire
