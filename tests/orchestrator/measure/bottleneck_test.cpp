#include "orchestrator/measure/judge/bottleneck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>

#include "orchestrator/measure/judge/load_evidence.h"
#include "tests/orchestrator/measure/made_up_phase.h"
#include "tests/orchestrator/measure/simulated_pipe.h"

namespace walstorm::measure::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::DoubleNear;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;

TEST(Bottleneck, BlamesTheSinkWhenEveryFlushAllowedIsUnderWayAndTheLoopHasTime) {
  // Back-pressure: records wait in PostgreSQL, though it is not what is slow.
  const Blame blame = blame_pipe(full_sink(waiting_in(9000, 100, 250)), settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::sink);
  EXPECT_THAT(blame.evidence, has_figure("busy.flushesFull"));
  ASSERT_THAT(blame.try_next, Not(IsEmpty()));
}

TEST(Bottleneck, AsksForMoreFlushesWhereTheSinkTakesAsLongHoweverMuchItHas) {
  PipeSettings with_mock = settings();
  with_mock.sink = config::SinkKind::mock;
  with_mock.consumer.max_flush_concurrency = 4;
  const Blame steady = blame_pipe(full_sink(waiting_in(9000, 100, 250)), with_mock);
  EXPECT_THAT(steady.try_next.front(), HasSubstr("raise consumer.maxFlushConcurrency (now 4)"));
  EXPECT_THAT(steady.try_next.front(), HasSubstr("800/s at most"));
  PhaseReport slower = full_sink(waiting_in(9000, 100, 250));
  slower.consumer.flush_ms.p2_5 = 20;
  const Blame queued = blame_pipe(slower, with_mock);
  EXPECT_THAT(queued.try_next.front(), HasSubstr("would only queue there"));
}

TEST(Bottleneck, AsksForLargerFlushesWhereClickHouseHasTooManyParts) {
  PhaseReport phase = full_sink(waiting_in(9000, 100, 250));
  phase.consumer.flush_error_last = "252 TOO_MANY_PARTS";
  EXPECT_THAT(blame_pipe(phase, settings()).try_next.front(),
              HasSubstr("raise consumer.flushBatchSize (now 50) and consumer.flushIntervalMs (now 100)"));
}

TEST(Bottleneck, BlamesTheSinkForAFullBufferToo) {
  PhaseReport phase = busy(waiting_in(9000, 100, 250), 0.3, 0.4);
  phase.consumer.buffered_bytes_max = phase.consumer.batch_bytes_max = 64U << 20U;
  const Blame blame = blame_pipe(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::sink);
  EXPECT_THAT(blame.evidence,
              Contains(AllOf(Field(&Evidence::figure, "consumer.batchBytesMax"),
                             Field(&Evidence::limit, Optional(DoubleNear(64 * 1048576.0, 0.1))))));
}

/// With streaming on the reader stops when batches have three quarters of the buffer.
TEST(Bottleneck, BlamesTheSinkForABufferAsFullAsStreamingLetsItBe) {
  PipeSettings streaming = settings();
  streaming.consumer.streaming = config::Streaming::on;
  PhaseReport phase = busy(waiting_in(9000, 100, 250), 0.3, 0.1);
  phase.postgres.walsender_waits = {{"Client:WalSenderWriteData", 0.9}};
  phase.consumer.buffered_bytes_max = phase.consumer.batch_bytes_max = 48U << 20U;
  const Blame blame = blame_pipe(phase, streaming);
  EXPECT_EQ(blame.bottleneck, Bottleneck::sink);
  EXPECT_THAT(blame.evidence,
              Contains(AllOf(Field(&Evidence::limit, Optional(DoubleNear(48 * 1048576.0, 0.1))),
                             Field(&Evidence::says, HasSubstr("48 MiB of consumer.maxBufferedMB "
                                                              "(now 64)")))));
  phase.consumer.batch_bytes_max = 36U << 20U;  // the rest are streamed transactions, which stop nobody
  EXPECT_EQ(blame_pipe(phase, streaming).bottleneck, Bottleneck::network);
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::network);
}

TEST(Bottleneck, DoesNotBlameTheSinkForAConsumerWithoutTimeToFlush) {
  const Blame blame = blame_pipe(full_sink(waiting_in(10, 3000, 250), 0.99), settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::consumer_cpu);
  EXPECT_EQ(blame_pipe(busy(waiting_in(10, 3000, 250), 0.3, 0.4), settings()).bottleneck, Bottleneck::sink);
}

