// Each of the doctor's categories is provoked, with real processes. What is slowed is slowed far beyond the
// limit, and what depends on a machine's load is asked of the figures, so that a busy one changes nothing.

#include <chrono>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/types.h>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/child_process.h"
#include "orchestrator/profile/doctor.h"
#include "orchestrator/profile/profile_folder.h"
#include "tests/support/cpu_hog.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

json doctor(json changes = json::object()) {
  changes["profiling"] = {{"enabled", true}, {"tool", "doctor"}};
  return changes;
}

json document_of(const WalstormRun& run) {
  return json::parse(run.read("profile/profile.json"))["doctor"];
}

/// Of the first phase; its category and figures are in the test's log.
json worker_of(const WalstormRun& run, const std::string& name) {
  const json document = document_of(run);
  for (const json& worker : document["phases"][0]["workers"]) {
    if (worker["worker"] != name) continue;
    fmt::print("{} {} {}\n", worker["says"].get<std::string>(), worker["also"].dump(),
               worker["figures"].dump());
    return worker;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

double mean(const json& worker, const char* figure) {
  const json& value = worker["figures"][figure]["mean"];
  EXPECT_TRUE(value.is_number()) << figure;
  return value.is_number() ? value.get<double>() : -1;
}

/// How many windows are in a state.
std::size_t windows_in(const json& worker, const std::string& state) {
  std::size_t count = 0;
  for (const json& each : worker["series"]["state"]) count += each == state ? 1 : 0;
  return count;
}

/// Gives a process a CPU whenever it wants one, whatever else runs: niceness holds within a session alone.
/// False where that is not allowed.
bool let_come_first(pid_t pid) {
  sched_param lowest{};
  lowest.sched_priority = 1;
  return ::sched_setscheduler(pid, SCHED_RR, &lowest) == 0;
}

class TheDoctor : public OnAServer {
 protected:
  static void finish(WalstormRun& run) {
    EXPECT_EQ(run.finish().code, 0) << run.output();
    EXPECT_THAT(run.read("report.md"), HasSubstr("## Doctor"));
    expect_nothing_left(run);
  }
};

TEST_F(TheDoctor, MeasuresEveryWorkerInTheJudgedPhasesAlone) {
  json warm = phase("warm", 1, 500);
  warm["warmup"] = true;
  WalstormRun run(config({warm, phase("load", 5, 1000)}, doctor({{"producer", {{"workerCount", 2}}}})));
  expect_clean_run(run);
  const json found = document_of(run);
  ASSERT_EQ(found["phases"].size(), 1U);
  EXPECT_EQ(found["phases"][0]["phase"], "load");
  ASSERT_EQ(found["phases"][0]["workers"].size(), 3U);
  for (const json& worker : found["phases"][0]["workers"]) {
    SCOPED_TRACE(worker["worker"]);
    EXPECT_GE(worker["windows"], 4);
    for (const char* figure : {"cpuShare", "runQueueShare", "voluntaryPerSec", "involuntaryPerSec",
                               "minorFaultsPerSec", "majorFaultsPerSec", "rssBytes", "loopDelayP50Ms",
                               "loopDelayP99Ms", "loopDelayMaxMs", "utilization", "recordsPerSec"})
      EXPECT_TRUE(worker["figures"][figure]["mean"].is_number()) << figure;
    EXPECT_GT(mean(worker, "rssBytes"), 1e6);
    EXPECT_LE(worker["figures"]["utilization"]["max"], 1);
  }
  const json consumer = worker_of(run, "consumer-0");
  EXPECT_NEAR(mean(consumer, "recordsPerSec"), 1000, 400);
  for (const char* figure : {"flushesInFlight", "sinkWaitMs", "postgresWaitMs"})
    EXPECT_TRUE(consumer["figures"][figure]["mean"].is_number()) << figure;
  EXPECT_TRUE(worker_of(run, "producer-0")["figures"]["connectionsShare"]["mean"].is_number());
  EXPECT_THAT(run.output(), AllOf(HasSubstr("/profile/doctor.html"), testing::Not(HasSubstr("flame.html"))));
}

/// A load that any machine takes. What a busy one does to it is told, and is not the worker's fault.
TEST_F(TheDoctor, FindsNothingWhereNothingIsWrong) {
  WalstormRun run(config({phase("load", 6, 200)}, doctor()));
  finish(run);
  for (const char* name : {"consumer-0", "producer-0"}) {
    const json worker = worker_of(run, name);
    const bool crowded = windows_in(worker, "scheduler-starved") > 0;
    EXPECT_EQ(worker["category"], crowded ? worker["category"] : "healthy");
    EXPECT_LT(mean(worker, "cpuShare"), 0.5);
  }
}

TEST_F(TheDoctor, FindsASinkThatIsSlow) {
  // 4 flushes of 50 records in half a second: 400/s of 1000.
  WalstormRun run(config(
      {phase("slow-sink", 7, 1000)},
      doctor({{"consumer", {{"mockClickhouseDelay", 500}, {"maxFlushConcurrency", 4}, {"maxBufferedMB", 4}}},
              {"drain", {{"timeoutSec", 1}}}})));
  finish(run);
  const json consumer = worker_of(run, "consumer-0");
  EXPECT_EQ(consumer["category"], "io-bound-on-the-sink");
  EXPECT_GT(consumer["figures"]["sinkWaitMs"]["median"], 450);
  EXPECT_THAT(consumer["nextStep"].get<std::string>(), HasSubstr("consumer.maxFlushConcurrency"));
  EXPECT_THAT(run.output(), HasSubstr("consumer-0 is io-bound on the sink"));
}

TEST_F(TheDoctor, FindsAWorkerThatGetsNoCpu) {
  const CpuHog hog(loop_);
  WalstormRun run(config({phase("crowded", 8, 4000)}, doctor({{"consumer", {{"compression", "gzip"}}},
                                                              {"drain", {{"timeoutSec", 1}}},
                                                              {"stop", {{"graceSec", 30}}}})));
  run.wait_for_output("crowded");
  const auto consumers = run.descendants("walstorm-consumer");
  ASSERT_EQ(consumers.size(), 1U);
  hog.crowd_out(consumers.front());
  finish(run);
  const json consumer = worker_of(run, "consumer-0");
  EXPECT_EQ(consumer["category"], "scheduler-starved");
  EXPECT_GT(mean(consumer, "runQueueShare"), 0.3);
  EXPECT_THAT(consumer["nextStep"].get<std::string>(), HasSubstr("give it a CPU"));
}

/// Text and gzip, with PostgreSQL and the producer beside it: whether it computes all the time or waits for a
/// CPU is the machine's. Either way it could not have taken more, unless nothing came.
TEST_F(TheDoctor, TellsAConsumerAtFullSpeedFromOneThatHasNothingToDo) {
  WalstormRun run(
      config({phase("full-speed", 6, "max")},
             doctor({{"consumer", {{"compression", "gzip"}, {"insertFormat", "jsonCompactEachRow"}}},
                     {"drain", {{"timeoutSec", 2}}}})));
  finish(run);
  const json consumer = worker_of(run, "consumer-0");
  const double busy = mean(consumer, "cpuShare") + mean(consumer, "runQueueShare");
  const std::string category = consumer["category"];
  if (busy >= 0.95) {
    EXPECT_THAT(category, AnyOf("cpu-bound", "scheduler-starved"));
  }
  if (busy < 0.25) {
    EXPECT_THAT(category, testing::Not(AnyOf("cpu-bound", "scheduler-starved")));
  }
}

/// Looked at as a worker is. A full drain needs a PostgreSQL that is faster than the consumer, which a busy
/// machine does not have: so this is a program that computes, and comes before all others.
TEST(TheDoctorAtWork, FindsAProcessThatComputesAllTheTime) {
  process::EventLoop loop;
  process::ChildOptions options;
  options.program = "/bin/sh";
  options.arguments = {"-c", "ulimit -t 60; while :; do :; done"};
  options.log_file = "/dev/null";
  process::ChildProcess computing(loop, options);
  const bool comes_first = let_come_first(computing.pid());
  const TemporaryFolder folder;
  config::Config config;
  config.consumer.max_flush_concurrency = 10;
  config.consumer.max_buffered_mb = 64;
  profile::Doctor doctor(config, folder.path());
  doctor.begin_phase("load", {{"consumer-0", profile::doctor::Role::consumer, computing.pid()}});
  boost::asio::steady_timer timer(loop.io());
  for (int i = 0; i < 6; ++i) {
    proto::MetricsFrame frame;
    frame.mutable_sample()->set_taken_unix_us(i * 600'000);
    frame.mutable_sample()->mutable_consumer();
    doctor.take("consumer-0", frame);
    bool due = false;
    timer.expires_after(std::chrono::milliseconds(600));
    timer.async_wait([&due](const boost::system::error_code&) { due = true; });
    ASSERT_EQ(loop.wait(std::chrono::seconds(60), 0, [&due] { return due; }), process::Waited::done);
  }
  measure::RunReport report;
  doctor.conclude(report);
  const json profile = json::parse(profile::read_file(folder.path() / "profile" / "profile.json"));
  const json worker = profile["doctor"]["phases"][0]["workers"][0];
  const std::string says = worker["says"];
  fmt::print("{}\n", says);
  if (comes_first) {
    EXPECT_EQ(worker["category"], "cpu-bound") << says;
    EXPECT_THAT(worker["nextStep"].get<std::string>(), HasSubstr("--profile flame"));
  } else {
    EXPECT_THAT(worker["category"].get<std::string>(), AnyOf("cpu-bound", "scheduler-starved")) << says;
  }
}

TEST_F(TheDoctor, FindsAPostgresqlWhoseCommitsTakeLong) {
  postgres::PrivateServer patient(loop_, {{"commit_delay", "20000"}, {"commit_siblings", "0"}},
                                  logs_.path() / "patient.log");
  WalstormRun run(config({phase("slow-commits", 6, 500)},
                         doctor({{"database", {{"url", url_of(patient)}}},
                                 {"producer", {{"batchSize", 1}, {"connections", 1}}}})));
  finish(run);
  const json producer = worker_of(run, "producer-0");
  EXPECT_EQ(producer["category"], "io-bound-on-postgresql");
  EXPECT_GT(mean(producer, "connectionsShare"), 0.9);
  EXPECT_LT(mean(producer, "cpuShare"), 0.5);
}

TEST_F(TheDoctor, SaysThatAPhaseIsTooShort) {
  WalstormRun run(config({phase("short", 1, 500)}, doctor()));
  finish(run);
  EXPECT_EQ(worker_of(run, "producer-0")["category"], "too-little-data");
}

/// Flushes that no answer ends, and memory for all that comes meanwhile.
TEST_F(TheDoctor, FindsMemoryThatGrows) {
  WalstormRun run(
      config({phase("held", 9, 3000)}, doctor({{"producer", {{"payloadSizeKB", 4}, {"insertUpdateRatio", 1}}},
                                               {"consumer",
                                                {{"mockClickhouseDelay", 60'000},
                                                 {"flushBatchSize", 100},
                                                 {"maxFlushConcurrency", 1000},
                                                 {"maxBufferedMB", 1024}}},
                                               {"drain", {{"timeoutSec", 1}}}})));
  EXPECT_NE(run.finish().code, 2) << run.output();
  const json consumer = worker_of(run, "consumer-0");
  EXPECT_EQ(consumer["category"], "memory-growing");
}

TEST_F(TheDoctor, IsThereInCheck) {
  WalstormRun check(config({phase("p", 1, 1000)}), {"--profile", "doctor"}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 0) << check.output();
  EXPECT_THAT(check.output(), AllOf(HasSubstr("Doctor"), HasSubstr("schedstat")));
}

TEST_F(TheDoctor, NothingIsAskedOfAWorkerWithoutHim) {
  WalstormRun run(config({phase("load", 2, 500)}));
  expect_clean_run(run);
  EXPECT_THAT(run.read("report.md"), testing::Not(HasSubstr("Doctor")));
  EXPECT_FALSE(std::filesystem::exists(*run.run_folder() / "profile"));
}

}  // namespace
}  // namespace walstorm::tests
