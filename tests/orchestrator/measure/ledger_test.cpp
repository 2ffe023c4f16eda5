#include "orchestrator/measure/ledger/ledger.h"

#include <gtest/gtest.h>

namespace walstorm::measure {
namespace {

wire::ChangeTally tally(std::uint64_t inserts, std::uint64_t updates, std::uint64_t deletes,
                        std::uint64_t hash) {
  wire::ChangeTally t;
  t.inserts = inserts;
  t.updates = updates;
  t.deletes = deletes;
  t.hash_xor = t.hash_sum = hash;
  return t;
}

TEST(ChangeLedger, IsCleanWhenAllThreeAccountsAgree) {
  const auto t = tally(7, 2, 1, 42);
  const ChangeLedger ledger = settle_changes({t, t, t, 5, true});
  EXPECT_TRUE(is_clean(ledger));
  EXPECT_EQ(ledger.produced, 10);
  EXPECT_EQ(ledger.missing, 0);
  EXPECT_EQ(ledger.duplicated, 0);
  EXPECT_EQ(ledger.in_transit, 0);
  EXPECT_EQ(ledger.replayed, 5);
  EXPECT_EQ(ledger.checksum_matches, true);
}

TEST(ChangeLedger, SaysWhereChangesWentMissing) {
  const auto all = tally(10, 0, 0, 42);
  const auto some = tally(8, 0, 0, 7);
  const ChangeLedger stream = settle_changes({all, some, some, 0, true});
  EXPECT_EQ(stream.broken_at, "stream");
  EXPECT_EQ(stream.missing, 2);
  const ChangeLedger sink = settle_changes({all, all, some, 0, true});
  EXPECT_EQ(sink.broken_at, "sink");
  EXPECT_EQ(sink.missing, 2);
  EXPECT_EQ(sink.checksum_matches, false);
}

TEST(ChangeLedger, IsBrokenWhenCountsAgreeButChecksumsDiffer) {
  const ChangeLedger ledger =
      settle_changes({tally(10, 0, 0, 42), tally(10, 0, 0, 42), tally(10, 0, 0, 43), 0, true});
  EXPECT_EQ(ledger.missing, 0);
  EXPECT_EQ(ledger.checksum_matches, false);
  EXPECT_EQ(ledger.broken_at, "sink");
  EXPECT_FALSE(is_clean(ledger));
}

TEST(ChangeLedger, CountsAnUpdateThatArrivedAsAnInsertAsOneMissingAndOneDuplicated) {
  const ChangeLedger ledger =
      settle_changes({tally(5, 5, 0, 1), tally(6, 4, 0, 1), tally(6, 4, 0, 1), 0, true});
  EXPECT_EQ(ledger.missing, 1);
  EXPECT_EQ(ledger.duplicated, 1);
  EXPECT_EQ(ledger.broken_at, "stream");
}

TEST(ChangeLedger, CallsTheRestInTransitAndNotMissingWhenTheDrainGaveUp) {
  const ChangeLedger ledger =
      settle_changes({tally(10, 0, 0, 1), tally(9, 0, 0, 2), tally(4, 0, 0, 3), 0, false});
  EXPECT_EQ(ledger.missing, std::nullopt);
  EXPECT_EQ(ledger.in_transit, 6);
  EXPECT_EQ(ledger.checksum_matches, std::nullopt);
  EXPECT_TRUE(is_clean(ledger));
}

TEST(ChangeLedger, SeesChangesThatNobodyProducedBeforeTheDrainHasEnded) {
  const ChangeLedger ledger =
      settle_changes({tally(10, 0, 0, 1), tally(10, 0, 0, 1), tally(11, 0, 0, 3), 0, false});
  EXPECT_EQ(ledger.duplicated, 1);
  EXPECT_EQ(ledger.broken_at, "sink");
}

TEST(ChangeLedger, SettlesNothingOnAnAccountThatIsNotKnown) {
  const ChangeLedger ledger = settle_changes({std::nullopt, tally(10, 0, 0, 1), tally(10, 0, 0, 1), 0, true});
  EXPECT_EQ(ledger.produced, std::nullopt);
  EXPECT_EQ(ledger.missing, std::nullopt);
  EXPECT_EQ(ledger.duplicated, std::nullopt);
  EXPECT_EQ(ledger.in_transit, std::nullopt);
  EXPECT_EQ(ledger.checksum_matches, std::nullopt);
  EXPECT_TRUE(is_clean(ledger));
}

TEST(RowLedger, ComparesPostgresWithWhatWasExpectedAndTheSinkWithPostgres) {
  const wire::RowTally rows{100, 5, 6};
  const RowLedger clean = settle_rows({rows, rows, rows});
  EXPECT_TRUE(is_clean(clean));
  EXPECT_EQ(clean.checksum_matches, true);
  EXPECT_EQ(settle_rows({rows, wire::RowTally{99, 5, 6}, std::nullopt}).broken_at, "postgres");
  const RowLedger altered = settle_rows({rows, rows, wire::RowTally{100, 5, 7}});
  EXPECT_EQ(altered.broken_at, "sink");
  EXPECT_EQ(altered.checksum_matches, false);
}

TEST(RowLedger, KnowsNoLandedRowsOfTheMock) {
  const wire::RowTally rows{100, 5, 6};
  const RowLedger ledger = settle_rows({rows, rows, std::nullopt});
  EXPECT_EQ(ledger.landed, std::nullopt);
  EXPECT_EQ(ledger.checksum_matches, true);
  EXPECT_EQ(settle_rows({rows, std::nullopt, std::nullopt}).checksum_matches, std::nullopt);
}

TEST(RowLedger, HoldsNoRowAgainstTheSinkThatMayStillBeOnItsWay) {
  const wire::RowTally rows{100, 5, 6};
  const RowLedger undrained = settle_rows({rows, rows, wire::RowTally{60, 1, 2}, false});
  EXPECT_EQ(undrained.landed, 60);
  EXPECT_TRUE(is_clean(undrained));
  EXPECT_EQ(settle_rows({rows, rows, wire::RowTally{60, 1, 2}, true}).broken_at, "sink");
}

TEST(RowLedger, SaysNothingOfChecksumsThatCannotAgreeYet) {
  const wire::RowTally rows{1360, 5, 6};
  const wire::RowTally fewer{1330, 1, 2};
  const RowLedger ledger = settle_rows({rows, rows, fewer, false, 30});
  EXPECT_EQ(ledger.checksum_matches, std::nullopt) << "true beside 1,330 of 1,360 landed";
  EXPECT_EQ(ledger.in_transit, 30);
  EXPECT_EQ(settle_rows({rows, rows, rows, false, 0}).checksum_matches, true);
  const RowLedger altered = settle_rows({rows, wire::RowTally{1360, 5, 7}, fewer, false, 30});
  EXPECT_EQ(altered.checksum_matches, false) << "what PostgreSQL holds can be compared";
  EXPECT_EQ(altered.broken_at, "postgres");
}

PhaseReport undrained(double drain_sec, double quiet_sec, double flush_ms_max) {
  PhaseReport phase;
  phase.name = "peak";
  phase.drain = {false, drain_sec, quiet_sec};
  phase.ledger.in_transit = 30;
  phase.consumer.flush_ms.max = flush_ms_max;
  phase.consumer.flush_error_last = "Code: 241";
  return phase;
}

TEST(UndrainedPhase, FailsTheRunOnlyWhenNothingLandedAnyMore) {
  EXPECT_EQ(why_not_landing(undrained(30, 0.2, 100)), "") << "a sink that is slow, not dead";
  EXPECT_EQ(why_not_landing(undrained(30, 14, 100)), "");
  const std::string why = why_not_landing(undrained(30, 16, 100));
  EXPECT_NE(why.find("\"peak\" was given up after 30.0 s"), std::string::npos) << why;
  EXPECT_NE(why.find("30 records were not acknowledged"), std::string::npos) << why;
  EXPECT_NE(why.find("Code: 241"), std::string::npos) << why;
}

TEST(UndrainedPhase, IsNotCalledDeadForFlushesThatAreLongerThanItsDrain) {
  EXPECT_EQ(why_not_landing(undrained(0.2, 0.9, 10)), "") << "too short to tell";
  EXPECT_EQ(why_not_landing(undrained(1, 5, 4'000)), "") << "the next flush is under way";
  EXPECT_NE(why_not_landing(undrained(1, 9, 4'000)), "");
}

TEST(UndrainedPhase, IsTheOnlyOneThatCanBeDead) {
  EXPECT_EQ(why_not_landing(PhaseReport{}), "");
  PhaseReport drained = undrained(1, 9, 1);
  drained.drain.completed = true;
  EXPECT_EQ(why_not_landing(drained), "");
}

TEST(ContentLedger, IsCleanOnlyWhenEverySampledRowMatches) {
  EXPECT_TRUE(is_clean(ContentLedger{}));
  EXPECT_TRUE(is_clean(ContentLedger{1000, 1000, std::nullopt, {}}));
  EXPECT_FALSE(is_clean(ContentLedger{1000, 999, std::nullopt, {}}));
  EXPECT_FALSE(is_clean(ContentLedger{1000, 1000, 999, {}}));
}

TEST(RunReport, IsCleanOnlyWhenEachPhaseIs) {
  RunReport report;
  report.phases.resize(2);
  EXPECT_TRUE(is_clean(report));
  report.phases[1].ledger.broken_at = "sink";
  EXPECT_FALSE(is_clean(report));
}

}  // namespace
}  // namespace walstorm::measure
