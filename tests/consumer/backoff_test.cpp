#include "consumer/backoff.h"

#include <gtest/gtest.h>

namespace walstorm::consumer {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToItsCap) {
  Backoff backoff;
  for (const int expected : {50, 100, 200, 400, 800, 1600, 2000, 2000}) {
    EXPECT_EQ(backoff.next(1), milliseconds(expected));
  }
  backoff.reset();
  EXPECT_EQ(backoff.next(1), milliseconds(50));
}

TEST(Backoff, JitterTakesUpToHalf) {
  Backoff backoff;
  EXPECT_EQ(backoff.next(0), milliseconds(25));
  EXPECT_EQ(backoff.next(0.5), milliseconds(75));
}

}  // namespace
}  // namespace walstorm::consumer
