#include "tests/support/modern_clickhouse.h"

#include <chrono>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace walstorm::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStart{60};
constexpr std::chrono::seconds kEnd{15};
constexpr std::string_view kGreeting = "listening on ";

constexpr const char* kPackages = WALSTORM_MODERN_CLICKHOUSE;  // as support/modern_clickhouse/fetch left them
constexpr const char* kProgram = WALSTORM_MODERN_CLICKHOUSE_SERVER;

}  // namespace

std::string ModernClickhouse::missing() {
  if (fs::exists(fs::path(kPackages) / "fetched.lock")) return "";
  return "no modern ClickHouse here: tests/support/modern_clickhouse/fetch " + std::string(kPackages);
}

ModernClickhouse::ModernClickhouse(process::EventLoop& loop, const std::string& time_zone)
    : loop_(loop), log_file_(folder_.path() / "server.log") {
  process::ChildOptions options;
  options.program = "/usr/bin/env";  // finds node, and becomes it
  options.arguments = {"TZ=" + time_zone, "node", kProgram, kPackages, (folder_.path() / "data").string()};
  options.log_file = log_file_;
  options.with_pipes = true;
  server_ = std::make_unique<process::ChildProcess>(loop_, options);
  stdin_fd_ = server_->take_stdin_fd();
  stdout_fd_ = server_->take_stdout_fd();
  const std::string greeting = read_greeting();
  if (!greeting.starts_with(kGreeting)) {
    const std::string log = process::last_lines(log_file_, 20);
    stop();
    throw std::runtime_error("the modern ClickHouse does not start:\n" + greeting + log);
  }
  url_ = "http://127.0.0.1:" + greeting.substr(kGreeting.size());
}

ModernClickhouse::~ModernClickhouse() {
  stop();
}

std::string ModernClickhouse::read_greeting() const {
  std::string line;
  const auto deadline = std::chrono::steady_clock::now() + kStart;
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd waiting{stdout_fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 1000) <= 0) continue;
    char byte = 0;
    if (::read(stdout_fd_, &byte, 1) != 1) break;  // it ended
    if (byte == '\n') return line;
    line += byte;
  }
  return line;
}

process::ExitStatus ModernClickhouse::stop() {
  if (!server_) return {};
  ::close(std::exchange(stdin_fd_, -1));
  (void)loop_.wait(kEnd, loop_.interrupts(), [this] { return server_->ended().has_value(); });
  EXPECT_TRUE(server_->ended().has_value()) << "the modern ClickHouse does not end with its stdin";
  const process::ExitStatus status = server_->ended().value_or(process::ExitStatus{0, SIGKILL});
  server_.reset();
  ::close(std::exchange(stdout_fd_, -1));
  return status;
}

}  // namespace walstorm::tests
