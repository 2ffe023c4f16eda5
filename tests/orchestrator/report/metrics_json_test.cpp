#include "orchestrator/report/metrics_json.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "orchestrator/text/document.h"
#include "orchestrator/text/or_null.h"
#include "tests/orchestrator/report/example_report.h"
#include "tests/orchestrator/report/golden.h"

namespace walstorm::report::test {
namespace {

using Json = nlohmann::ordered_json;

/// The golden file must not change with every commit.
Json without_build(Json json) {
  for (const char* key : {"version", "gitRevision", "buildType"}) json["tool"][key] = "(of the build)";
  return json;
}

/// Every key of DESIGN §10 in this order; keys of ours that it does not name are left out.
constexpr const char* kDistribution =
    R"(["count","min","mean","stddev","p2_5","p50","p90","p95","p97_5","p99","p999","max"])";

void expect_keys(const Json& json, const std::string& pointer, const Json& keys) {
  const Json& object = json.at(Json::json_pointer(pointer));
  std::vector<std::string> found;
  for (const auto& [key, value] : object.items()) found.push_back(key);
  std::size_t from = 0;
  for (const auto& key : keys) {
    const auto at =
        std::find(found.begin() + static_cast<std::ptrdiff_t>(from), found.end(), key.get<std::string>());
    EXPECT_NE(at, found.end()) << pointer << "/" << key << " is missing or out of order";
    if (at != found.end()) from = static_cast<std::size_t>(at - found.begin());
  }
}

void expect_all_keys(const Json& json) {
  expect_keys(json, "",
              Json::parse(R"(["schemaVersion","tool","run","environment","config","phases","ledger"])"));
  expect_keys(json, "/tool", Json::parse(R"(["name","version","gitRevision","buildType"])"));
  expect_keys(json, "/run", Json::parse(R"(["name","startedAt","endedAt","outcome","exitCode","failure"])"));
  expect_keys(json, "/environment",
              Json::parse(R"(["host","kernel","cpuModel","cpuCount","memoryBytes","postgresVersion",
                              "postgresSettings","clickhouseVersion"])"));
  const std::string phase = "/phases/0";
  expect_keys(
      json, phase,
      Json::parse(R"(["name","warmup","outcome","startedAt","durationSec","targetThroughput","producer",
                              "consumer","processes","drain","ledger","verdict","thresholds"])"));
  expect_keys(json, phase + "/producer",
              Json::parse(R"(["records","inserts","updates","deletes","transactions","bytes","throughput",
                              "throughputPerSec","targetRatio","notStarted","errors","errorsBySqlstate",
                              "recordsFailed","errorRate","writeLatencyMs","censored","serviceTimeMs","scheduleLagMs","cpuMicrosPerRecord"])"));
  expect_keys(
      json, phase + "/consumer",
      Json::parse(
          R"(["records","batches","bytes","encodedBytes","wireBytes","throughput","throughputPerSec","errors","retries",
                              "errorRate","lagMs","censored","receiveMs","queueMs","flushMs","walBehindBytes",
                              "loopUtilization","bufferedBytesMax","batchBytesMax","heapBytesMax","cpuMicrosPerRecord"])"));
  for (const char* distribution :
       {"/producer/throughputPerSec", "/producer/writeLatencyMs", "/producer/serviceTimeMs",
        "/producer/scheduleLagMs", "/consumer/throughputPerSec", "/consumer/lagMs", "/consumer/receiveMs",
        "/consumer/queueMs", "/consumer/flushMs"}) {
    expect_keys(json, phase + distribution, Json::parse(kDistribution));
  }
  expect_keys(json, phase + "/consumer/walBehindBytes", Json::parse(R"(["max","end"])"));
  expect_keys(json, phase + "/consumer/loopUtilization", Json::parse(R"(["mean","max"])"));
  expect_keys(json, phase + "/processes/0",
              Json::parse(R"(["role","pid","cpuUserSec","cpuSystemSec","cpuMicrosPerRecord","rssMaxBytes",
                              "contextSwitches"])"));
  expect_keys(json, phase + "/drain", Json::parse(R"(["completed","durationSec"])"));
  const Json changes = Json::parse(R"(["produced","received","acknowledged","missing","duplicated","replayed",
                                       "inTransit","checksumMatches"])");
  expect_keys(json, phase + "/ledger", changes);
  expect_keys(json, phase + "/verdict",
              Json::parse(R"(["state","bottleneck","capacityEstimate","evidence"])"));
  expect_keys(json, phase + "/verdict/evidence/0", Json::parse(R"(["figure","value","limit","says"])"));
  expect_keys(json, "/ledger", Json::parse(R"(["changes","rows","content"])"));
  expect_keys(json, "/ledger/changes", changes);
  expect_keys(json, "/ledger/rows",
              Json::parse(R"(["expected","postgres","landed","inTransit","checksumMatches"])"));
  expect_keys(json, "/ledger/content", Json::parse(R"(["sampled","postgresMatches","landedMatches"])"));
}

TEST(MetricsJson, IsAsItAlwaysWas) {
  const Json json = metrics_json(full_report(), {{"name", "quickstart"}, {"seed", 1}});
  expect_golden("metrics.json", text::document_text(without_build(json)));
}

TEST(MetricsJson, HasEveryKeyOfTheDesignInItsOrder) {
  const Json json = metrics_json(full_report(), {});
  expect_all_keys(json);
  expect_keys(json, "/phases/2/thresholds/0",
              Json::parse(R"(["expr","passed","observed","limit","windowSec","says"])"));
}

TEST(MetricsJson, HasTheSameKeysWithNullWhereNothingWasMeasured) {
  const Json json = metrics_json(bare_report(), {});
  expect_all_keys(json);
  const Json& phase = json["phases"][0];
  for (const char* pointer : {"/producer/throughput",
                              "/producer/throughputPerSec/p50",
                              "/producer/targetRatio",
                              "/producer/notStarted",
                              "/producer/censored",
                              "/producer/errorRate",
                              "/producer/writeLatencyMs/p99",
                              "/producer/cpuMicrosPerRecord",
                              "/consumer/throughput",
                              "/consumer/errorRate",
                              "/consumer/lagMs/p99",
                              "/consumer/lagMs/mean",
                              "/consumer/censored",
                              "/consumer/walBehindBytes/max",
                              "/consumer/loopUtilization/mean",
                              "/consumer/bufferedBytesMax",
                              "/consumer/heapBytesMax",
                              "/processes/0/pid",
                              "/processes/0/cpuUserSec",
                              "/drain/completed",
                              "/drain/durationSec",
                              "/ledger/produced",
                              "/ledger/missing",
                              "/ledger/checksumMatches",
                              "/verdict/capacityEstimate",
                              "/verdict/evidence/0/value"}) {
    EXPECT_TRUE(phase.at(Json::json_pointer(pointer)).is_null()) << pointer;
  }
  for (const char* pointer : {"/environment/host", "/environment/cpuCount", "/environment/clickhouseVersion",
                              "/ledger/rows/postgres", "/ledger/content/sampled"}) {
    EXPECT_TRUE(json.at(Json::json_pointer(pointer)).is_null()) << pointer;
  }
}

/// Every number that is written more exactly than figures are, by its path.
void collect_tails(const Json& json, const std::string& path, std::vector<std::string>& found) {
  if (json.is_number_float() && text::rounded(json.get<double>()) != json.get<double>())
    found.push_back(path);
  if (!json.is_structured()) return;
  for (const auto& [key, member] : json.items()) collect_tails(member, path + "/" + key, found);
}

TEST(MetricsJson, HasNoFigureWithATail) {
  measure::RunReport report = full_report();
  report.environment.cpu_count = 4.0 / 3;
  for (measure::PhaseReport& phase : report.phases) {
    phase.postgres.writer_waits["idle"] = 10.0 / 3;
    phase.backlog.standstill = {.from_sec = 1.0 / 3, .to_sec = 20.0 / 3, .waiting = 2.0 / 3};
    for (measure::Evidence& evidence : phase.verdict.evidence) evidence.value = 1.0 / 7;
  }
  std::vector<std::string> tails;
  collect_tails(metrics_json(report, {{"seconds", 1.0 / 3}}), "", tails);
  EXPECT_EQ(tails, std::vector<std::string>{"/config/seconds"}) << "what was given is as it was given";
}

TEST(MetricsJson, HasNullForAThresholdThatWasNeverMeasured) {
  const Json thresholds = metrics_json(full_report(), {})["phases"][2]["thresholds"];
  EXPECT_EQ(thresholds[1]["observed"], 35'000.0);
  EXPECT_TRUE(thresholds[1]["windowSec"].is_null());
  EXPECT_TRUE(thresholds[1]["says"].is_null());
  EXPECT_EQ(thresholds[2]["windowSec"], 10.0);
  EXPECT_TRUE(thresholds[3]["observed"].is_null());
  EXPECT_EQ(thresholds[3]["passed"], false);
  EXPECT_EQ(thresholds[3]["says"], "never measured: consumer.parts.created");
}

TEST(MetricsJson, ShowsEachTargetAsItWasConfigured) {
  const Json json = metrics_json(full_report(), {});
  EXPECT_EQ(json["phases"][0]["targetThroughput"], 1000.0);
  EXPECT_EQ(json["phases"][1]["targetThroughput"], Json::parse(R"({"from":1000,"to":9000})"));
  EXPECT_EQ(metrics_json(bare_report(), {})["phases"][0]["targetThroughput"], "max");
}

TEST(MetricsJson, WritesStatesWithHyphensAndTimesInUtc) {
  measure::RunReport report = full_report();
  report.outcome = measure::Outcome::thresholds_crossed;
  const Json json = metrics_json(report, {});
  EXPECT_EQ(json["run"]["outcome"], "thresholds-crossed");
  EXPECT_EQ(json["run"]["startedAt"], "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(json["phases"][2]["verdict"]["state"], "falling-behind");
}

}  // namespace
}  // namespace walstorm::report::test
