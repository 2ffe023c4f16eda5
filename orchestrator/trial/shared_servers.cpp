#include "orchestrator/trial/shared_servers.h"

#include <utility>

#include "orchestrator/clickhouse/clean_up.h"
#include "orchestrator/clickhouse/session.h"

namespace walstorm::trial {

SharedServers::SharedServers(process::EventLoop& loop, const config::Config& config,
                             const std::filesystem::path& log_dir)
    : loop_(loop), clickhouse_database_(config.clickhouse.database) {
  if (!config.database.url) {
    postgres_ =
        std::make_unique<postgres::PrivateServer>(loop, config.database.settings, log_dir / "postgres.log");
  }
  if (!config.consumer.use_mock_clickhouse && config.clickhouse.is_private) {
    clickhouse_ = std::make_unique<clickhouse::PrivateServer>(loop, log_dir / "clickhouse.log");
  }
}

config::Config SharedServers::against(config::Config config) const {
  if (postgres_) {
    config.database.url = postgres_->address().conninfo("postgres", "walstorm");
    config.database.settings.clear();  // the server has them already
  }
  if (clickhouse_) {
    config.clickhouse.url = clickhouse::to_url(clickhouse_->address());
    config.clickhouse.is_private = false;
    config.clickhouse.private_pid = clickhouse_->pid();
  }
  return config;
}

void SharedServers::discard_leftovers() {
  if (!clickhouse_) return;
  clickhouse::Session session(loop_, clickhouse_->address(), "empty the private ClickHouse");
  (void)clickhouse::clean_up(session, clickhouse_database_, false);
}

std::string SharedServers::failure() const {
  const std::string why = postgres_ ? postgres_->failure() : "";
  return why.empty() && clickhouse_ ? clickhouse_->failure() : why;
}

}  // namespace walstorm::trial
