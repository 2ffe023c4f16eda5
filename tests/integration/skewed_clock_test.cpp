// Runs whose consumer or producer lives by another wall clock than PostgreSQL and the orchestrator, as on
// another host: nothing but the clocks' own line may tell.

#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_fixture.h"
#include "tests/support/sanitized.h"

namespace walstorm::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr double kRate = 1000;
constexpr double kSeconds = 3;

/// The programs in a folder of their own, in which worker `program` lives `ahead_sec` ahead.
class SkewedClock : public OnAServer {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "a sanitizer's runtime has to be loaded first";
  }

  fs::path walstorm_with(const std::string& program, int ahead_sec) {
    const fs::path real = fs::path(WALSTORM_BINARY).parent_path();
    for (const char* name : {"walstorm", "walstorm-producer", "walstorm-consumer"}) {
      // walstorm looks for its workers beside its own file, which a link would not be.
      if (name != program) fs::copy_file(real / name, folder_.path() / name);
    }
    const fs::path wrapper = folder_.path() / program;
    std::ofstream(wrapper) << fmt::format(
        "#!/bin/sh\nexec env LD_PRELOAD={} WALSTORM_TEST_CLOCK_AHEAD_SEC={} {}\n", WALSTORM_SKEWED_CLOCK,
        ahead_sec, (real / program).string());
    fs::permissions(wrapper, fs::perms{0755});
    return folder_.path() / "walstorm";
  }

  json load() const {
    return config({phase("first", kSeconds, kRate), phase("second", kSeconds, kRate)},
                  {{"producer", {{"batchSize", 20}}}, {"consumer", {{"flushIntervalMs", 50}}}});
  }

  /// As a run with one clock has them.
  void expect_figures_of_one_clock(WalstormRun& run) {
    expect_clean_run(run);
    const json metrics = run.metrics();
    for (const json& report : metrics["phases"]) {
      const json& consumer = report["consumer"];
      EXPECT_NEAR(report["durationSec"], kSeconds, 0.5);
      EXPECT_NEAR(report["producer"]["targetRatio"], 1, 0.02);
      // Flushed every 50 ms: records wait for half of that on average. Clocks that were not corrected would
      // be off by the skew, or, taken for 0, give no lag at all.
      EXPECT_GT(consumer["lagMs"]["p50"], 10);
      EXPECT_LT(consumer["lagMs"]["p50"], 200);
      EXPECT_LT(consumer["receiveMs"]["p50"], 100);
      const double stages = consumer["receiveMs"]["mean"].get<double>() +
                            consumer["queueMs"]["mean"].get<double>() +
                            consumer["flushMs"]["mean"].get<double>();
      EXPECT_NEAR(stages, consumer["lagMs"]["mean"].get<double>(), 0.01);
      // Of the load window alone: needs the workers' Samples on one clock.
      EXPECT_NEAR(consumer["throughput"], kRate, kRate / 4);
      EXPECT_GE(consumer["throughputPerSec"]["count"], kSeconds - 1);
      EXPECT_LT(report["ladder"]["receivedToFlushed"]["sec"]["max"], kSeconds);
    }
    EXPECT_LT(metrics["run"]["startedAt"], metrics["phases"][0]["startedAt"]);
    EXPECT_LT(metrics["phases"][1]["startedAt"], metrics["run"]["endedAt"]);
  }

  /// And the one clock is named in every output.
  static void expect_clock_told(const WalstormRun& run, const std::string& role, int ahead_sec) {
    const json metrics = run.metrics();
    std::size_t seen = 0;
    for (const json& clock : metrics["environment"]["clocks"]) {
      const double error_ms = clock["errorMs"];
      EXPECT_LT(error_ms, 50);
      const double ahead_ms = clock["role"] == role ? ahead_sec * 1000.0 : 0;
      EXPECT_NEAR(clock["aheadMs"], ahead_ms, error_ms) << clock;
      ++seen;
    }
    EXPECT_EQ(seen, 3U);
    // To some milliseconds: how near that is to the truth is asked above.
    const int sec = std::abs(ahead_sec);
    const std::string off = fmt::format("({}[.]00|{}[.]99)[0-9] s {} PostgreSQL's", sec, sec - 1,
                                        ahead_sec > 0 ? "ahead of" : "behind");
    EXPECT_THAT(run.output(), ContainsRegex(fmt::format("clock     {}'s is {}", role, off)));
    EXPECT_THAT(run.output(), Not(HasSubstr("orchestrator's is")));
    EXPECT_THAT(run.read("report.md"), ContainsRegex(fmt::format("[|] clock of {} [|] {}", role, off)));
    EXPECT_THAT(run.read("report.md"), HasSubstr("| clock of orchestrator | PostgreSQL's within"));
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(SkewedClock, OfTheConsumerAheadIsCorrectedAndTold) {
  WalstormRun run(load(), {}, walstorm_with("walstorm-consumer", 90));
  expect_figures_of_one_clock(run);
  expect_clock_told(run, "consumer-0", 90);
}

TEST_F(SkewedClock, OfTheConsumerBehindIsCorrectedAndTold) {
  WalstormRun run(load(), {}, walstorm_with("walstorm-consumer", -90));
  expect_figures_of_one_clock(run);
  expect_clock_told(run, "consumer-0", -90);
}

TEST_F(SkewedClock, OfTheProducerIsCorrectedAndTold) {
  WalstormRun run(load(), {}, walstorm_with("walstorm-producer", -90));
  expect_figures_of_one_clock(run);
  expect_clock_told(run, "producer-0", -90);
}

}  // namespace
}  // namespace walstorm::tests