TEST(Bottleneck, TellsAConsumerWithAFullCoreFromOneThatGetsNone) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.98, 0.4);
  const Blame full = blame_pipe(phase, settings());
  EXPECT_EQ(full.bottleneck, Bottleneck::consumer_cpu);
  EXPECT_THAT(full.try_next, Contains(HasSubstr("raise consumer.flushBatchSize (now 50)")));
  set_cpu(phase, "consumer-0", 0.1, 0.85);
  const Blame starved = blame_pipe(phase, settings());
  EXPECT_EQ(starved.bottleneck, Bottleneck::consumer_cpu);
  EXPECT_THAT(starved.try_next.front(), HasSubstr("a CPU of its own"));
  EXPECT_THAT(starved.evidence.back().says, HasSubstr("waited for a CPU for 85 %"));
}

TEST(Bottleneck, BlamesAWalsenderThatIsAlwaysOnACpuOrWaitsForOne) {
  EXPECT_EQ(blame_pipe(busy(waiting_in(9000, 10, 10), 0.3, 0.97), settings()).bottleneck,
            Bottleneck::walsender);
  PhaseReport crowded = busy(waiting_in(9000, 10, 10), 0.3, 0.5);
  set_cpu(crowded, "postgres-walsender", 0.5, 0.45);
  const Blame blame = blame_pipe(crowded, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::walsender);
  EXPECT_THAT(blame.try_next.front(), HasSubstr("a CPU of its own"));
}

TEST(Bottleneck, BlamesAWalsenderThatSpillsWhatItSends) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.3, 0.5);
  phase.postgres.spilled_bytes = 90'000'000;
  const Blame blame = blame_pipe(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::walsender);
  EXPECT_THAT(blame.evidence, has_figure("postgres.spilledBytes"));
  EXPECT_THAT(blame.try_next.front(), HasSubstr("logical_decoding_work_mem"));
  EXPECT_THAT(blame.try_next, Contains(HasSubstr("consumer.streaming to on")));
}

TEST(Bottleneck, BlamesAWalsenderThatWaitsForItsDisk) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.3, 0.3);
  phase.postgres.walsender_waits = {{"IO:WALRead", 0.6}, {"running", 0.3}};
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::walsender);
}

TEST(Bottleneck, BlamesTheNetworkWhenBothItsEndsHaveTime) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.3, 0.1);
  phase.ladder.sent_to_received.bytes.max = 5'000'000;
  const Blame unseen = blame_pipe(phase, settings());
  EXPECT_EQ(unseen.bottleneck, Bottleneck::network);
  EXPECT_THAT(unseen.evidence, has_figure("ladder.sentToReceived.bytes.max"));
  phase.postgres.walsender_waits = {{"Client:WalSenderWriteData", 0.9}};
  const Blame seen = blame_pipe(phase, settings());
  EXPECT_EQ(seen.bottleneck, Bottleneck::network);
  EXPECT_THAT(seen.evidence, has_figure("postgres.walsenderWaits.Client:WalSenderWriteData"));
}

TEST(Bottleneck, IsUnknownWhereNothingIsKnownOfAWalsenderOnAnotherMachine) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.3, 0);
  set_cpu(phase, "postgres-walsender", {}, {});
  const Blame blame = blame_pipe(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::unknown);
  EXPECT_THAT(blame.evidence.back().says, HasSubstr("not known"));
  phase.postgres.walsender_waits = {{"running", 0.9}};
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::walsender)
      << "PostgreSQL tells what its walsender does, wherever it runs";
}

TEST(Bottleneck, BlamesAProducerThatUsesAWholeCoreAndNamesTheBusiest) {
  PhaseReport phase = busy(waiting_in(1, 1, 1), 0.3, 0.3);
  ProcessReport second = phase.processes.front();
  second.role = "producer-1";
  phase.processes.push_back(second);
  set_cpu(phase, "producer-1", 0.97, 0.02);
  const Blame blame = blame_generator(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::producer);
  EXPECT_THAT(blame.evidence, has_figure("processes.producer-1.cpuShare"));
  EXPECT_THAT(blame.try_next.front(), HasSubstr("raise producer.workerCount (now 1)"));
}

