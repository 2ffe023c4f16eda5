// Runs whose consumer or producer lives by another wall clock than PostgreSQL and the orchestrator, as on
// another host: nothing but the clocks' own line may tell.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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

  /// Set by as much only once step() is called.
  fs::path walstorm_with_step(const std::string& program, int by_sec) {
    return walstorm_with(program, by_sec, "WALSTORM_TEST_CLOCK_STEP_FILE=" + step_file().string());
  }
  void step() { std::ofstream(step_file()) << "now"; }

  fs::path walstorm_with(const std::string& program, int ahead_sec, const std::string& environment = "") {
    const fs::path real = fs::path(WALSTORM_BINARY).parent_path();
    for (const char* name : {"walstorm", "walstorm-producer", "walstorm-consumer"}) {
      // walstorm looks for its workers beside its own file, which a link would not be.
      if (name != program) fs::copy_file(real / name, folder_.path() / name);
    }
    const fs::path wrapper = folder_.path() / program;
    std::ofstream(wrapper) << fmt::format(
        "#!/bin/sh\nexec env LD_PRELOAD={} WALSTORM_TEST_CLOCK_AHEAD_SEC={} {} {}\n", WALSTORM_SKEWED_CLOCK,
        ahead_sec, environment, (real / program).string());
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

  [[nodiscard]] fs::path step_file() const { return folder_.path() / "step"; }

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

/// The values of one column of timeseries.csv, those that were measured.
std::vector<double> column_of(const std::string& csv, const std::string& name) {
  std::istringstream lines(csv);
  std::vector<double> values;
  std::size_t wanted = 0;
  bool is_header = true;
  for (std::string line; std::getline(lines, line); is_header = false) {
    std::istringstream cells(line);
    std::size_t at = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++at) {
      if (is_header && cell == name) wanted = at;
      if (!is_header && at == wanted && !cell.empty()) values.push_back(std::stod(cell));
    }
  }
  return values;
}

/// By how many seconds whose clock is set.
class SteppedClock : public SkewedClock, public testing::WithParamInterface<std::pair<const char*, int>> {};

TEST_P(SteppedClock, InMidLoadSpoilsNoRateNoStageAndNoLedgerAndIsTold) {
  const auto& [program, by_sec] = GetParam();
  WalstormRun run(config({phase("only", 12, kRate)},
                         {{"producer", {{"batchSize", 20}}}, {"consumer", {{"flushIntervalMs", 50}}}}),
                  {}, walstorm_with_step(program, by_sec));
  run.wait_until([&run] {
    const auto folder = run.run_folder();
    if (!folder || !fs::exists(*folder / "timeseries.csv")) return false;
    const std::string csv = run.read("timeseries.csv");
    return std::count(csv.begin(), csv.end(), '\n') >= 4;
  });
  step();
  expect_clean_run(run);
  const json report = run.metrics()["phases"][0];
  EXPECT_NEAR(report["durationSec"], 12, 1);
  EXPECT_GT(report["consumer"]["queueMs"]["p50"], 5);
  EXPECT_LT(report["consumer"]["queueMs"]["max"], 2'500);
  EXPECT_GT(report["consumer"]["lagMs"]["p50"], 5) << "0 beside a queue of 25 ms";
  EXPECT_LT(report["producer"]["writeLatencyMs"]["max"], 2'500);
  EXPECT_NEAR(report["consumer"]["throughput"], kRate, kRate / 4);
  const std::string csv = run.read("timeseries.csv");
  for (const char* rate : {"producedPerSec", "receivedPerSec", "landedPerSec"}) {
    const std::vector<double> values = column_of(csv, rate);
    EXPECT_THAT(values, testing::SizeIs(testing::Ge(8U))) << rate;
    for (const double value : values) EXPECT_LT(value, 20 * kRate) << rate;
  }
  const std::string notes = report["notes"].dump();
  EXPECT_THAT(notes,
              HasSubstr(fmt::format("0's {} by {}.", by_sec < 0 ? "back" : "forward", std::abs(by_sec))));
  EXPECT_THAT(notes, HasSubstr("0's wall clock and PostgreSQL's moved"));
  if (by_sec < 0) {
    EXPECT_THAT(notes, HasSubstr("before their commit"));
  }
}

INSTANTIATE_TEST_SUITE_P(OfAWorker, SteppedClock,
                         testing::Values(std::pair{"walstorm-consumer", -3},
                                         std::pair{"walstorm-producer", 4}));

}  // namespace
}  // namespace walstorm::tests
