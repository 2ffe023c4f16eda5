#include "orchestrator/report/metrics_reader.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/report/metrics_json.h"
#include "orchestrator/report/report_md.h"
#include "orchestrator/report/summary.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/report/example_report.h"

namespace walstorm::report::test {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr const char* kSource = "somewhere/metrics.json";

Json written(const measure::RunReport& report) {
  return metrics_json(report, {{"name", "quickstart"}, {"seed", 1}});
}

RecordedRun read(const Json& json) {
  return parse_run(json.dump(2), kSource);
}

Json golden() {
  std::ifstream file(std::string(WALSTORM_GOLDEN_DIR) + "/metrics.json");
  return Json::parse(file);
}

void rejects(const std::string& text, const std::string& message) {
  try {
    (void)parse_run(text, kSource);
    ADD_FAILURE() << "was taken, instead of: " << message;
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr(kSource));
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_THAT(error.what(), HasSubstr("walstorm list"));
  }
}

TEST(MetricsReader, IsTheInverseOfMetricsJson) {
  const Json before = golden();
  Json after = metrics_json(read(before).report, before["config"]);
  after["tool"] = before["tool"];
  // Compared as a whole, and shown as the places where they differ.
  EXPECT_EQ(nlohmann::json::diff(nlohmann::json(before), nlohmann::json(after)), nlohmann::json::array());
  EXPECT_EQ(before.dump(), after.dump()) << "the order is another";
}

TEST(MetricsReader, ReadsAReportInWhichNothingWasMeasured) {
  const Json before = written(bare_report());
  EXPECT_EQ(written(read(before).report).dump(2), before.dump(2));
}

TEST(MetricsReader, GivesTheSameReportAndSummaryAgain) {
  for (const auto& report : {full_report(), bare_report()}) {
    const RecordedRun run = read(written(report));
    EXPECT_EQ(report_md(run.report, run.tool), report_md(report));
    EXPECT_EQ(summary(run.report, "x", true), summary(report, "x", true));
  }
}

TEST(MetricsReader, KnowsWhoMadeTheRunAndEachLeafOfItsConfig) {
  Json json = golden();
  json["tool"] = {{"version", "0.9"}, {"gitRevision", nullptr}, {"buildType", "Debug"}};
  json["config"] = {{"name", "x"},
                    {"phases", {{{"name", "load"}, {"durationSec", 60}}, {{"warmup", true}}}},
                    {"producer", {{"payloadSizeKB", 0.5}}},
                    {"thresholds", Json::array()}};
  const RecordedRun run = read(json);
  EXPECT_EQ(run.tool.version, "0.9");
  EXPECT_EQ(run.tool.git_revision, "unknown");
  EXPECT_EQ(run.tool.build_type, "Debug");
  EXPECT_THAT(run.config, ElementsAre(Pair("name", "x"), Pair("phases.0.durationSec", "60"),
                                      Pair("phases.0.name", "load"), Pair("phases.1.warmup", "true"),
                                      Pair("producer.payloadSizeKB", "0.5")));
}

TEST(MetricsReader, TakesWhatEarlierVersionsDidNotWriteAsNotMeasured) {
  Json json = golden();
  json["run"].erase("notes");
  json["environment"].erase("clocks");
  for (Json& phase : json["phases"]) {
    for (const char* key : {"ladder", "postgres", "notes", "thresholds"}) phase.erase(key);
    phase["consumer"].erase("parts");
    phase["consumer"].erase("flushErrorLast");
    phase["verdict"].erase("tryNext");
    for (Json& process : phase["processes"]) process.erase("cpuShare");
  }
  const measure::RunReport report = read(json).report;
  ASSERT_EQ(report.phases.size(), 3U);
  EXPECT_EQ(report.phases[1].ladder.head_to_sent.bytes.max, std::nullopt);
  EXPECT_EQ(report.phases[1].postgres.wal_status, "");
  EXPECT_EQ(report.phases[1].consumer.parts_created, std::nullopt);
  EXPECT_EQ(report.phases[1].producer.throughput, 5000);
  EXPECT_EQ(report.phases[2].verdict.state, measure::VerdictState::falling_behind);
  EXPECT_TRUE(report.environment.clocks.empty());
}

TEST(MetricsReader, RefusesWhatIsNoReport) {
  rejects("", "is not the report of a run");
  rejects("[1, 2]", "is not the report of a run");
  rejects("{\"schemaVersion\": 1}", "is not the report of a run");
  Json json = golden();
  json["schemaVersion"] = 2;
  rejects(json.dump(), "this version knows");
}

TEST(MetricsReader, RefusesValuesThatWouldTurnIntoOthers) {
  const auto with = [](const char* pointer, const Json& value) {
    Json json = golden();
    json[Json::json_pointer(pointer)] = value;
    return json.dump();
  };
  rejects(with("/phases/0/producer/records", -5), "\"records\" is of a wrong type");
  rejects(with("/phases/0/producer/records", 3.7), "\"records\" is of a wrong type");
  rejects(with("/phases/0/consumer/lagMs/p99", "12"), "\"p99\" is of a wrong type");
  rejects(with("/phases/0/verdict/state", "splendid"), "\"splendid\" is none of the words");
  rejects(with("/run/startedAt", "yesterday"), "\"startedAt\" is no time");
  rejects(with("/phases/0/targetThroughput", nullptr), "\"targetThroughput\" is no target");
}

TEST(MetricsReader, SaysThatAFolderHoldsNoRun) {
  try {
    (void)read_run("/nonexistent");
    ADD_FAILURE() << "was read";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent: there is no metrics.json in it"));
  }
}

}  // namespace
}  // namespace walstorm::report::test
