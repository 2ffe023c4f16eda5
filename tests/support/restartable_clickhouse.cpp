#include "tests/support/restartable_clickhouse.h"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <sys/stat.h>

#include "proto/clickhouse/address.h"
#include "tests/support/clickhouse.h"

namespace walstorm::tests {

RestartableClickhouse::RestartableClickhouse(process::EventLoop& loop)
    : loop_(loop), server_(loop, logs_.path() / "clickhouse.log") {}

void RestartableClickhouse::stop() {
  const pid_t pid = again_ ? again_->pid() : server_.pid();
  ::kill(pid, SIGKILL);
  if (!comes_true(loop_, std::chrono::seconds(10), [pid] { return is_gone(pid); }))
    throw std::runtime_error("ClickHouse does not end");
  again_.reset();
}

void RestartableClickhouse::start() {
  const clickhouse::ServerProgram program = clickhouse::find_clickhouse_server();
  process::ChildOptions options;
  options.program = "/usr/bin/env";
  options.arguments = {"CLICKHOUSE_WATCHDOG_ENABLE=0", program.path.string()};
  options.arguments.insert(options.arguments.end(), program.arguments.begin(), program.arguments.end());
  options.arguments.push_back("--config-file=" + (server_.folder() / "config.xml").string());
  options.log_file = logs_.path() / "again.log";
  struct stat owner {};
  if (::geteuid() == 0 && ::stat(server_.folder().c_str(), &owner) == 0)
    options.run_as = process::UserId{owner.st_uid, owner.st_gid};
  again_ = std::make_unique<process::ChildProcess>(loop_, options);
}

std::string RestartableClickhouse::url() const {
  return clickhouse::to_url(server_.address());
}

}  // namespace walstorm::tests
