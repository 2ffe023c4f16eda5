#include "orchestrator/config/load.h"

#include <gtest/gtest.h>

#include "config_verbs.h"

namespace walstorm::config {
namespace {

const Override kMock{"--mock-clickhouse", "consumer.useMockClickhouse", "true"};

double rate_of(const Phase& phase) {
  return std::get<ConstantLoad>(phase.load).rate;
}

TEST(Load, AnEmptyFileGivesTheDefaultsOfTheDesign) {
  const Config config = load_given({.file = with_mock("{}")});
  EXPECT_EQ(config.name, "config");
  EXPECT_EQ(config.seed, 1U);
  ASSERT_EQ(config.phases.size(), 2U);
  EXPECT_EQ(config.phases[0].name, "warmup");
  EXPECT_EQ(config.phases[0].duration_sec, 30);
  EXPECT_EQ(rate_of(config.phases[0]), 1000);
  EXPECT_TRUE(config.phases[0].warmup);
  EXPECT_EQ(config.phases[1].name, "baseline");
  EXPECT_EQ(config.phases[1].duration_sec, 60);
  EXPECT_EQ(rate_of(config.phases[1]), 5000);
  EXPECT_FALSE(config.phases[1].warmup);
  EXPECT_EQ(config.phases[1].records, std::nullopt);
  EXPECT_EQ(config.producer.max_live_rows, 100000U);
  EXPECT_EQ(config.producer.insert_update_ratio, 0.8);
  EXPECT_EQ(config.producer.delete_ratio, 0);
  EXPECT_EQ(config.producer.batch_size, 100U);
  EXPECT_EQ(config.producer.payload_size_kb, 1);
  EXPECT_EQ(config.producer.payload_entropy, 0.5);
  EXPECT_EQ(config.producer.write_mode, WriteMode::insert);
  EXPECT_EQ(config.producer.connections, 4U);
  EXPECT_EQ(config.producer.worker_count, 1U);
  EXPECT_EQ(config.consumer.flush_batch_size, 50U);
  EXPECT_EQ(config.consumer.flush_interval_ms, 100U);
  EXPECT_EQ(config.consumer.max_flush_concurrency, 100U);
  EXPECT_EQ(config.consumer.mock_clickhouse_delay_ms, 0);
  EXPECT_EQ(config.consumer.mock.max_records_per_sec, 0);
  EXPECT_EQ(config.consumer.mock.jitter_ms, 0);
  EXPECT_EQ(config.consumer.mock.error_rate, 0);
  EXPECT_TRUE(config.consumer.mock.stalls.empty());
  EXPECT_EQ(config.consumer.insert_format, InsertFormat::native);
  EXPECT_EQ(config.consumer.compression, Compression::automatic);
  EXPECT_EQ(config.clickhouse.give_up_sec, 60);
  EXPECT_EQ(config.consumer.ack_policy, AckPolicy::after_flush);
  EXPECT_EQ(config.consumer.max_buffered_mb, 64U);
  EXPECT_TRUE(config.consumer.binary);
  EXPECT_EQ(config.consumer.proto_version, 1U);
  EXPECT_EQ(config.consumer.streaming, Streaming::off);
  EXPECT_EQ(config.consumer.slot_name, "walstorm_slot");
  EXPECT_EQ(config.consumer.publication_name, "walstorm_publication");
  EXPECT_EQ(config.database.url, std::nullopt);
  EXPECT_EQ(config.database.profiling_database, "walstorm_profiling");
  EXPECT_TRUE(config.database.keep);
  EXPECT_EQ(config.database.replica_identity, ReplicaIdentity::full);
  EXPECT_EQ(config.output_dir, "./profiling-results");
  EXPECT_EQ(config.drain_timeout_sec, 60);
  EXPECT_EQ(config.stop_grace_sec, 30);
}

TEST(Load, APartialBlockLeavesTheOtherDefaultsAlone) {
  const Config config =
      load_given({.file = R"({"consumer": {"useMockClickhouse": true, "mock": {}, "flushBatchSize": 7},
                                                "producer": {"batchSize": 9}})"});
  EXPECT_EQ(config.consumer.flush_batch_size, 7U);
  EXPECT_EQ(config.consumer.flush_interval_ms, 100U);
  EXPECT_EQ(config.producer.batch_size, 9U);
  EXPECT_EQ(config.producer.connections, 4U);
}

TEST(Load, AListReplacesTheDefaultsList) {
  gives(R"({"phases": [{"name": "only", "durationSec": 5}]})", "/phases",
        nlohmann::json::parse(
            R"([{"name": "only", "durationSec": 5, "targetThroughput": 5000, "warmup": false}])"));
}

TEST(Load, APhaseWithoutATargetHasTheProducers) {
  gives(R"({"producer": {"targetThroughput": 123}})", "/phases/1/targetThroughput", 123);
  gives(R"({"producer": {"targetThroughput": 123}})", "/phases/0/targetThroughput", 1000);
  gives(R"({"producer": {"targetThroughput": "max"}})", "/phases/1/targetThroughput", "max");
}

TEST(Load, WithoutAFileTheRunIsOnePhase) {
  const Config plain = load_given({.overrides = {kMock}});
  ASSERT_EQ(plain.phases.size(), 1U);
  EXPECT_EQ(plain.phases[0].duration_sec, 60);
  EXPECT_EQ(rate_of(plain.phases[0]), 5000);
  EXPECT_EQ(plain.name, "walstorm");
  const Config asked = load_given({.overrides = {kMock,
                                                 {"--throughput ", "phases.*.targetThroughput", "10000"},
                                                 {"--duration ", "phases.*.durationSec", "120"}}});
  EXPECT_EQ(asked.phases[0].duration_sec, 120);
  EXPECT_EQ(rate_of(asked.phases[0]), 10000);
}

TEST(Load, FlagsReplaceTargetAndDurationOfEveryPhase) {
  const Config config =
      load_given({.file = with_mock(R"({"phases": [{"name": "a", "durationSec": 1, "targetThroughput": "max"},
                                                                     {"name": "b", "durationSec": 2}]})"),
                  .overrides = {{"--throughput ", "phases.*.targetThroughput", "777"},
                                {"--duration ", "phases.*.durationSec", "9"}}});
  for (const Phase& phase : config.phases) {
    EXPECT_EQ(rate_of(phase), 777);
    EXPECT_EQ(phase.duration_sec, 9);
  }
}

