#include <gtest/gtest.h>

#include "config_verbs.h"

namespace walstorm::config {
namespace {

constexpr const char* kEverything = R"({
  "name": "all", "description": "every key", "seed": 42,
  "phases": [{"name": "a", "durationSec": 1.5, "targetThroughput": {"from": 10, "to": 20.5}, "warmup": true},
             {"name": "b", "durationSec": 2, "targetThroughput": "max", "records": 500},
             {"name": "c", "durationSec": 3}],
  "producer": {"targetThroughput": 77, "maxLiveRows": 1000, "insertUpdateRatio": 0.3, "deleteRatio": 0.2, "batchSize": 11,
               "payloadSizeKB": 0.5, "payloadEntropy": 0.9, "writeMode": "unnest", "connections": 2, "workerCount": 3,
               "preloadRows": 400, "arrival": "poisson"},
  "consumer": {"flushBatchSize": 12, "flushIntervalMs": 13, "maxFlushConcurrency": 14, "useMockClickhouse": true,
               "mockClickhouseDelay": 1.5, "mock": {"maxRecordsPerSec": 15000, "jitterMs": 2.5,
               "errorRate": 0.01, "stalls": [{"atSec": 5, "durationSec": 0.5}]}, "insertFormat": "rowBinary", "compression": "zstd", "ackPolicy": "onReceive",
               "maxBufferedMB": 16, "binary": false, "protoVersion": 4, "streaming": "parallel",
               "slotName": "s", "publicationName": "p"},
  "database": {"url": "postgresql://u@h/db?schema=public", "profilingDatabase": "d", "copySchemaFrom": "app", "keep": false, "replicaIdentity": "full",
               "settings": {"synchronous_commit": "off", "work_mem": 64, "fsync": false}, "giveUpSec": 12.5},
  "clickhouse": {"url": "https://h:8443/", "database": "c", "giveUpSec": 9.5}, "profiling": {"enabled": true, "tool": "flame", "targets": ["producer", "clickhouse"], "frequencyHz": 199,
               "outputDir": "out"},
  "thresholds": ["producer.errorRate < 0.01", {"expr": "consumer.lagMs.p99 < 9", "phase": "c", "windowSec": 3,
                 "abortOnFail": true, "delayAbortSec": 1.5}], "sweep": {"mode": "oneAtATime", "repeats": 3,
                 "consumer.flushBatchSize": [5, 50]}, "drain": {"timeoutSec": 7}, "stop": {"graceSec": 0.5}})";

TEST(ResolvedConfig, HoldsEveryKeyThatTheFileHad) {
  const nlohmann::json resolved = to_json(load_given({.file = kEverything}));
  nlohmann::json expected = nlohmann::json::parse(kEverything);
  expected["producer"].erase("targetThroughput");  // now said by each phase
  expected["phases"][2]["targetThroughput"] = 77;
  expected["phases"][1]["warmup"] = expected["phases"][2]["warmup"] = false;
  expected["database"]["settings"] = {{"synchronous_commit", "off"}, {"work_mem", "64"}, {"fsync", "false"}};
  EXPECT_EQ(resolved, expected) << nlohmann::json::diff(expected, resolved).dump(1);
}

TEST(ResolvedConfig, LoadsAgainToTheSame) {
  for (const std::string& json :
       {std::string(kEverything), with_mock("{}"), with_mock(R"({"database": {"url": "private"}})"),
        std::string(R"({"clickhouse": {"url": "private"}})"),
        with_mock(R"({"thresholds": [{"expr": "ledger.missing == 0"}]})"),
        std::string(R"({"clickhouse": {"url": "http://h"}})")}) {
    const nlohmann::json once = to_json(load_given({.file = json}));
    EXPECT_EQ(to_json(load_given({.file = once.dump()})), once);
  }
}

TEST(ResolvedConfig, HasNoSecretsAndStillIsAConfig) {
  const Config config = load_given(
      {.file = with_mock("{}"),
       .environment = {{"DATABASE_URL", "postgres://u:hunter2@h/x?schema=app&sslpassword=hunter3"}}});
  EXPECT_EQ(config.database.url, "postgres://u:hunter2@h/x?schema=app&sslpassword=hunter3");
  const std::string text = to_json(config).dump();
  EXPECT_EQ(text.find("hunter"), std::string::npos) << text;
  EXPECT_EQ(refusal_of({.file = text}), std::nullopt);
}

TEST(ResolvedConfig, HasNoSecretsOfClickhouseEither) {
  for (const char* url : {"http://u:hunter2@h:8123/db", "https://h?user=u&password=hunter2&max_threads=2",
                          "http://h/?password=hunter2"}) {
    const Config config = load_given({.file = "{}", .environment = {{"CLICKHOUSE_URL", url}}});
    EXPECT_EQ(config.clickhouse.url, url);
    const std::string text = to_json(config).dump();
    EXPECT_EQ(text.find("hunter"), std::string::npos) << text;
    EXPECT_NE(text.find("***"), std::string::npos) << text;
    EXPECT_EQ(refusal_of({.file = text}), std::nullopt);
  }
}

}  // namespace
}  // namespace walstorm::config
