#include "orchestrator/postgres/readiness.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

using check::Finding;
using check::Level;
using testing::HasSubstr;

constexpr std::uint64_t kWalBytes = 5'000'000'000;

/// A server on which a run starts.
ServerProbe ready() {
  ServerProbe probe;
  probe.version = "15.18 (Debian)";
  probe.version_number = 150018;
  probe.wal_level = "logical";
  probe.slots_max = probe.senders_max = 10;
  probe.slots_used = probe.senders_used = 3;
  probe.connections_max = 97;
  probe.connections_used = 5;
  probe.wal_sender_timeout_ms = 60'000;
  probe.role = "load";
  probe.may_replicate = probe.may_create_databases = true;
  return probe;
}

config::Config plan() {
  config::Config config;
  config.producer.connections = 4;
  config.producer.worker_count = 2;
  config.consumer.slot_name = "a_slot";
  config.database.profiling_database = "mine";
  return config;
}

/// The finding about `what`, with the probe changed so.
Finding finding(const char* what, const std::function<void(ServerProbe&, config::Config&)>& change) {
  ServerProbe probe = ready();
  config::Config config = plan();
  change(probe, config);
  const auto findings = judge_server(probe, config, kWalBytes);
  const auto found =
      std::find_if(findings.begin(), findings.end(), [&](const Finding& each) { return each.what == what; });
  if (found != findings.end()) return *found;
  ADD_FAILURE() << "nothing is said about " << what;
  return {};
}

TEST(Readiness, OfAReadyServerNothingIsWrong) {
  for (const Finding& each : judge_server(ready(), plan(), kWalBytes)) {
    EXPECT_EQ(each.level, Level::ok) << each.what << " " << each.says;
    EXPECT_TRUE(each.todo.empty()) << each.what;
  }
  require_no_problem(judge_server(ready(), plan(), kWalBytes));
}

