#include "consumer/batch/lsn_tracker.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

using wire::Lsn;

TEST(LsnTracker, StartsWhereTheSlotStands) {
  const LsnTracker tracker(Lsn{100});
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  EXPECT_EQ(tracker.received(), Lsn{100});
}

TEST(LsnTracker, ConfirmsACommitsEndOnceItsBatchIsAcknowledged) {
  LsnTracker tracker(Lsn{100});
  tracker.begin();
  const auto batch = tracker.open_batch();
  tracker.commit(Lsn{200});
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  EXPECT_EQ(tracker.received(), Lsn{200});
  tracker.acknowledge(batch);
  EXPECT_EQ(tracker.acknowledged(), Lsn{200});
}

TEST(LsnTracker, DoesNotConfirmPastAnUnacknowledgedBatch) {
  LsnTracker tracker(Lsn{100});
  std::vector<std::uint64_t> batches;
  for (const std::uint64_t end : {200U, 300U, 400U}) {
    tracker.begin();
    batches.push_back(tracker.open_batch());
    tracker.commit(Lsn{end});
  }
  tracker.acknowledge(batches[2]);
  tracker.acknowledge(batches[1]);
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  EXPECT_EQ(tracker.acknowledged_batches(), 0U);
  tracker.acknowledge(batches[0]);
  EXPECT_EQ(tracker.acknowledged(), Lsn{400});
  EXPECT_EQ(tracker.acknowledged_batches(), 3U);
}

TEST(LsnTracker, ATransactionCutIntoBatchesCountsWhenItHasEndedAndAllAreAcknowledged) {
  LsnTracker tracker(Lsn{100});
  tracker.begin();
  tracker.acknowledge(tracker.open_batch());
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  const auto last = tracker.open_batch();
  tracker.commit(Lsn{200});
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  tracker.acknowledge(last);
  EXPECT_EQ(tracker.acknowledged(), Lsn{200});
}

TEST(LsnTracker, ACommitBehindAcknowledgedBatchesCountsAtOnce) {
  LsnTracker tracker(Lsn{100});
  tracker.begin();
  tracker.acknowledge(tracker.open_batch());
  tracker.commit(Lsn{200});
  EXPECT_EQ(tracker.acknowledged(), Lsn{200});
}

TEST(LsnTracker, ABatchOfSeveralTransactionsLeavesTheOpenOneOut) {
  LsnTracker tracker(Lsn{100});
  tracker.begin();
  const auto batch = tracker.open_batch();
  tracker.commit(Lsn{200});
  tracker.begin();  // its first records are in the same batch
  tracker.acknowledge(batch);
  EXPECT_EQ(tracker.acknowledged(), Lsn{200});
}

TEST(LsnTracker, AnIdleSlotFollowsKeepalives) {
  LsnTracker tracker(Lsn{100});
  tracker.keepalive(Lsn{500});
  EXPECT_EQ(tracker.acknowledged(), Lsn{500});
}

TEST(LsnTracker, KeepalivesWaitForWhatIsInFlight) {
  LsnTracker tracker(Lsn{100});
  tracker.begin();
  const auto batch = tracker.open_batch();
  tracker.commit(Lsn{200});
  tracker.keepalive(Lsn{500});
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  tracker.acknowledge(batch);
  EXPECT_EQ(tracker.acknowledged(), Lsn{500});
}

TEST(LsnTracker, KeepalivesWithinATransactionSayNothing) {
  LsnTracker tracker(Lsn{100});
  tracker.begin();
  tracker.keepalive(Lsn{500});
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  tracker.acknowledge(tracker.open_batch());
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
  EXPECT_EQ(tracker.received(), Lsn{100});
}

TEST(LsnTracker, NeverGoesBack) {
  LsnTracker tracker(Lsn{100});
  tracker.keepalive(Lsn{50});
  EXPECT_EQ(tracker.acknowledged(), Lsn{100});
}

TEST(LsnTracker, RefusesWhatIsNotOutstanding) {
  LsnTracker tracker(Lsn{100});
  EXPECT_THROW(tracker.acknowledge(1), wire::Error);
  const auto first = tracker.open_batch();
  const auto second = tracker.open_batch();
  tracker.acknowledge(second);
  EXPECT_THROW(tracker.acknowledge(second), wire::Error);
  tracker.acknowledge(first);
  EXPECT_THROW(tracker.acknowledge(first), wire::Error);
}

TEST(LsnTracker, OfATransactionThatWasCutOffNothingIsConfirmed) {
  LsnTracker tracker(Lsn{10});
  tracker.begin();
  const std::uint64_t part = tracker.open_batch();
  tracker.connection_lost();
  tracker.acknowledge(part);
  EXPECT_EQ(tracker.acknowledged(), Lsn{10});
  // Sent again, the server says first how far it is; then the rest comes.
  tracker.keepalive(Lsn{10});
  tracker.begin();
  tracker.keepalive(Lsn{50});
  const std::uint64_t rest = tracker.open_batch();
  tracker.commit(Lsn{40});
  EXPECT_EQ(tracker.acknowledged(), Lsn{10});
  tracker.acknowledge(rest);
  EXPECT_EQ(tracker.acknowledged(), Lsn{40});
}

TEST(LsnTracker, InAnyOrderOfAcknowledgementsConfirmsExactlyTheFinishedPrefix) {
  const unsigned seed = 7;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    LsnTracker tracker(Lsn{1});
    struct Sent {
      std::uint64_t number;
      std::uint64_t end;
      bool acknowledged = false;
    };
    std::vector<Sent> sent;
    for (std::uint64_t i = 1; i <= 20; ++i) {
      tracker.begin();
      sent.push_back({tracker.open_batch(), i * 10});
      tracker.commit(Lsn{i * 10});
    }
    std::vector<std::size_t> order(sent.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t index : order) {
      tracker.acknowledge(sent[index].number);
      sent[index].acknowledged = true;
      std::uint64_t expected = 1;
      for (const Sent& batch : sent) {
        if (!batch.acknowledged) break;
        expected = batch.end;
      }
      ASSERT_EQ(tracker.acknowledged(), Lsn{expected});
    }
  }
}

}  // namespace
}  // namespace walstorm::consumer
