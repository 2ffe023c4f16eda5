#include "producer/backoff.h"

#include <gtest/gtest.h>
#include <set>

namespace walstorm::producer {
namespace {

TEST(Backoff, TriesAtOnceThenWaitsLongerAndLongerUpToTwoSeconds) {
  Backoff backoff(Random(1));
  EXPECT_EQ(backoff.next().count(), 0);
  for (const std::int64_t longest : {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000}) {
    const auto wait = backoff.next().count();
    EXPECT_GE(wait, longest / 2);
    EXPECT_LE(wait, longest);
  }
}

TEST(Backoff, OfConnectionsLostTogetherDiffers) {
  std::set<std::int64_t> waits;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Backoff backoff{Random(seed)};
    for (int i = 0; i < 7; ++i) (void)backoff.next();
    waits.insert(backoff.next().count());
  }
  EXPECT_GT(waits.size(), 10U);
}

}  // namespace
}  // namespace walstorm::producer