TEST(Load, SetReachesEveryPlace) {
  const Config config = load_given(
      {.file = with_mock("{}"),
       .overrides = {set("phases.0.durationSec", "3"), set("name", "fast"),
                     set("phases.1.targetThroughput", R"({"from": 1, "to": 2})"),
                     set("producer", R"({"batchSize": 5})"), set("database.settings.work_mem", "64MB")}});
  EXPECT_EQ(config.phases[0].duration_sec, 3);
  EXPECT_EQ(config.name, "fast");
  EXPECT_EQ(std::get<RampLoad>(config.phases[1].load).to, 2);
  EXPECT_EQ(config.producer.batch_size, 5U);
  EXPECT_EQ(config.producer.connections, 4U);
  EXPECT_EQ(config.database.settings.at("work_mem"), "64MB");
}

TEST(Load, ALaterOverrideWins) {
  const Config config =
      load_given({.file = with_mock("{}"), .overrides = {set("seed", "2"), set("seed", "3")}});
  EXPECT_EQ(config.seed, 3U);
}

TEST(Load, ProblemsOfOverridesNameTheFlag) {
  const auto refusal = refusal_of({.file = with_mock(R"({"stop": {"graceSec": 0}})"),
                                   .overrides = {set("producer.batchSize", "0"),
                                                 set("producer.batchSiz", "1"),
                                                 set("consumer", R"({"binary": 3})"),
                                                 set("phases.7.durationSec", "1"),
                                                 set("seed.x", "1"),
                                                 set("foo.bar", "1"),
                                                 set("drain", R"({"timeoutSec":1,"timeoutSec":2})"),
                                                 {"--throughput ", "phases.*.targetThroughput", "0"},
                                                 set("database.url", "u:hunter2@h")}});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message,
            "--set phases.7.durationSec: there is no \"7\" in /phases, which holds 2 (counted from 0)\n"
            "--set seed.x: /seed is no object\n"
            "--set drain: /timeoutSec: given twice\n"
            "--set consumer: /consumer/binary: 3: must be true or false\n"
            "--set foo.bar: /foo: unknown key\n"
            "--set database.url: must be a postgresql:// URL or \"private\"\n"
            "--throughput 0: must be at least 1\n"
            "--set producer.batchSize=0: must be at least 1\n"
            "--set producer.batchSiz: unknown key; did you mean \"batchSize\"?\n"
            "config.json: /stop/graceSec: 0: must be at least 0.1");
}