TEST(Bottleneck, BlamesAProducerThatGetsNoCpuAndSaysThatItIsStarved) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 80;  // its answers wait for it: the connections look busy
  phase = busy(phase, 0.3, 0.3);
  set_cpu(phase, "producer-0", 0.2, 0.78);
  const Blame blame = blame_generator(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::producer);
  EXPECT_THAT(blame.try_next.front(), HasSubstr("give the producer a CPU of its own"));
}

TEST(Bottleneck, BlamesPostgresqlWhenAllConnectionsAreBusyAndSaysWhatTheyCanWrite) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 78;  // 50 transactions/s of 78 ms keep 3.9 connections of 4 busy
  phase.postgres.writer_waits = {{"IO:WALSync", 3.5}, {"running", 0.3}};
  phase.producer.throughput = 5000;
  phase = busy(phase, 0.3, 0.3);
  ProcessReport backends;
  backends.role = "postgres-backends";
  backends.cpu_share = 0.2;
  phase.processes.push_back(backends);
  const Blame blame = blame_generator(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::postgres_write);
  EXPECT_THAT(blame.evidence, Contains(AllOf(Field(&Evidence::figure, "busy.connections"),
                                             Field(&Evidence::value, Optional(DoubleNear(0.975, 1e-6))))));
  EXPECT_EQ(blame.evidence.back().figure, "postgres.writerWaits.IO:WALSync");
  EXPECT_THAT(blame.evidence.back().says, HasSubstr("IO:WALSync"));
  EXPECT_THAT(blame.try_next.front(),
              HasSubstr("raise producer.batchSize (now 100) or producer.connections"));
  EXPECT_THAT(blame.try_next.front(), HasSubstr("5,128/s at most"));
}

TEST(Bottleneck, AdvisesNoMoreConnectionsOnAMachineThatIsFull) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 78;
  phase = busy(phase, 0.3, 0.3);
  phase.busy.cpus = 0.93;
  const Blame blame = blame_generator(phase, settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::postgres_write);
  EXPECT_EQ(blame.evidence.back().figure, "busy.cpus");
  EXPECT_THAT(blame.try_next, Not(Contains(HasSubstr("producer.connections"))));
  EXPECT_THAT(blame.try_next.front(), HasSubstr("producer.writeMode to copy"));
  EXPECT_THAT(blame.try_next.back(), HasSubstr("all 2 CPUs"));
}

TEST(Bottleneck, BlamesTheProducerWhoseBackendsHaveNothingToDo) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 78;
  phase.postgres.writer_waits = {{"idle", 3.7}};
  phase = busy(phase, 0.3, 0.3);
  ProcessReport backends;
  backends.role = "postgres-backends";
  backends.cpu_share = 0.2;
  phase.processes.push_back(backends);
  EXPECT_EQ(blame_generator(phase, settings()).bottleneck, Bottleneck::producer);
}

TEST(Bottleneck, BlamesTheRoundTripsToAServerOnAnotherMachine) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 78;
  phase.postgres.writer_waits = {{"idle", 3.7}};
  const Blame blame = blame_generator(busy(phase, 0.3, 0.3), settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::postgres_write);
  EXPECT_THAT(blame.evidence.back().says, HasSubstr("round trips"));
  EXPECT_THAT(blame.try_next.front(), HasSubstr("or producer.connections"));
}

/// 21 of 32 transactions rolled back, with CPU and connections to spare.
PhaseReport rolled_back() {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 2;
  phase.producer.transactions = 11;
  phase.producer.errors = 21;
  phase.producer.errors_by_sqlstate = {{"40001", 19}, {"57014", 2}};
  phase.producer.error_rate = 21.0 / 32;
  return busy(phase, 0.1, 0.1);
}

TEST(Bottleneck, BlamesPostgresqlForRollingTransactionsBackAndSaysWhatToChange) {
  const Blame blame = blame_generator(rolled_back(), settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::postgres_write);
  EXPECT_EQ(blame.evidence.back().figure, "producer.errors");
  EXPECT_EQ(blame.evidence.back().says,
            "21 of 32 transactions were rolled back by PostgreSQL (SQLSTATE 40001: 19, 57014: 2) and written "
            "again");
  ASSERT_EQ(blame.try_next.size(), 2U);
  EXPECT_THAT(blame.try_next[0], HasSubstr("default_transaction_isolation"));
  EXPECT_THAT(blame.try_next[1], HasSubstr("statement_timeout"));
}

