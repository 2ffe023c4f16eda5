#include "orchestrator/postgres/readiness.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

using check::Level;

/// A server on which nothing is wrong.
ServerProbe fit_server(int major = 15) {
  ServerProbe probe;
  probe.version = std::to_string(major) + ".3";
  probe.version_number = major * 10'000 + 3;
  probe.wal_level = "logical";
  probe.role = "load";
  probe.may_replicate = probe.may_create_databases = true;
  probe.slots_max = probe.senders_max = 10;
  probe.connections_max = 100;
  probe.slot_wal_keep_mb = -1;
  probe.wal_sender_timeout_ms = 60'000;
  return probe;
}

config::Config some_config() {
  config::Config config;
  config.producer.connections = 4;
  config.producer.worker_count = 1;
  config.consumer.slot_name = "walstorm_slot";
  config.consumer.proto_version = 1;
  config.database.profiling_database = "walstorm_profiling";
  return config;
}

check::Finding finding(const ServerProbe& probe, const config::Config& config, const std::string& what,
                       std::uint64_t wal_bytes = 1 << 20) {
  const auto all = judge_server(probe, config, wal_bytes);
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.what == what; });
  if (found == all.end()) {
    ADD_FAILURE() << "nothing is said of " << what;
    return {};
  }
  return *found;
}

check::Finding protocol_finding(int major, std::uint32_t proto_version, config::Streaming streaming) {
  config::Config config = some_config();
  config.consumer.proto_version = proto_version;
  config.consumer.streaming = streaming;
  return finding(fit_server(major), config, "protocol");
}

TEST(JudgeServer, FindsNoProblemWithAFitServer) {
  for (int major = 14; major <= 18; ++major) {
    EXPECT_NO_THROW(require_no_problem(judge_server(fit_server(major), some_config(), 1 << 20))) << major;
  }
}

TEST(JudgeServer, NamesEveryProblemAtOnce) {
  ServerProbe probe = fit_server(13);
  probe.wal_level = "replica";
  probe.may_replicate = false;
  probe.slots_used = 10;
  try {
    require_no_problem(judge_server(probe, some_config(), 1 << 20));
    FAIL() << "no problem was found";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    for (const char* what : {"14 to 18", "ALTER SYSTEM SET wal_level = logical",
                             "ALTER ROLE \"load\" REPLICATION", "max_replication_slots"}) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  }
}

TEST(JudgeServer, CountsALeftSlotAsOneThatGoes) {
  ServerProbe probe = fit_server();
  probe.slots_used = 10;
  EXPECT_EQ(finding(probe, some_config(), "replication slots").level, Level::problem);
  probe.slot = NamedSlot{.database = "walstorm_profiling", .active_pid = 0};
  EXPECT_EQ(finding(probe, some_config(), "replication slots").level, Level::ok);
  probe.slot->database = "shop";
  EXPECT_EQ(finding(probe, some_config(), "slot").level, Level::problem);
}

TEST(JudgeServer, WarnsOfASlotThatThePlanMayOutrun) {
  ServerProbe probe = fit_server();
  probe.slot_wal_keep_mb = 64;
  EXPECT_EQ(finding(probe, some_config(), "max_slot_wal_keep_size", 64ULL << 20U).level, Level::ok);
  EXPECT_EQ(finding(probe, some_config(), "max_slot_wal_keep_size", 65ULL << 20U).level, Level::warning);
}

TEST(JudgeServer, TakesTheProtocolThatTheServerSpeaks) {
  EXPECT_EQ(protocol_finding(14, 1, config::Streaming::off).level, Level::ok);
  EXPECT_EQ(protocol_finding(14, 2, config::Streaming::on).level, Level::ok);
  EXPECT_EQ(protocol_finding(15, 3, config::Streaming::on).level, Level::ok);
  EXPECT_EQ(protocol_finding(16, 4, config::Streaming::parallel).level, Level::ok);
  EXPECT_EQ(protocol_finding(18, 4, config::Streaming::off).level, Level::ok);
}

TEST(JudgeServer, SaysWhatToChangeOnAServerTooOldForTheProtocol) {
  const check::Finding third = protocol_finding(14, 3, config::Streaming::off);
  EXPECT_EQ(third.level, Level::problem);
  EXPECT_EQ(third.says, "version 3 came with PostgreSQL 15, and this server is 14.3");
  EXPECT_EQ(third.todo, "set consumer.protoVersion to 2, or use a newer server");
  EXPECT_EQ(protocol_finding(15, 4, config::Streaming::parallel).todo,
            "set consumer.protoVersion to 3 and consumer.streaming to \"on\", or use a newer server");
}

}  // namespace
}  // namespace walstorm::postgres
