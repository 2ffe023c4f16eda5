// What windows say of a worker: each category, its limit, and what goes before what.

#include <algorithm>
#include <functional>
#include <gmock/gmock.h>

#include "orchestrator/profile/doctor/diagnosis.h"
#include "orchestrator/profile/doctor/findings.h"

namespace walstorm::profile::doctor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A consumer's that does well.
Window well() {
  Window window;
  window.cpu_share = 0.2;
  window.run_queue_share = 0.01;
  window.utilization = 0.25;
  window.loop_delay_p50_ms = 0.05;
  window.loop_delay_p99_ms = 0.4;
  window.loop_delay_max_ms = 2;
  window.voluntary_per_sec = 900;
  window.rss_bytes = 40e6;
  window.flushes_in_flight = 3;
  window.flushes_share = 0.03;
  window.buffered_share = 0.01;
  window.sink_wait_ms = 8;
  window.postgres_wait_ms = 4;
  return window;
}

Watched windows(std::size_t count, const std::function<void(Window&, std::size_t)>& change,
                Role role = Role::consumer) {
  Watched watched{role == Role::consumer ? "consumer-0" : "producer-0", role, "load", {}};
  for (std::size_t i = 0; i < count; ++i) {
    Window window = well();
    window.from_sec = static_cast<double>(i);
    window.to_sec = static_cast<double>(i + 1);
    change(window, i);
    watched.windows.push_back(window);
  }
  return watched;
}

TEST(Doctor, FindsNothingInAWorkerThatDoesWell) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window&, std::size_t) {}));
  EXPECT_EQ(diagnosis.category, Category::healthy);
  EXPECT_THAT(diagnosis.says, AllOf(HasSubstr("consumer-0 is healthy"), HasSubstr("used 20.0 % of a CPU"),
                                    HasSubstr("slept for 75.0 %")));
  EXPECT_THAT(diagnosis.remarks, IsEmpty());
}

TEST(Doctor, SaysThatThereIsTooLittle) {
  const Diagnosis diagnosis = diagnose(windows(2, [](Window& w, std::size_t) { w.cpu_share = 1; }));
  EXPECT_EQ(diagnosis.category, Category::too_little_data);
  EXPECT_THAT(diagnosis.says, HasSubstr("there are 2 windows of about a second, and it takes 3"));
  EXPECT_THAT(diagnosis.next_step, HasSubstr("last 5 s or more"));
}

TEST(Doctor, FindsAThreadThatIsAlwaysOnACpu) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t) { w.cpu_share = 0.97; }));
  EXPECT_EQ(diagnosis.category, Category::cpu_bound);
  EXPECT_THAT(diagnosis.next_step, HasSubstr("--profile flame"));
}

/// Waiting for a CPU counts to the time in which it could not have taken more.
TEST(Doctor, CountsAWaitForACpuAsBusy) {
  const Thresholds limits;
  Window window = well();
  window.cpu_share = 0.7;
  window.run_queue_share = 0.16;
  EXPECT_EQ(state_of(window, Role::consumer, limits), Category::cpu_bound);
  window.run_queue_share = 0.1;
  EXPECT_EQ(state_of(window, Role::consumer, limits), Category::healthy);
}

TEST(Doctor, FindsAWorkerThatWaitsForACpu) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t) {
    w.cpu_share = 0.5;
    w.run_queue_share = 0.45;
  }));
  EXPECT_EQ(diagnosis.category, Category::scheduler_starved);
  EXPECT_THAT(diagnosis.says, HasSubstr("in 10 of 10 windows"));
}

/// A machine that is busy otherwise makes an idle worker's few wake-ups late. That does not limit what it
/// takes.
TEST(Doctor, AWorkerThatHardlyWorksIsNotStarved) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t) {
    w.cpu_share = 0.05;
    w.run_queue_share = 0.3;
  }));
  EXPECT_EQ(diagnosis.category, Category::healthy);
  EXPECT_THAT(diagnosis.remarks, testing::Contains(HasSubstr("waited for a CPU for 30.0 % of the time")));
}

TEST(Doctor, FindsASinkThatHasAllTheFlushes) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t) {
    w.flushes_share = 1;
    w.postgres_wait_ms = 9000;  // the reader is held up: not PostgreSQL's fault
  }));
  EXPECT_EQ(diagnosis.category, Category::io_bound_on_sink);
  EXPECT_THAT(diagnosis.also, IsEmpty());
}

/// With one flush at a time there is one under way whenever somebody looks.
TEST(Doctor, AllFlushesUnderWayAreNoSlowSinkWhileTheReaderKeepsUp) {
  Window window = well();
  window.flushes_share = 1;
  EXPECT_EQ(state_of(window, Role::consumer, {}), Category::healthy);
  window.postgres_wait_ms = std::nullopt;  // nothing was acknowledged
  EXPECT_EQ(state_of(window, Role::consumer, {}), Category::io_bound_on_sink);
}

TEST(Doctor, FindsASinkThatHasAllTheMemory) {
  EXPECT_EQ(
      diagnose(windows(10, [](Window& w, std::size_t) { w.buffered_share = 0.95, w.postgres_wait_ms = 60; }))
          .category,
      Category::io_bound_on_sink);
}

TEST(Doctor, FindsRecordsThatComeLateFromPostgresql) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t) { w.postgres_wait_ms = 800; }));
  EXPECT_EQ(diagnosis.category, Category::io_bound_on_postgres);
  EXPECT_THAT(diagnosis.says, HasSubstr("800 ms p50"));
}

