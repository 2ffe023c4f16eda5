#include "orchestrator/target/mock_target.h"

#include <gtest/gtest.h>

#include "orchestrator/config/sink_kind.h"
#include "orchestrator/run/make_target.h"

namespace walstorm::target {
namespace {

config::Config with_mock() {
  config::Config config;
  config.seed = 7;
  config.consumer.use_mock_clickhouse = true;
  config.consumer.mock_clickhouse_delay_ms = 12;
  config.consumer.mock.stalls = {{3, 1}};
  return config;
}

TEST(MockTarget, KnowsNothingOfRowsThatAreNotKept) {
  MockTarget target(with_mock());
  std::vector<std::string> notes;
  target.prepare(notes);
  EXPECT_EQ(target.tally_rows(1000, 0), std::nullopt);
  EXPECT_EQ(target.read_rows({"a"}, 0), std::nullopt);
  EXPECT_FALSE(target.process());
  EXPECT_EQ(target.disk_bytes({}), std::nullopt);
  EXPECT_EQ(target.version(), "");
  int answers = 0;
  target.count_parts([&](const std::optional<measure::PartsSample>& parts) {
    ++answers;
    EXPECT_FALSE(parts);
  });
  EXPECT_EQ(answers, 1);
  EXPECT_TRUE(target.release().empty());
  EXPECT_TRUE(notes.empty());
}

TEST(MockTarget, TellsTheConsumerOfTheServerThatItStandsFor) {
  proto::ConsumerSetup setup;
  MockTarget(with_mock()).describe(setup);
  EXPECT_EQ(setup.compression(), proto::COMPRESSION_LZ4) << "auto";
  EXPECT_EQ(setup.mock().delay_ms(), 12U);
  EXPECT_EQ(setup.mock().seed(), 7U);
  ASSERT_EQ(setup.mock().stalls_size(), 1);
  EXPECT_EQ(setup.mock().stalls(0).at_sec(), 3);
  EXPECT_FALSE(setup.has_clickhouse());
}

TEST(SinkKind, TheMockGoesBeforeAServerThatIsNamedToo) {
  config::Config config;
  EXPECT_EQ(config::sink_kind(config), config::SinkKind::unnamed);
  config.clickhouse.is_private = true;
  EXPECT_EQ(config::sink_kind(config), config::SinkKind::private_clickhouse);
  config.clickhouse = {};
  config.clickhouse.url = "http://127.0.0.1:8123";
  EXPECT_EQ(config::sink_kind(config), config::SinkKind::named_clickhouse);
  config.consumer.use_mock_clickhouse = true;
  EXPECT_EQ(config::sink_kind(config), config::SinkKind::mock);
}

TEST(MakeTarget, ARunThatLandsOnThisMachineFillsItsDisk) {
  process::EventLoop loop;
  config::Config config;
  config.producer.preload_rows = 1000;
  config.clickhouse.is_private = true;
  const auto own = run::make_target(loop, config, "/nowhere");
  EXPECT_EQ(own->server_name(), "ClickHouse");
  EXPECT_GE(own->disk_bytes({}).value_or(0), 1000U * 700);
  config.clickhouse = {};
  config.clickhouse.url = "http://127.0.0.1:8123";
  EXPECT_EQ(run::make_target(loop, config, "/nowhere")->disk_bytes({}), std::nullopt);
  EXPECT_EQ(run::make_target(loop, with_mock(), "/nowhere")->server_name(), "");
}

}  // namespace
}  // namespace walstorm::target
