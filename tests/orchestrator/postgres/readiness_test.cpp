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

using config::Finding;
using config::Level;
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
                     probe.target.exists = exists;
                     probe.target.owned = owned;
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

TEST(Readiness, OfAPoolerNothingElseIsSaid) {
  ServerProbe probe;
  probe.between = Between::pooler;
  const auto findings = judge_server(probe, plan(), kWalBytes);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].level, Level::problem);
  EXPECT_THAT(findings[0].todo, HasSubstr("name PostgreSQL itself"));
  EXPECT_EQ(finding("connection", [](auto& p, auto&) { p.between = Between::proxy; }).level, Level::note);
}

TEST(Readiness, AStandbyIsTheWrongServer) {
  const auto of = [](const std::string& primary) {
    return finding("server", [&](auto& p, auto&) {
      p.standby = true;
      p.primary = primary;
    });
  };
  EXPECT_EQ(of("").level, Level::problem);
  EXPECT_EQ(of("").todo, "name its primary in database.url or DATABASE_URL");
  EXPECT_EQ(of("db1:5432").todo, "name its primary (db1:5432) in database.url or DATABASE_URL");
}

TEST(Readiness, WhoIsNotLetInIsToldWhatToDoBySqlstate) {
  const auto todo = [](const char* state) {
    const Finding said = finding("access", [&](auto& p, auto&) {
      p.target.refused = TrialAnswer{false, state, "no"};
    });
    EXPECT_EQ(said.level, Level::problem);
    EXPECT_EQ(said.says, "\"load\" is not let into \"mine\": no");
    return said.todo;
  };
  EXPECT_THAT(todo("28000"), HasSubstr("by pg_hba.conf"));
  EXPECT_EQ(todo("42501"), "GRANT CONNECT ON DATABASE \"mine\" TO \"load\"");
  EXPECT_THAT(todo("55000"), HasSubstr("ALLOW_CONNECTIONS true"));
  EXPECT_THAT(todo("53300"), HasSubstr("raise the limit"));
  EXPECT_FALSE(todo("").empty());
}

TEST(Readiness, ARefusedReplicationConnectionIsSaidOnce) {
  const auto replication_said = [](bool may_replicate, bool also_refused) {
    ServerProbe probe = ready();
    probe.may_replicate = may_replicate;
    probe.target.replication_refused = TrialAnswer{false, "28000", "no"};
    if (also_refused) probe.target.refused = probe.target.replication_refused;
    const auto findings = judge_server(probe, plan(), kWalBytes);
    return std::any_of(findings.begin(), findings.end(), [](const Finding& each) {
      return each.what == "replication" && each.level == Level::problem;
    });
  };
  EXPECT_TRUE(replication_said(true, false));
  EXPECT_FALSE(replication_said(false, false)) << "the role's finding says it";
  EXPECT_FALSE(replication_said(true, true)) << "so does the database's";
}

TEST(Readiness, LimitsOfRoleAndDatabaseCountTheWalsenderToo) {
  // 4 x 2 writers, walstorm's own 4, and the consumer's walsender.
  const auto level = [](std::int64_t max, std::int64_t used) {
    const Level role = finding("role's limit", [&](auto& p, auto&) {
                         p.role_connections_max = max;
                         p.role_connections_used = used;
                       }).level;
    EXPECT_EQ(role, finding("database's limit", [&](auto& p, auto&) {
                      p.target.connections_max = max;
                      p.target.connections_used = used;
                    }).level);
    return role;
  };
  EXPECT_EQ(level(13, 0), Level::ok);
  EXPECT_EQ(level(13, 1), Level::problem);
  EXPECT_EQ(level(12, 0), Level::problem);
  EXPECT_EQ(level(0, 0), Level::problem);
}

TEST(Readiness, WritesNeedTransactionsASchemaAndTheRightToIt) {
  EXPECT_EQ(finding("transactions", [](auto& p, auto&) { p.target.read_only = true; }).level, Level::problem);
  EXPECT_EQ(finding("schema", [](auto& p, auto&) { p.target.schema.clear(); }).level, Level::problem);
  EXPECT_EQ(finding("schema", [](auto& p, auto&) { p.target.may_create_in_schema = false; }).level,
            Level::problem);
  EXPECT_EQ(finding("database",
                    [](auto& p, auto&) {
                      p.target.exists = true;
                      p.target.may_create_in = false;
                    })
                .level,
            Level::problem);
}

TEST(SchemaWhenNew, IsThatOfTheSearchPathWhichANewDatabaseHas) {
  EXPECT_EQ(schema_when_new("\"$user\", public"), "public");
  EXPECT_EQ(schema_when_new("jobs,PUBLIC"), "public");
  EXPECT_EQ(schema_when_new("\"a,b\", \"public\""), "public");
  for (const char* path : {"", "\"\"", "jobs", "\"Public\"", "pg_catalog, public", "\"$user\""})
    EXPECT_EQ(schema_when_new(path), "") << path;
}

TEST(Readiness, ADatabaseThatCannotHoldTheRowsIsMadeAnewOrNamed) {
  const auto about = [](const char* what, const std::string& encoding, bool marked, bool may_create) {
    return finding(what, [&](ServerProbe& probe, config::Config& config) {
      config.database.profiling_database = "my \"own\" one";
      probe.target.exists = probe.target.owned = true;
      probe.target.encoding = encoding;
      probe.target.marked = marked;
      probe.may_create_databases = may_create;
    });
  };
  EXPECT_EQ(about("encoding", "UTF8", true, true).level, Level::ok);
  EXPECT_EQ(about("encoding", "SQL_ASCII", false, false).level, Level::ok) << "it takes any bytes";
  EXPECT_EQ(about("encoding", "LATIN1", true, true).level, Level::ok);
  EXPECT_THAT(about("database", "LATIN1", true, true).says, HasSubstr("will be made anew"));
  EXPECT_THAT(about("database", "UTF8", true, true).says, HasSubstr("each run empties it"));
  const Finding foreign = about("encoding", "LATIN1", false, true);
  EXPECT_EQ(foreign.level, Level::problem) << "it is not walstorm's to drop";
  EXPECT_THAT(foreign.says, HasSubstr("is LATIN1, which cannot hold every text"));
  EXPECT_EQ(foreign.todo, R"(DROP DATABASE "my ""own"" one": the run makes it in UTF8)");
  EXPECT_EQ(about("encoding", "EUC_JP", true, false).todo,
            R"(DROP DATABASE "my ""own"" one"; CREATE DATABASE "my ""own"" one" OWNER "load" )"
            "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
}

TEST(Readiness, ANameMustBeFoundAgainByItsBytes) {
  const auto level = [](const char* home) {
    return finding("database name",
                   [&](ServerProbe& probe, config::Config& config) {
                     config.database.profiling_database = "\u00e4";
                     probe.home_encoding = home;
                   })
        .level;
  };
  EXPECT_EQ(level("LATIN1"), Level::problem);
  ServerProbe probe = ready();
  probe.home_encoding = "LATIN1";
  for (const Finding& each : judge_server(probe, plan(), kWalBytes)) EXPECT_NE(each.what, "database name");
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
