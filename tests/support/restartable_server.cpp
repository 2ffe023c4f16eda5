#include "tests/support/restartable_server.h"

#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/postgres/private_server.h"
#include "orchestrator/process/server_user.h"

namespace walstorm::tests {
namespace {

constexpr std::chrono::seconds kTimeout{60};

}  // namespace

RestartableServer::RestartableServer(process::EventLoop& loop, std::map<std::string, std::string> settings,
                                     const std::string& encoding)
    : loop_(loop),
      settings_(std::move(settings)),
      user_(process::server_user("postgres", "run a PostgreSQL")) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
  const auto home = folder_.path() / "server";
  std::filesystem::create_directory(home);
  if (user_ && ::chown(home.c_str(), user_->uid, user_->gid) != 0) throw std::runtime_error("chown");
  process::ChildOptions options;
  options.program = postgres::find_postgres_binaries() / "initdb";
  options.arguments = {"--pgdata",    (home / "data").string(),
                       "--username",  "walstorm",
                       "--auth",      "trust",
                       "--encoding",  encoding,
                       "--no-locale", "--no-sync"};
  options.log_file = folder_.path() / "postgres.log";
  options.run_as = user_;
  process::run_to_end(loop_, options, kTimeout);
  address_ = postgres::Address::on_socket(home.string(), "walstorm");
  start();
  wait_until_ready();
}

RestartableServer::~RestartableServer() {
  stop(SIGQUIT);
}

void RestartableServer::start() {
  const auto home = folder_.path() / "server";
  process::ChildOptions options;
  options.program = postgres::find_postgres_binaries() / "postgres";
  options.arguments = {"-D", (home / "data").string(), "-k", home.string()};
  // Without fsync: what is tested is a server that ends, not a machine.
  for (const auto& [name, value] : std::map<std::string, std::string>{{"listen_addresses", ""},
                                                                      {"wal_level", "logical"},
                                                                      {"fsync", "off"},
                                                                      {"log_line_prefix", "%m [%p] "}}) {
    options.arguments.emplace_back("-c");
    options.arguments.push_back(name + "=" + value);
  }
  for (const auto& [name, value] : settings_) {
    options.arguments.emplace_back("-c");
    options.arguments.push_back(name + "=" + value);
  }
  options.log_file = folder_.path() / "postgres.log";
  options.run_as = user_;
  options.death_signal = SIGQUIT;
  server_ = std::make_unique<process::ChildProcess>(loop_, options);
}

void RestartableServer::wait_until_ready() {
  boost::asio::steady_timer tick(loop_.io());
  std::function<void()> beat = [&] {
    tick.expires_after(std::chrono::milliseconds(20));
    tick.async_wait([&](const boost::system::error_code& error) {
      if (!error) beat();
    });
  };
  beat();
  const auto pid_file = folder_.path() / "server" / "data" / "postmaster.pid";
  const auto ready = [&] { return process::last_lines(pid_file, 1).starts_with("ready"); };
  (void)loop_.wait(kTimeout, 0, [&] { return ready() || server_->ended(); });
  tick.cancel();
  loop_.io().poll();
  if (!ready()) throw std::runtime_error("the test's PostgreSQL is not ready:\n" + log());
}

void RestartableServer::stop(int signal) {
  if (!server_) return;
  if (!server_->ended()) server_->send_signal(signal);
  (void)loop_.wait(kTimeout, loop_.interrupts(), [this] { return server_->ended().has_value(); });
  EXPECT_TRUE(server_->ended().has_value()) << "the test's PostgreSQL does not end";
  server_.reset();
}

std::string RestartableServer::url() const {
  return "postgresql://walstorm@/postgres?host=" + (folder_.path() / "server").string();
}

std::string RestartableServer::log() const {
  return process::last_lines(folder_.path() / "postgres.log", 100);
}

}  // namespace walstorm::tests