TEST(Load, AKeyGivenTwiceIsRefused) {
  const auto refusal =
      refusal_of({.file = R"({"consumer": {"useMockClickhouse": true}, "producer": {"batchSize": 1,
                                               "batchSize": 2}, "seed": 1, "seed": 1})"});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message,
            "config.json: /producer/batchSize: given twice\nconfig.json: /seed: given twice");
}

TEST(Load, BadJsonNamesLineAndColumn) {
  const auto refusal = refusal_of({.file = "{\n  \"seed\": 1,\n  \"name\" \"x\"\n}"});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, wire::ErrorKind::config);
  EXPECT_EQ(refusal->message.substr(0, 45), "config.json: line 3, column 12: not JSON: whi");
  EXPECT_EQ(refusal_of({.file = "[1]"})->message, "config.json: must be an object, {...}");
  EXPECT_EQ(refusal_of({.file = std::string((1U << 20U) + 1, ' ')})->message,
            "config.json: is larger than 1 MiB: that is no config file");
}

TEST(Load, AFileThatIsNotThereIsABadConfig) {
  const TemporaryFolder folder;
  const auto nothing = [](const std::string&) { return std::nullopt; };
  for (const auto& path : {folder.path() / "none.json", folder.path()}) {
    try {
      static_cast<void>(load({.file = path, .overrides = {kMock}, .env_file = {}}, nothing, folder.path()));
      ADD_FAILURE() << path << " was taken";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::config);
      EXPECT_EQ(std::string(error.what()).rfind(path.string() + ": ", 0), 0U) << error.what();
    }
  }
}

TEST(Load, WithoutAnySinkTheEnvironmentIsNotReadyAndAllWaysOutAreTold) {
  const auto refusal = refusal_of({.file = "{}"});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, wire::ErrorKind::unavailable);
  for (const char* way : {"--mock-clickhouse", "--private-clickhouse", "CLICKHOUSE_URL", "clickhouse.url"})
    EXPECT_NE(refusal->message.find(way), std::string::npos) << way;
}

