// Runs that look for memory that grows, and for locks that are waited for.

#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/proc_stat.h"
#include "orchestrator/profile/analysis/contention.h"
#include "orchestrator/profile/preload/gperftools.h"
#include "orchestrator/profile/record/perf_ability.h"
#include "orchestrator/profile/record/recorder.h"
#include "tests/support/path.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

json profiling(const char* tool, const json& targets) {
  return {{"enabled", true}, {"tool", tool}, {"targets", targets}, {"frequencyHz", 499}};
}

class AHeap : public OnAServer {
 protected:
  void SetUp() override {
    const auto ability = profile::judge_heap(profile::look_for_gperftools());
    if (ability.level != config::Level::ok) GTEST_SKIP() << ability.says << ": " << ability.todo;
  }
};

/// A sink that holds every batch for seconds: what came in the last of them is in memory when the phase ends.
TEST_F(AHeap, ThatGrowsIsFoundWithThePlaceThatTookIt) {
  WalstormRun run(config(
      {phase("blocked", 4, 3000)},
      {{"profiling", profiling("heap", {"consumer"})},
       {"consumer", {{"mockClickhouseDelay", 2500}, {"maxFlushConcurrency", 1000}, {"maxBufferedMB", 256}}},
       {"drain", {{"timeoutSec", 0.5}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json document = json::parse(run.read("profile/profile.json"));
  const json& heap = document["heap"]["all"][0];
  const json changes = run.metrics()["ledger"]["changes"];
  const double held_bytes =
      1024 * (changes["received"].get<double>() - changes["acknowledged"].get<double>());
  ASSERT_GT(held_bytes, 1.5e6) << changes;
  EXPECT_EQ(heap["target"], "consumer");
  EXPECT_EQ(heap["grew"], true) << heap["conclusion"];
  // Every record has a payload of 1 KB that is in flight.
  EXPECT_GT(heap["grownBytes"], 0.8 * held_bytes);
  const json& most = heap["sites"][0];
  EXPECT_THAT(most["function"], HasSubstr("walstorm::consumer::"));
  EXPECT_GT(most["grownBytes"], 0.5 * heap["grownBytes"].get<double>());
  // What the kernel counts: the same, and what the allocator keeps beside.
  const double rss_grown = heap["rssEndBytes"].get<double>() - heap["rssBeginBytes"].get<double>();
  EXPECT_GT(rss_grown, 0.7 * heap["grownBytes"].get<double>());
  EXPECT_LT(rss_grown, 3 * heap["grownBytes"].get<double>() + 30e6);
  EXPECT_THAT(run.output(),
              AllOf(HasSubstr("consumer: memory in use grew by"), HasSubstr("profile/heap.html")));
  EXPECT_THAT(run.read("report.md"), AllOf(HasSubstr("## Heap"), HasSubstr("### Heap of consumer")));
  EXPECT_THAT(run.read("profile/heap.html"), HasSubstr("walstorm::consumer::"));
  EXPECT_THAT(run.read("profile/blocked.heap.folded"), HasSubstr("consumer;"));
  expect_nothing_left(run);
}

TEST_F(AHeap, OfWorkersThatGiveEverythingBackDoesNotGrowFromPhaseToPhase) {
  WalstormRun run(config({phase("first", 2, 3000), phase("second", 2, 3000)},
                         {{"profiling", profiling("heap", {"all"})}, {"producer", {{"workerCount", 2}}}}));
  expect_clean_run(run);
  const json document = json::parse(run.read("profile/profile.json"));
  ASSERT_EQ(document["heap"]["all"].size(), 2U);  // consumer and producer
  ASSERT_EQ(document["heap"]["phases"].size(), 4U);
  for (const json& target : document["heap"]["phases"]) {
    if (target["phase"] == "second") {
      EXPECT_EQ(target["grew"], false) << target["conclusion"];
    }
    EXPECT_GT(target["takenBlocks"], 100) << target["conclusion"];
  }
  EXPECT_TRUE(document["all"].empty());  // no flame graph was asked for
  EXPECT_THAT(run.read("report.md"),
              AllOf(HasSubstr("### Heap by phase"), testing::Not(HasSubstr("## Profile\n"))));
}

TEST_F(AHeap, IsLookedIntoWithoutPerfAndThenAlone) {
  const Path nowhere("/nowhere");
  WalstormRun run(config({phase("first", 2, 1000), phase("second", 2, 1000)},
                         {{"profiling", profiling("flame,heap,contention", {"consumer"})}}));
  expect_clean_run(run);
  EXPECT_FALSE(json::parse(run.read("profile/profile.json"))["heap"]["all"].empty());
  EXPECT_THAT(
      run.metrics()["run"]["notes"].dump(),
      AllOf(HasSubstr("no flame graphs, for a worker does not sample itself while its memory is counted"),
            HasSubstr("contention: cannot be known without perf")));
}

class Contention : public OnAServer {
 protected:
  void SetUp() override {
    ability_ = profile::judge_perf_ability(profile::look_at_perf(loop_));
    if (!ability_.off_cpu) GTEST_SKIP() << "perf cannot record here what processes wait in";
  }

  profile::PerfAbility ability_;
};

TEST_F(Contention, OfTheConsumersOneLoopIsNone) {
  WalstormRun run(config({phase("load", 3, 4000)}, {{"profiling", profiling("contention", {"consumer"})}}));
  expect_clean_run(run);
  const json document = json::parse(run.read("profile/profile.json"));
  const json& consumer = document["contention"]["all"][0];
  EXPECT_GT(consumer["waits"], 0);
  EXPECT_GT(consumer["offCpuSec"], 0);
  EXPECT_LT(consumer["lockSec"], 0.01 * consumer["wallSec"].get<double>()) << consumer;
  EXPECT_THAT(run.output(), testing::AnyOf(HasSubstr("consumer: no contention"),
                                           HasSubstr("consumer: hardly any contention")));
  EXPECT_THAT(run.read("report.md"), HasSubstr("## Contention"));
}

/// By the program's CPU time: on a busy machine it takes as long as it takes.
void let_run(process::EventLoop& loop, pid_t pid, std::uint64_t cpu_us) {
  boost::asio::steady_timer tick(loop.io());
  std::function<void()> look_again = [&] {
    tick.expires_after(std::chrono::milliseconds(20));
    tick.async_wait([&](const boost::system::error_code& error) {
      if (!error) look_again();
    });
  };
  look_again();
  EXPECT_EQ(loop.wait(std::chrono::seconds(60), 0,
                      [&] {
                        const auto used = process::read_proc_stat(pid);
                        return used && used->cpu_user_us >= cpu_us;
                      }),
            process::Waited::done);
  tick.cancel();
  (void)loop.wait(std::chrono::milliseconds(0), 0, [] { return false; });  // the tick's last word
}

TEST_F(Contention, OfTwoThreadsOnOneMutexIsFoundWhereTheyTakeIt) {
  process::ChildOptions options;
  options.program = CONTENDER;
  options.log_file = logs_.path() / "contender.log";
  const process::ChildProcess contender(loop_, options);
  profile::Recorder recorder(loop_, ability_, 499, logs_.path(), logs_.path() / "perf.log");
  recorder.add("load", {{contender.pid(), "contender"}});
  let_run(loop_, contender.pid(), 1'500'000);
  const auto recordings = recorder.take();
  ASSERT_EQ(recordings.size(), 1U);
  ASSERT_EQ(recordings[0].failure, "");
  const auto result = recorder.read(recordings[0]);
  const auto all = profile::analyse_contention(result.profile, profile::Modules(), 25);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_GT(all[0].lock_waits, 5U);
  // While one of them runs with the lock, the other waits for it; on a busy machine both wait for a CPU
  // besides.
  const std::uint64_t on_cpu_ns = all[0].wall_ns - all[0].off_cpu_ns;
  EXPECT_GT(all[0].lock_ns, on_cpu_ns / 10) << all[0].conclusion;
  EXPECT_THAT(all[0].sites[0].function, HasSubstr("contender::")) << all[0].conclusion;
}

}  // namespace
}  // namespace walstorm::tests