TEST(Doctor, FindsAProducerWhoseConnectionsAreAllInTransactions) {
  const auto busy = [](Window& w, std::size_t) { w.connections_share = 0.98; };
  const Diagnosis diagnosis = diagnose(windows(10, busy, Role::producer));
  EXPECT_EQ(diagnosis.category, Category::io_bound_on_postgres);
  EXPECT_THAT(diagnosis.next_step, HasSubstr("producer.connections"));
}

TEST(Doctor, FindsMemoryThatGoesOnGrowing) {
  const Diagnosis diagnosis = diagnose(
      windows(12, [](Window& w, std::size_t i) { w.rss_bytes = 40e6 + 10e6 * static_cast<double>(i); }));
  EXPECT_EQ(diagnosis.category, Category::memory_growing);
  EXPECT_THAT(diagnosis.says, AllOf(HasSubstr("from 40.0 MB to 150 MB"), HasSubstr("10.0 MB a second")));
}

TEST(Doctor, MemoryThatGrowsOnceAndStaysIsNoGrowth) {
  const auto step = [](Window& w, std::size_t i) { w.rss_bytes = i < 2 ? 40e6 : 300e6; };
  EXPECT_EQ(diagnose(windows(12, step)).category, Category::healthy);
  const auto late_step = [](Window& w, std::size_t i) { w.rss_bytes = i < 6 ? 40e6 : 300e6; };
  EXPECT_EQ(diagnose(windows(12, late_step)).category, Category::healthy);
}

TEST(Doctor, MemoryThatGrowsALittleIsNoGrowth) {
  const auto little = [](Window& w, std::size_t i) { w.rss_bytes = 40e6 + 1e6 * static_cast<double>(i); };
  EXPECT_EQ(diagnose(windows(12, little)).category, Category::healthy);
  const auto small_share = [](Window& w, std::size_t i) {
    w.rss_bytes = 4e9 + 10e6 * static_cast<double>(i);
  };
  EXPECT_EQ(diagnose(windows(12, small_share)).category, Category::healthy);
}

TEST(Doctor, GrowingMemoryGoesBeforeTheSinkThatFillsIt) {
  const Diagnosis diagnosis = diagnose(windows(12, [](Window& w, std::size_t i) {
    w.flushes_share = 1;
    w.postgres_wait_ms = std::nullopt;
    w.rss_bytes = 40e6 + 20e6 * static_cast<double>(i);
  }));
  EXPECT_EQ(diagnosis.category, Category::memory_growing);
  EXPECT_THAT(diagnosis.also, ElementsAre(Category::io_bound_on_sink));
  EXPECT_THAT(diagnosis.says, HasSubstr("It is io-bound on the sink too."));
}

TEST(Doctor, AFewBadSecondsAreMarkedAndNoDiagnosis) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t i) {
    if (i < 2) w.run_queue_share = 0.6;
  }));
  EXPECT_EQ(diagnosis.category, Category::healthy);
  EXPECT_EQ(std::count(diagnosis.states.begin(), diagnosis.states.end(), Category::scheduler_starved), 2);
}

TEST(Doctor, TheMostFrequentFindingComesFirst) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t i) {
    if (i < 4) w.run_queue_share = 0.6;
    if (i >= 4) w.flushes_share = 1, w.postgres_wait_ms = 60;
  }));
  EXPECT_EQ(diagnosis.category, Category::io_bound_on_sink);
  EXPECT_THAT(diagnosis.also, ElementsAre(Category::scheduler_starved));
}

/// On another machine, or without /proc: its own word is what there is.
TEST(Doctor, JudgesAWorkerThatIsSeenFromInsideAlone) {
  const auto inside = [](Window& w, double utilization) {
    w.cpu_share = w.run_queue_share = w.voluntary_per_sec = w.rss_bytes = std::nullopt;
    w.utilization = utilization;
  };
  const Diagnosis busy = diagnose(windows(5, [&](Window& w, std::size_t) { inside(w, 0.95); }));
  EXPECT_EQ(busy.category, Category::cpu_bound);
  EXPECT_THAT(busy.says, HasSubstr("its loop was at work"));
  EXPECT_EQ(diagnose(windows(5, [&](Window& w, std::size_t) { inside(w, 0.5); })).category,
            Category::healthy);
}

TEST(Doctor, SaysWhenALoopIsLateOrBlocks) {
  const Diagnosis diagnosis = diagnose(windows(10, [](Window& w, std::size_t i) {
    w.utilization = 0.8;  // on a CPU for 20 %
    if (i == 3) w.loop_delay_p99_ms = 120;
    w.major_faults_per_sec = 40;
  }));
  EXPECT_EQ(diagnosis.category, Category::healthy);
  EXPECT_THAT(diagnosis.remarks, ElementsAre(HasSubstr("late by up to 120 ms"), HasSubstr("40 page faults"),
                                             HasSubstr("something in it blocks")));
}

TEST(Doctor, PublishesALimitForEveryCategory) {
  const auto table = rules({});
  ASSERT_EQ(table.size(), 7U);
  for (const Rule& rule : table) {
    EXPECT_FALSE(rule.says.empty()) << words(rule.category);
    for (const Role role : {Role::consumer, Role::producer})
      EXPECT_FALSE(next_step(role, rule.category, {}).empty()) << words(rule.category);
  }
}

}  // namespace
}  // namespace walstorm::profile::doctor
