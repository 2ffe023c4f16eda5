// Each part of the pipe is made the slow one, with real processes; the verdict must find it out. What is
// slowed has half of what it needs at most, so that a busy machine changes little.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "tests/support/cpu_hog.h"
#include "tests/support/evidence.h"
#include "tests/support/lossy_proxy.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Few seconds of drain: what is asked is who is slow, not to wait for it.
const json kShortDrain = {{"timeoutSec", 1}};
/// A process that gets no CPU is slow to answer at the end, too.
const json kPatience = {{"graceSec", 30}};

class WhoIsSlow : public OnAServer {
 protected:
  /// The first phase's verdict, of a run that lost nothing; it is in the test's log.
  static json verdict_of(WalstormRun& run) {
    EXPECT_EQ(run.finish().code, 0) << run.output();
    const json metrics = run.metrics();
    json verdict = metrics["phases"][0]["verdict"];
    fmt::print("{}\n", verdict.dump());
    EXPECT_EQ(metrics["ledger"]["changes"]["brokenAt"], nullptr);
    expect_evidence_as_reported(metrics["phases"][0]);
    EXPECT_FALSE(verdict["tryNext"].empty());
    EXPECT_THAT(run.output(), HasSubstr("try: "));
    EXPECT_THAT(run.read("report.md"), HasSubstr("  - try: "));
    expect_nothing_left(run);
    return verdict;
  }

  /// What is advised first; empty where nothing is.
  static std::string first_advice(const json& verdict) {
    return verdict["tryNext"].empty() ? "" : verdict["tryNext"][0].get<std::string>();
  }

  /// The value of one piece of evidence; 0 where there is none.
  static double evidence_of(const json& verdict, const std::string& figure) {
    for (const json& evidence : verdict["evidence"]) {
      if (evidence["figure"] == figure && evidence["value"].is_number()) return evidence["value"];
    }
    return 0;
  }

  static pid_t only(const WalstormRun& run, const std::string& program) {
    const auto found = run.descendants(program);
    EXPECT_EQ(found.size(), 1U) << program;
    return found.empty() ? 0 : found.front();
  }
};

TEST_F(WhoIsSlow, ASlowSink) {
  // 4 flushes of 50 records in half a second: 400/s.
  WalstormRun run(config(
      {phase("slow-sink", 8, 1000)},
      {{"consumer", {{"mockClickhouseDelay", 500}, {"maxFlushConcurrency", 4}}}, {"drain", kShortDrain}}));
  const json verdict = verdict_of(run);
  EXPECT_EQ(verdict["state"], "falling-behind");
  EXPECT_EQ(verdict["bottleneck"], "sink");
  EXPECT_NEAR(verdict["capacityEstimate"], 400, 40);
  EXPECT_THAT(first_advice(verdict), testing::AllOf(HasSubstr("consumer.maxFlushConcurrency (now 4)"),
                                                    HasSubstr("consumer.flushBatchSize (now 50)")));
}

TEST_F(WhoIsSlow, ASlowSinkThatFillsTheBufferWithStreamingOn) {
  // Flights of 2 s to a sink that could take more of them: 3 of the 4 MiB, about 3,000 records, hold the
  // reader.
  WalstormRun run(config({phase("slow-sink", 8, 4000)}, {{"consumer",
                                                          {{"mockClickhouseDelay", 2000},
                                                           {"maxFlushConcurrency", 1000},
                                                           {"maxBufferedMB", 4},
                                                           {"protoVersion", 2},
                                                           {"streaming", "on"}}},
                                                         {"drain", kShortDrain}}));
  const json verdict = verdict_of(run);
  EXPECT_EQ(verdict["state"], "falling-behind");
  EXPECT_EQ(verdict["bottleneck"], "sink");
  EXPECT_NEAR(evidence_of(verdict, "consumer.batchBytesMax"), 3 << 20, 1 << 19) << verdict;
}

TEST_F(WhoIsSlow, AConsumerThatGetsNoCpu) {
  const CpuHog hog(loop_);
  WalstormRun run(
      config({phase("slow-consumer", 8, 4000)},
             {{"consumer", {{"compression", "gzip"}}}, {"drain", kShortDrain}, {"stop", kPatience}}));
  run.wait_for_output("slow-consumer");
  hog.crowd_out(only(run, "walstorm-consumer"));
  const json verdict = verdict_of(run);
  EXPECT_EQ(verdict["state"], "falling-behind");
  EXPECT_EQ(verdict["bottleneck"], "consumer-cpu");
  EXPECT_THAT(first_advice(verdict), HasSubstr("a CPU of its own"));
}