TEST(Readiness, KnowsTheVersions) {
  for (const int major : {14, 15, 16, 17, 18}) {
    EXPECT_EQ(finding("version", [&](auto& p, auto&) { p.version_number = major * 10'000 + 1; }).level,
              Level::ok);
  }
  for (const int number : {96'024, 130'020, 190'000}) {
    EXPECT_EQ(finding("version", [&](auto& p, auto&) { p.version_number = number; }).level, Level::problem);
  }
}

TEST(Readiness, CommitsThatWaitForNobodyAreAProblem) {
  const auto alone = [](ServerProbe& p) {
    p.synchronous_commit = "on";
    p.synchronous_standby_names = "nobody";
    p.synchronous_standbys = 0;
  };
  const Finding found = finding("synchronous_standby_names", [&](auto& p, auto&) { alone(p); });
  EXPECT_EQ(found.level, Level::problem);
  EXPECT_THAT(found.says, HasSubstr("is 'nobody', and none that it names is connected"));
  const auto is_said = [&](const std::function<void(ServerProbe&)>& change) {
    ServerProbe probe = ready();
    alone(probe);
    change(probe);
    const auto findings = judge_server(probe, plan(), kWalBytes);
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& each) { return each.what == "synchronous_standby_names"; });
  };
  EXPECT_TRUE(is_said([](ServerProbe&) {}));
  EXPECT_FALSE(is_said([](ServerProbe& p) { p.synchronous_commit = "local"; }));
  EXPECT_FALSE(is_said([](ServerProbe& p) { p.synchronous_standbys = 1; }));
  EXPECT_FALSE(is_said([](ServerProbe& p) { p.synchronous_standbys.reset(); })) << "it is not known";
}

TEST(Readiness, ARunNeedsLogicalWalAndTheRightToReplicate) {
  const Finding level = finding("wal_level", [](auto& p, auto&) { p.wal_level = "replica"; });
  EXPECT_EQ(level.level, Level::problem);
  EXPECT_THAT(level.todo, HasSubstr("set it to logical"));
  const Finding role = finding("role", [](auto& p, auto&) { p.may_replicate = false; });
  EXPECT_EQ(role.level, Level::problem);
  EXPECT_THAT(role.todo, HasSubstr("ALTER ROLE \"load\" REPLICATION"));
}

Finding protocol_finding(int major, std::uint32_t proto_version, config::Streaming streaming) {
  return finding("protocol", [&](ServerProbe& probe, config::Config& config) {
    probe.version = fmt::format("{}.3", major);
    probe.version_number = major * 10'000 + 3;
    config.consumer.proto_version = proto_version;
    config.consumer.streaming = streaming;
  });
}

TEST(Readiness, TakesTheProtocolThatTheServerSpeaks) {
  EXPECT_EQ(protocol_finding(14, 1, config::Streaming::off).level, Level::ok);
  EXPECT_EQ(protocol_finding(14, 2, config::Streaming::on).level, Level::ok);
  EXPECT_EQ(protocol_finding(15, 3, config::Streaming::on).level, Level::ok);
  EXPECT_EQ(protocol_finding(16, 4, config::Streaming::parallel).level, Level::ok);
  EXPECT_EQ(protocol_finding(18, 4, config::Streaming::off).level, Level::ok);
}

TEST(Readiness, SaysWhatToChangeOnAServerTooOldForTheProtocol) {
  const Finding third = protocol_finding(14, 3, config::Streaming::off);
  EXPECT_EQ(third.level, Level::problem);
  EXPECT_EQ(third.says, "version 3 came with PostgreSQL 15, and this server is 14.3");
  EXPECT_EQ(third.todo, "set consumer.protoVersion to 2, or use a newer server");
  EXPECT_EQ(protocol_finding(15, 4, config::Streaming::parallel).todo,
            "set consumer.protoVersion to 3 and consumer.streaming to \"on\", or use a newer server");
}

TEST(Readiness, CountsWhatIsFree) {
  EXPECT_EQ(finding("replication slots", [](auto& p, auto&) { p.slots_used = 9; }).level, Level::ok);
  EXPECT_EQ(finding("replication slots", [](auto& p, auto&) { p.slots_used = 10; }).level, Level::problem);
  EXPECT_EQ(finding("walsenders", [](auto& p, auto&) { p.senders_used = 10; }).level, Level::problem);
  EXPECT_EQ(finding("connections", [](auto& p, auto&) { p.connections_used = 85; }).level, Level::ok);
  EXPECT_EQ(finding("connections", [](auto& p, auto&) { p.connections_used = 86; }).level, Level::problem);
}

TEST(Readiness, ALeftSlotOfOursLeavesRoomForItself) {
  const auto full_of_ours = [](ServerProbe& probe, config::Config&) {
    probe.slots_used = probe.senders_used = 10;
    probe.slot = NamedSlot{"mine", 4711};
  };
  EXPECT_EQ(finding("replication slots", full_of_ours).level, Level::ok);
  EXPECT_EQ(finding("walsenders", full_of_ours).level, Level::ok);
  EXPECT_EQ(finding("slot", full_of_ours).level, Level::warning);
  EXPECT_EQ(finding("slot", [](auto& p, auto&) { p.slot = NamedSlot{"mine", 0}; }).level, Level::note);
}

TEST(Readiness, SomebodyElsesSlotIsNotTaken) {
  const Finding logical = finding("slot", [](auto& p, auto&) { p.slot = NamedSlot{"app", 0}; });
  EXPECT_EQ(logical.level, Level::problem);
  EXPECT_EQ(logical.says, "\"a_slot\" belongs to database \"app\"");
  EXPECT_THAT(finding("slot", [](auto& p, auto&) { p.slot = NamedSlot{"", 0}; }).says, HasSubstr("physical"));
}

TEST(Readiness, TheDatabaseIsCreatedOrOwned) {
  const auto level = [](bool exists, bool owned, bool may_create, bool copied) {
    return finding("database",
                   [&](ServerProbe& probe, config::Config& config) {
                     probe.database_exists = exists;
                     probe.database_owned = owned;
                     probe.may_create_databases = may_create;
                     if (copied) config.database.copy_schema_from = "app";
                   })
        .level;
  };
  EXPECT_EQ(level(false, false, true, false), Level::ok);
  EXPECT_EQ(level(false, false, false, false), Level::problem);
  EXPECT_EQ(level(true, true, false, false), Level::ok);
  EXPECT_EQ(level(true, false, true, false), Level::warning);
  EXPECT_EQ(level(true, true, true, true), Level::ok);
  EXPECT_EQ(level(true, true, false, true), Level::problem) << "it has to be dropped and created";
  EXPECT_EQ(level(true, false, true, true), Level::problem) << "it has to be dropped";
  EXPECT_EQ(level(false, false, true, true), Level::ok);
}

TEST(Readiness, WarnsOfSettingsThatEndAStream) {
  EXPECT_EQ(finding("max_slot_wal_keep_size", [](auto& p, auto&) { p.slot_wal_keep_mb = 1000; }).level,
            Level::warning);
  EXPECT_EQ(finding("max_slot_wal_keep_size", [](auto& p, auto&) { p.slot_wal_keep_mb = 10'000; }).level,
            Level::ok);
  EXPECT_EQ(finding("wal_sender_timeout", [](auto& p, auto&) { p.wal_sender_timeout_ms = 1000; }).level,
            Level::warning);
  EXPECT_EQ(finding("wal_sender_timeout", [](auto& p, auto&) { p.wal_sender_timeout_ms = 0; }).level,
            Level::ok);
  EXPECT_EQ(
      finding("idle_replication_slot_timeout", [](auto& p, auto&) { p.idle_slot_timeout_sec = 10; }).level,
      Level::warning);
  EXPECT_EQ(
      finding("idle_replication_slot_timeout", [](auto& p, auto&) { p.idle_slot_timeout_sec = 0; }).level,
      Level::ok);
}

TEST(Readiness, ARunIsRefusedWithAllProblemsAtOnce) {
  ServerProbe probe = ready();
  probe.wal_level = "minimal";
  probe.may_replicate = false;
  probe.wal_sender_timeout_ms = 1;
  try {
    require_no_problem(judge_server(probe, plan(), kWalBytes));
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("wal_level is minimal: set it to logical"));
    EXPECT_THAT(error.what(), HasSubstr("role \"load\" has no right to replicate: ALTER ROLE"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("wal_sender_timeout"))) << "a warning stops nothing";
  }
}

TEST(ClockText, TellsTheServersClockFromThisHosts) {
  EXPECT_EQ(clock_text({12'300, 200}), "behind this host's by 12.30 ms (+- 0.20 ms)");
  EXPECT_EQ(clock_text({-12'300, 200}), "ahead of this host's by 12.30 ms (+- 0.20 ms)");
  EXPECT_EQ(clock_text({-100, 200}), "the same as this host's within 0.20 ms");
}

}  // namespace
}  // namespace walstorm::postgres
