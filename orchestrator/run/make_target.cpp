#include "orchestrator/run/make_target.h"

#include "orchestrator/clickhouse/clickhouse_target.h"
#include "orchestrator/config/sink_kind.h"
#include "orchestrator/target/mock_target.h"

namespace walstorm::run {

std::unique_ptr<target::Target> make_target(process::EventLoop& loop, const config::Config& config,
                                            const std::filesystem::path& log_dir) {
  if (config::sink_kind(config) == config::SinkKind::mock)
    return std::make_unique<target::MockTarget>(config);
  return std::make_unique<clickhouse::ClickhouseTarget>(loop, config, log_dir);
}

}  // namespace walstorm::run