TEST_F(WhoIsSlow, AProducerThatGetsNoCpu) {
  const CpuHog hog(loop_);
  // In transactions of 10, which a producer writes at 3 to 4 us of CPU a record: it needs four times the
  // share that the hog leaves.
  WalstormRun run(
      config({phase("slow-producer", 8, 16'000)}, {{"producer", {{"batchSize", 10}}}, {"stop", kPatience}}));
  run.wait_for_output("slow-producer");
  hog.crowd_out(only(run, "walstorm-producer"));
  const json verdict = verdict_of(run);
  EXPECT_EQ(verdict["state"], "generator-limited");
  EXPECT_EQ(verdict["bottleneck"], "producer");
  EXPECT_THAT(first_advice(verdict), HasSubstr("a CPU of its own"));
}

TEST_F(WhoIsSlow, APostgresqlWhoseCommitsTakeLong) {
  // Each commit waits 20 ms for others to join it, and none comes: one connection writes 50/s.
  postgres::PrivateServer patient(loop_, {{"commit_delay", "20000"}, {"commit_siblings", "0"}},
                                  logs_.path() / "patient.log");
  WalstormRun run(config(
      {phase("slow-commits", 6, 500)},
      {{"database", {{"url", url_of(patient)}}}, {"producer", {{"batchSize", 1}, {"connections", 1}}}}));
  const json verdict = verdict_of(run);
  EXPECT_EQ(verdict["state"], "generator-limited");
  EXPECT_EQ(verdict["bottleneck"], "postgres-write");
  EXPECT_THAT(first_advice(verdict),
              HasSubstr("raise producer.batchSize (now 1) or producer.connections (now 1)"));
}

TEST_F(WhoIsSlow, ANetworkThatIsTooNarrow) {
  const TemporaryFolder folder;
  LossyProxy proxy(folder.path(), server_.folder());
  // About half of what 2,000 records of 1 KB make each second.
  proxy.limit(1'200'000);
  WalstormRun run(
      config({phase("narrow", 8, 2000)},
             {{"database", {{"url", "postgresql://walstorm@/postgres?host=" + folder.path().string()}}},
              {"drain", kShortDrain}}));
  const json verdict = verdict_of(run);
  EXPECT_EQ(verdict["state"], "falling-behind");
  EXPECT_EQ(verdict["bottleneck"], "network");
  EXPECT_GT(evidence_of(verdict, "postgres.walsenderWaits.Client:WalSenderWriteData"), 0.5) << verdict;
  EXPECT_GT(evidence_of(verdict, "ladder.sentToReceived.bytes.max"), 0) << verdict;
  EXPECT_THAT(first_advice(verdict), HasSubstr("bandwidth"));
}

TEST_F(WhoIsSlow, AWalsenderThatSpillsAndHasMuchToDo) {
  postgres::PrivateServer forgetful(loop_, {{"logical_decoding_work_mem", "64kB"}},
                                    logs_.path() / "forgetful.log");
  WalstormRun run(config({phase("slow-walsender", 8, 1500)}, {{"database", {{"url", url_of(forgetful)}}},
                                                              {"producer", {{"batchSize", 500}}},
                                                              {"drain", kShortDrain}}));
  run.wait_for_output("slow-walsender");
  // A filter that lets all rows pass, after a millisecond or two of thought about each.
  pqxx::connection connection(forgetful.address().conninfo("walstorm_profiling", "test"));
  pqxx::nontransaction transaction(connection);
  transaction.exec(
      "ALTER PUBLICATION walstorm_publication SET TABLE \"TaskRun\" "
      "WHERE (length(md5(repeat(coalesce(payload, ''), 1000))) = 32)");
  const json verdict = verdict_of(run);
  EXPECT_EQ(verdict["state"], "falling-behind");
  EXPECT_EQ(verdict["bottleneck"], "walsender");
  EXPECT_GT(evidence_of(verdict, "postgres.spilledBytes"), 1e6) << verdict;
  EXPECT_THAT(first_advice(verdict), HasSubstr("logical_decoding_work_mem"));
}

TEST_F(WhoIsSlow, NobodyWhenThePipeKeepsUp) {
  WalstormRun run(config({phase("easy", 6, 500)}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json phase = run.metrics()["phases"][0];
  const json& verdict = phase["verdict"];
  EXPECT_EQ(verdict["state"], "sustained") << verdict;
  expect_evidence_as_reported(phase);
  EXPECT_EQ(verdict["bottleneck"], "none");
  EXPECT_THAT(verdict["evidence"].back()["says"].get<std::string>(), HasSubstr("the busiest part was"));
  EXPECT_TRUE(verdict["tryNext"].empty());
}

}  // namespace
}  // namespace walstorm::tests
