// Runs that are profiled: what they leave, and that nothing of it costs the run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "orchestrator/profile/preload/gperftools.h"
#include "orchestrator/profile/record/perf_ability.h"
#include "tests/support/clickhouse.h"
#include "tests/support/path.h"
#include "tests/support/run_fixture.h"
#include "tests/support/scripted_clickhouse.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

json flame(const json& targets) {
  return {{"profiling", {{"enabled", true}, {"tool", "flame"}, {"targets", targets}, {"frequencyHz", 499}}}};
}

class AProfiledRun : public OnAServer {
 protected:
  void SetUp() override {
    const auto ability = profile::judge_perf_ability(profile::look_at_perf(loop_));
    if (!ability.on_cpu) GTEST_SKIP() << "perf cannot record here";
    off_cpu_ = ability.off_cpu;
  }

  bool off_cpu_ = false;
};

TEST_F(AProfiledRun, LeavesTheStacksOfItsTargetsAndAllItsFigures) {
  WalstormRun run(config({phase("warm", 1, 2000), phase("load", 4, 5000)}, [] {
    json changes = flame({"consumer", "postgres-walsender"});
    return changes;
  }()));
  expect_clean_run(run);
  const json metrics = run.metrics();
  for (const char* figure : {"lagMs", "loopUtilization", "cpuMicrosPerRecord"})
    EXPECT_FALSE(metrics["phases"][1]["consumer"][figure].is_null()) << figure;
  const json profile = json::parse(run.read("profile/profile.json"));
  ASSERT_EQ(profile["phases"].size(), 2U);
  EXPECT_EQ(profile["sampled"]["frequencyHz"], 499);
  EXPECT_GT(profile["profilerCpuShare"], 0);
  for (const json& target : profile["all"]) {
    EXPECT_GT(target["samples"], 0) << target["target"];
    EXPECT_GT(target["cpuSec"], 0) << target["target"];
    EXPECT_GE(target["wallPerCpu"], 1) << target["target"];
    EXPECT_EQ(target["waits"][0]["samples"] == 0, !off_cpu_) << target["target"];
    EXPECT_FALSE(target["functions"].empty());
  }
  EXPECT_THAT(run.read("profile/flame.html"), HasSubstr("walstorm::consumer::"));
  EXPECT_THAT(run.read("profile/load.folded"),
              AllOf(HasSubstr("consumer;"), HasSubstr("postgres-walsender;")));
  EXPECT_THAT(run.read("report.md"), AllOf(HasSubstr("## Profile"), HasSubstr("### Profile of consumer")));
  EXPECT_THAT(run.output(), AllOf(HasSubstr("profile   consumer"), HasSubstr("perf itself took")));
  expect_nothing_left(run);
}

TEST_F(AProfiledRun, IsComparedWithABaselineAndPushed) {
  const json load = config({phase("load", 3, 5000)}, flame({"consumer"}));
  WalstormRun base(load);
  expect_clean_run(base);
  ScriptedClickhouse pyroscope;
  WalstormRun run(load, {"--baseline", base.run_folder()->string(), "--pyroscope",
                         "http://127.0.0.1:" + std::to_string(pyroscope.port()), "--top", "3"});
  expect_clean_run(run);
  const json diff = json::parse(run.read("profile/diff.json"));
  EXPECT_EQ(diff["targets"][0]["target"], "consumer");
  EXPECT_LE(diff["targets"][0]["functions"].size(), 3U);
  EXPECT_THAT(run.read("profile/diff.html"), HasSubstr("\"compares\":true"));
  EXPECT_THAT(run.read("report.md"), HasSubstr("### Profile beside "));
  const auto pushed = pyroscope.requests();
  ASSERT_EQ(pushed.size(), 1U);
  EXPECT_EQ(pushed[0].parameters.at("name"), "walstorm.cpu{run=test,phase=load,role=consumer}");
  EXPECT_THAT(pushed[0].body, testing::StartsWith("consumer;"));
}