TEST(Load, TheFilesUrlWinsOverClickhouseUrl) {
  const std::map<std::string, std::string> environment{{"CLICKHOUSE_URL", "http://env:8123"}};
  const auto clickhouse = [&](const std::string& json, std::string env_local = {}) {
    return load_given({.file = json, .environment = environment, .env_local = std::move(env_local)})
        .clickhouse;
  };
  EXPECT_EQ(clickhouse("{}").url, "http://env:8123");
  EXPECT_FALSE(clickhouse("{}").is_private);
  EXPECT_EQ(clickhouse("{}").database, "walstorm");
  EXPECT_EQ(clickhouse("{}", "CLICKHOUSE_URL=http://local").url, "http://env:8123");
  EXPECT_EQ(clickhouse(R"({"clickhouse": {"url": "https://config", "database": "other"}})").url,
            "https://config");
  EXPECT_EQ(clickhouse(R"({"clickhouse": {"url": "private"}})").url, std::nullopt);
  EXPECT_TRUE(clickhouse(R"({"clickhouse": {"url": "private"}})").is_private);
}

TEST(Load, EnvLocalNamesClickhouseToo) {
  EXPECT_EQ(load_given({.file = "{}", .env_local = "CLICKHOUSE_URL=http://u:p@h:8123"}).clickhouse.url,
            "http://u:p@h:8123");
  EXPECT_EQ(load_given({.file = R"({"clickhouse": {"url": "http://u:${PW}@h"}})", .env_local = "PW=secret"})
                .clickhouse.url,
            "http://u:secret@h");
}

TEST(Load, ABadClickhouseUrlIsToldByItsNameWithoutItsValue) {
  const auto refusal = refusal_of({.file = "{}", .environment = {{"CLICKHOUSE_URL", "tcp://u:hunter2@h"}}});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message, "CLICKHOUSE_URL: must be an http:// or https:// URL or \"private\"");
}

TEST(Load, AMissingSinkIsToldAlongWithOtherProblems) {
  const auto refusal = refusal_of({.file = R"({"seed": -1})"});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, wire::ErrorKind::config);
  EXPECT_NE(refusal->message.find("/seed: -1"), std::string::npos);
  EXPECT_NE(refusal->message.find("--mock-clickhouse"), std::string::npos);
}

TEST(Load, CleaningUpNeedsNoSink) {
  EXPECT_EQ(refusal_of({.file = "{}", .needs_sink = false}), std::nullopt);
}

TEST(Load, TheMockBeatsAClickhouseUrl) {
  const Config config =
      load_given({.file = with_mock("{}"), .environment = {{"CLICKHOUSE_URL", "what nobody looks at"}}});
  EXPECT_TRUE(config.consumer.use_mock_clickhouse);
  EXPECT_EQ(config.clickhouse.url, std::nullopt);
  EXPECT_TRUE(load_given({.file = R"({"clickhouse": {"url": "http://h"}})", .overrides = {kMock}})
                  .consumer.use_mock_clickhouse);
}

TEST(Load, TheFilesUrlWinsOverDatabaseUrl) {
  const std::map<std::string, std::string> environment{{"DATABASE_URL", "postgres://env/x"}};
  const auto url = [&](const std::string& json, std::string env_local = {}) {
    return load_given(
               {.file = with_mock(json), .environment = environment, .env_local = std::move(env_local)})
        .database.url;
  };
  EXPECT_EQ(url("{}"), "postgres://env/x");
  EXPECT_EQ(url("{}", "DATABASE_URL=postgres://file/x"), "postgres://env/x");
  EXPECT_EQ(url(R"({"database": {"url": "postgres://config/x"}})"), "postgres://config/x");
  EXPECT_EQ(url(R"({"database": {"url": "private"}})"), std::nullopt);
}

TEST(Load, EnvLocalBesideTheConfigNamesTheServer) {
  const Config config =
      load_given({.file = with_mock("{}"), .env_local = "OTHER=1\nDATABASE_URL=\"postgres://u:p@h/x\"\n"});
  EXPECT_EQ(config.database.url, "postgres://u:p@h/x");
}

TEST(Load, ABadDatabaseUrlIsToldByItsNameWithoutItsValue) {
  const auto refusal =
      refusal_of({.file = with_mock("{}"), .environment = {{"DATABASE_URL", "mysql://u:hunter2@h/x"}}});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message, "DATABASE_URL: must be a postgresql:// URL or \"private\"");
}

TEST(Load, NamesInTheDatabaseSectionAreReplaced) {
  const Config config = load_given(
      {.file = with_mock(
           R"({"database": {"url": "postgres://u:${PW}@h/x", "settings": {"work_mem": "${MEM}"}}})"),
       .environment = {{"PW", "hunter2"}},
       .env_local = "MEM=9MB"});
  EXPECT_EQ(config.database.url, "postgres://u:hunter2@h/x");
  EXPECT_EQ(config.database.settings.at("work_mem"), "9MB");
}

TEST(Load, AMissingNameIsAProblem) {
  rejects(R"({"database": {"url": "${NONE}", "profilingDatabase": "${NONE_EITHER}"}})",
          {"config.json: /database/url: NONE is set neither in the environment nor in .env.local",
           "config.json: /database/profilingDatabase: NONE_EITHER is set neither in the environment nor in "
           ".env.local"});
}

TEST(Load, WhatANameStandsForIsNeverShown) {
  const auto refusal = refusal_of({.file = with_mock(R"({"database": {"profilingDatabase": "${SECRET}"}})"),
                                   .environment = {{"SECRET", std::string(70, 'x')}}});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message,
            "config.json: /database/profilingDatabase: \"${SECRET}\": must be at most 63 characters long");
}

TEST(Load, TheFilesNameBecomesTheRunsAsAFolderCanHaveIt) {
  const TemporaryFolder folder;
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const auto name = [&](const std::string& file) {
    return load({.file = folder.write(file, "{}"), .overrides = {kMock}, .env_file = {}}, nothing,
                folder.path())
        .name;
  };
  EXPECT_EQ(name("My stress test.json"), "My-stress-test");
  EXPECT_EQ(name("stairs.v2.json"), "stairs.v2");
  EXPECT_EQ(name("...json"), "walstorm");
}

TEST(Load, TextThatIsNotUtf8IsRefused) {
  const auto refusal = refusal_of(
      {.file = with_mock("{}"), .overrides = {{"--output ", "profiling.outputDir", "\xff", true}}});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message, "the command line or the environment holds text that is not UTF-8");
}

}  // namespace
}  // namespace walstorm::config
