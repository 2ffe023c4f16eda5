#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace walstorm::tests {

/// Stands between a client and PostgreSQL's unix socket, and loses connections in the ways that networks do.
/// Runs on a thread of its own.
class LossyProxy final {
 public:
  /// Listens in `folder` (as libpq's host=) for the server that listens in `server_folder`.
  LossyProxy(const std::filesystem::path& folder, const std::filesystem::path& server_folder);
  LossyProxy(const LossyProxy&) = delete;
  LossyProxy& operator=(const LossyProxy&) = delete;
  ~LossyProxy();

  /// Closes every connection towards the client and keeps it towards the server, which therefore notices
  /// nothing.
  void lose();

  /// From now on each connection carries so many bytes per second from the server to the client, as over a
  /// narrow line: what does not fit waits at the server.
  void limit(double bytes_per_sec);

  /// From now on what goes over a connection takes so long each way, as from a distant server.
  void delay(std::chrono::milliseconds each_way);

 private:
  class Relay;
  std::unique_ptr<Relay> relay_;
};

}  // namespace walstorm::tests