TEST(Bottleneck, ShowsAFewRollBacksAndBlamesWhatWasBusy) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 78;
  phase.producer.errors = 3;
  phase.producer.errors_by_sqlstate = {{"40P01", 3}};
  phase.producer.error_rate = 0.001;
  const Blame blame = blame_generator(busy(phase, 0.3, 0.3), settings());
  EXPECT_EQ(blame.bottleneck, Bottleneck::postgres_write);
  EXPECT_THAT(blame.evidence, has_figure("producer.errors"));
  EXPECT_THAT(blame.try_next.front(), HasSubstr("producer.batchSize"));
}

/// One connection of four was in one transaction for 55 s of 60; the others had nothing to do for most.
PhaseReport stuck() {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.producer.service_time_ms.mean = 23;
  phase.producer.service_time_ms.max = 55'000;
  phase = busy(phase, 0.1, 0.1);
  phase.busy.connection_max = 0.93;
  phase.busy.connection_min = 0.06;
  return phase;
}

TEST(Bottleneck, LooksAtTheSpreadBetweenConnectionsBeforeItBlamesAnyone) {
  PhaseReport phase = stuck();
  const Blame on_the_way = blame_generator(phase, settings());
  EXPECT_EQ(on_the_way.bottleneck, Bottleneck::unknown) << "PostgreSQL saw nothing";
  EXPECT_EQ(on_the_way.evidence.back().figure, "busy.connectionMax");
  EXPECT_THAT(on_the_way.evidence.back().says, HasSubstr("once for 55.0 s"));
  EXPECT_THAT(on_the_way.try_next.front(), HasSubstr("what held that connection"));

  phase.postgres.writer_waits = {{"idle", 2.8}, {"Lock:transactionid", 0.9}};
  const Blame in_postgres = blame_generator(phase, settings());
  EXPECT_EQ(in_postgres.bottleneck, Bottleneck::postgres_write);
  EXPECT_EQ(in_postgres.evidence.back().figure, "postgres.writerWaits.Lock:transactionid");
  EXPECT_THAT(in_postgres.try_next.front(), HasSubstr("pg_blocking_pids"));
}

TEST(Bottleneck, CallsNoConnectionStuckThatIsAsBusyAsTheOthersOrHasShortTransactions) {
  PhaseReport even = stuck();
  even.producer.service_time_ms.mean = 72;  // 90 % of each connection's time
  EXPECT_FALSE(held_connection(even = busy(even, 0.1, 0.1), settings()));
  PhaseReport brief = stuck();
  brief.producer.service_time_ms.max = 900;
  EXPECT_FALSE(held_connection(brief, settings()));
}

TEST(Bottleneck, BlamesASinkThatNeverAnswered) {
  PhaseReport phase = waiting_in(1, 1, 1);
  phase.consumer = {};
  phase = busy(phase, 0.01, 0.1);
  phase.busy.flushes = 0.25;
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::sink);
  phase.busy.flushes = 0;
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::unknown);
}

TEST(Bottleneck, DoesNotBlameAConnectionThatWasRarelyWaitedFor) {
  PhaseReport phase = busy(waiting_in(9000, 10, 10), 0.3, 0.1);
  phase.postgres.walsender_waits = {{"Activity:WalSenderMain", 0.9}, {"Client:WalSenderWriteData", 0.1}};
  EXPECT_EQ(blame_pipe(phase, settings()).bottleneck, Bottleneck::unknown);
}

TEST(Bottleneck, DoesNotKnowWhatHeldAGeneratorOfWhichNothingIsKnown) {
  EXPECT_EQ(blame_generator(PhaseReport{}, {}).bottleneck, Bottleneck::unknown);
}

TEST(Bottleneck, ShowsTheBusiestPartOfAPipeThatKeepsUp) {
  const Blame blame = headroom(busy(waiting_in(1, 1, 1), 0.2, 0.6));
  EXPECT_EQ(blame.bottleneck, Bottleneck::none);
  EXPECT_THAT(blame.evidence.front().says, HasSubstr("the walsender, 60 %"));
  EXPECT_THAT(headroom(PhaseReport{}).evidence, IsEmpty());
}

TEST(Bottleneck, IsInTheVerdictOfAPhaseAlongWithWhatToTryNext) {
  const Verdict verdict = SimulatedPipe{.sink_capacity = 3000, .drain_timeout_sec = 100}.report().verdict;
  EXPECT_EQ(verdict.bottleneck, Bottleneck::sink);
  EXPECT_THAT(verdict.try_next, Not(IsEmpty()));
}

}  // namespace
}  // namespace walstorm::measure::test
