// Who is blamed on a machine that has too little CPU.

#include "orchestrator/measure/judge/cpu_need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/measure/judge/bottleneck.h"
#include "tests/orchestrator/measure/made_up_phase.h"

namespace walstorm::measure::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Loop and process have time; each message wakes it, and on a crowded machine it waits each time.
TEST(CpuNeed, BlamesNoReaderThatIsWokenForEveryMessageAndReadsAllThatIsSent) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.14, 0.6);
  set_cpu(phase, "consumer-0", 0.16, 0.72);
  set_cpu(phase, "postgres-walsender", 0.6, 0.38);
  phase.ladder.sent_to_received.bytes.max = 0;
  phase.ladder.head_to_sent.bytes.max = 94'000'000;
  phase.postgres.walsender_waits = {{"running", 0.9}};
  const Blame blame = blame_pipe(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::walsender);
  EXPECT_THAT(blame.evidence, has_figure("ladder.headToSent.bytes.max"));
  for (const std::string& advice : blame.try_next) EXPECT_THAT(advice, Not(HasSubstr("give the consumer")));
  // The same reader where the walsender waits for it.
  phase.postgres.walsender_waits = {{"Client:WalSenderWriteData", 0.8}};
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::consumer_cpu);
  // Or where it has read, and does not get to flush.
  phase.postgres.walsender_waits = {{"Activity:WalSenderMain", 0.9}};
  phase.consumer.receive_ms.mean = 5;
  phase.consumer.queue_ms.mean = 9000;
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::consumer_cpu);
}

TEST(CpuNeed, CallsNoProcessStarvedOnAMachineThatTheRunItselfUsesUp) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.3, 0.5);
  set_cpu(phase, "postgres-walsender", 0.5, 0.45);
  phase.busy.cpus = 0.93;
  phase.busy.machine = 0.99;
  const Blame walsender = blame_pipe(phase, settings());
  EXPECT_EQ(walsender.bottleneck, Bottleneck::walsender);
  EXPECT_THAT(walsender.try_next.front(), HasSubstr("the run's processes used all 2 CPUs"));
  EXPECT_THAT(walsender.evidence, has_figure("busy.cpus"));
  // Another program crowds it: then a CPU of its own is what is lacking.
  phase.busy.cpus = 0.4;
  const Blame crowded_out = blame_pipe(phase, settings());
  EXPECT_THAT(crowded_out.try_next.front(),
              AllOf(HasSubstr("give the walsender a CPU of its own"),
                    HasSubstr("no part of this run used 59 % of this machine")));
  EXPECT_THAT(crowded_out.evidence, has_figure("busy.machine"));
}

TEST(CpuNeed, NamesTheSideThatUsedMoreOfACrowdedMachineForAProducerThatHadToWait) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 78;
  phase = busy(phase, 0.3, 0.3);
  set_cpu(phase, "producer-0", 0.3, 0.6);
  ProcessReport backends;
  backends.role = "postgres-backends";
  backends.cpu_share = 1.1;
  phase.processes.push_back(backends);
  phase.busy.cpus = 0.95;
  const Blame blame = blame_generator(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::postgres_write);
  EXPECT_THAT(blame.try_next.back(), HasSubstr("all 2 CPUs"));
  set_cpu(phase, "postgres-backends", 0.2, {});
  const Blame own = blame_generator(phase, settings());
  EXPECT_EQ(own.bottleneck, Bottleneck::producer);
  EXPECT_THAT(own.try_next.front(), Not(HasSubstr("a CPU of its own")));
}

TEST(CpuNeed, BlamesNoProducerThatOnlyWaitsWhenItIsWokenWhileItsBackendsAreAtWork) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 78;
  phase.postgres.writer_waits = {{"IO:WALSync", 3.5}, {"idle", 0.3}};
  phase = busy(phase, 0.3, 0.3);
  set_cpu(phase, "producer-0", 0.2, 0.45);
  EXPECT_EQ(blame_generator(phase, settings()).bottleneck, Bottleneck::postgres_write);
  phase.postgres.writer_waits = {{"idle", 3.5}};
  EXPECT_EQ(blame_generator(phase, settings()).bottleneck, Bottleneck::producer);
}

/// What the connections let through is no more than there is CPU for, and unknown where that is.
TEST(CpuNeed, EstimatesNoMoreThanTheCpuThatIsLeft) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 5.95;
  phase.producer.throughput = 30'000;
  phase = busy(phase, 0.3, 0.3);
  phase.busy.connections = 0.8;
  phase.busy.cpus = 0.6;
  phase.busy.machine = 0.84;
  EXPECT_THAT(blame_generator(phase, settings()).try_next.front(), Not(HasSubstr("at most")))
      << "of a server elsewhere the CPU is not known";
  ProcessReport backends;
  backends.role = "postgres-backends";
  backends.cpu_share = 0.5;
  phase.processes.push_back(backends);
  const Blame capped = blame_generator(phase, settings());
  ASSERT_EQ(capped.bottleneck, Bottleneck::postgres_write);
  // 30,000/s with 60 % of the machine, and 24 % are others': 30,000 * 0.76 / 0.6.
  EXPECT_THAT(capped.try_next.front(),
              HasSubstr("write 38,000/s at most this way, for this machine has CPU"));
}

}  // namespace
}  // namespace walstorm::measure::test