TEST_F(AProfiledRun, OfClickhouseTellsWhatItIsDoing) {
  SKIP_WITHOUT_CLICKHOUSE();
  json changes = flame({"clickhouse"});
  changes["clickhouse"]["url"] = "private";
  changes["consumer"]["useMockClickhouse"] = false;
  WalstormRun run(config({phase("load", 5, 3000)}, changes));
  expect_clean_run(run);
  const json profile = json::parse(run.read("profile/profile.json"));
  ASSERT_EQ(profile["all"].size(), 1U);
  EXPECT_EQ(profile["all"][0]["target"], "clickhouse");
  EXPECT_GT(profile["all"][0]["cpuSecCounted"], 0);
  std::vector<std::string> modules;
  for (const json& module : profile["all"][0]["modules"]) modules.push_back(module["module"]);
  EXPECT_THAT(modules, testing::Not(testing::Contains("compress"))) << "which is the consumer's";
  // perf takes its time to find its way into so many threads, on a busy machine more than the phase has.
  if (profile["all"][0]["samples"] < 100) return;
  EXPECT_THAT(modules, testing::Contains("clickhouse insert"));
  EXPECT_THAT(run.read("profile/load.folded"), HasSubstr(";DB::"));
}

TEST_F(AProfiledRun, PassesWhenNobodyTakesItsStacks) {
  WalstormRun run(config({phase("load", 2, 5000)}, flame({"consumer"})),
                  {"--pyroscope", "http://127.0.0.1:1"});
  expect_clean_run(run);
  EXPECT_THAT(run.metrics()["run"]["notes"].dump(),
              HasSubstr("profile: connect to http://127.0.0.1:1/ingest"));
}

TEST_F(OnAServer, ABaselineThatIsNoneIsToldBeforeTheRun) {
  WalstormRun run(config({phase("load", 1, 1000)}, flame({"consumer"})), {"--baseline", "/nowhere"});
  EXPECT_EQ(run.finish().code, 2) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("there is no /nowhere"));
}

TEST_F(AProfiledRun, OfAWarmUpAloneLeavesNoStacks) {
  json warm = phase("warm", 1, 1000);
  warm["warmup"] = true;
  WalstormRun run(config({warm}, flame({"consumer"})));
  expect_clean_run(run);
  EXPECT_TRUE(json::parse(run.read("profile/profile.json"))["all"].empty());
}

/// Without perf the workers sample themselves, and the same comes of it.
TEST_F(OnAServer, ARunWithoutPerfSamplesItsWorkersFromWithin) {
  const auto within = profile::judge_sampler(profile::look_for_gperftools());
  if (within.level != config::Level::ok) GTEST_SKIP() << within.says << ": " << within.todo;
  const Path nowhere("/nowhere");
  // A format that takes long: the kernel's tick has to meet the consumer at work.
  json changes = flame({"consumer", "producer", "postgres-walsender"});
  changes["consumer"] = {{"insertFormat", "jsonCompactEachRow"}, {"compression", "none"}};
  WalstormRun run(config({phase("first", 3, "max"), phase("second", 3, "max")}, changes));
  expect_clean_run(run);
  const json profile = json::parse(run.read("profile/profile.json"));
  EXPECT_THAT(profile["sampled"]["by"], HasSubstr("gperftools"));
  EXPECT_EQ(profile["profilerCpuShare"], nullptr);
  ASSERT_EQ(profile["phases"].size(), 2U);
  for (const json& each : profile["phases"]) {
    // The kernel's tick is coarse: a producer's few milliseconds may lie between two of them.
    const json& target = each["targets"][0];
    EXPECT_EQ(target["target"], "consumer");
    EXPECT_GT(target["samples"], 0);
    EXPECT_GT(target["cpuSec"], 0);
    EXPECT_EQ(target["wallPerCpu"], nullptr);
  }
  const json metrics = run.metrics();
  EXPECT_THAT(run.read("profile/first.folded"), HasSubstr("walstorm::consumer::"));
  EXPECT_THAT(run.read("profile/flame.html"), HasSubstr("walstorm::consumer::"));
  for (const char* file : {"all.pb.gz", "second.speedscope.json"})
    EXPECT_FALSE(run.read(std::string("profile/") + file).empty());
  EXPECT_THAT(
      metrics["run"]["notes"].dump(),
      AllOf(HasSubstr("perf: is not installed"), HasSubstr("PostgreSQL and ClickHouse cannot be sampled so"),
            HasSubstr("postgres-walsender was not sampled")));
  expect_nothing_left(run);
}

TEST_F(OnAServer, ARunWithoutPerfPassesAndSaysHowToGetIt) {
  const Path nowhere("/nowhere");
  WalstormRun run(config({phase("load", 1, 1000)}, flame({"consumer"})));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  EXPECT_THAT(run.metrics()["run"]["notes"].dump(),
              AllOf(HasSubstr("perf: is not installed"), HasSubstr("linux-perf")));
  EXPECT_THAT(run.read("report.md"), HasSubstr("linux-perf"));
}

}  // namespace
}  // namespace walstorm::tests
