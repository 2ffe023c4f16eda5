#include "orchestrator/trial/shared_servers.h"

#include <utility>

#include "orchestrator/clickhouse/clean_up.h"
#include "orchestrator/clickhouse/session.h"
#include "orchestrator/config/sink_kind.h"

namespace walstorm::trial {

std::map<std::string, std::string> settings_beyond(const std::map<std::string, std::string>& has,
                                                   const std::map<std::string, std::string>& wanted) {
  std::map<std::string, std::string> beyond;
  for (const auto& setting : wanted) {
    const auto same = has.find(setting.first);
    if (same == has.end() || same->second != setting.second) beyond.insert(setting);
  }
  return beyond;
}

SharedServers::SharedServers(process::EventLoop& loop, const config::Config& config,
                             const std::filesystem::path& log_dir)
    : loop_(loop),
      log_dir_(log_dir),
      clickhouse_database_(config.clickhouse.database),
      settings_(config.database.settings) {
  if (!config.database.url) start_postgres();
  if (config::sink_kind(config) == config::SinkKind::private_clickhouse) start_clickhouse();
}

void SharedServers::start_postgres() {
  postgres_.reset();  // its folder and its port go first
  postgres_ = std::make_unique<postgres::PrivateServer>(loop_, settings_, log_dir_ / "postgres.log");
}

void SharedServers::start_clickhouse() {
  clickhouse_.reset();
  clickhouse_ = std::make_unique<clickhouse::PrivateServer>(loop_, log_dir_ / "clickhouse.log");
}

void SharedServers::replace_dead() {
  if (postgres_ && !postgres_->failure().empty()) start_postgres();
  if (clickhouse_ && !clickhouse_->failure().empty()) start_clickhouse();
}

config::Config SharedServers::against(config::Config config) const {
  if (postgres_ && !config.database.url) {
    config.database.url = postgres_->address().conninfo("postgres", "walstorm");
    config.database.lent = true;
    config.database.settings = settings_beyond(settings_, config.database.settings);
  }
  if (clickhouse_ && config.clickhouse.is_private) {
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
