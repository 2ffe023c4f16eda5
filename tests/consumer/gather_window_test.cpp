#include "consumer/stream/gather_window.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>

namespace walstorm::consumer {
namespace {

/// A stream that brings `bytes_per_us` all the time, read for `reads` windows: the last window's length.
std::int64_t settles_at(GatherWindow& window, double bytes_per_us, int reads) {
  std::int64_t gather_us = window.after_read(1);
  for (int i = 0; i < reads; ++i) {
    const double found = static_cast<double>(gather_us) * bytes_per_us;
    gather_us = window.after_read(std::max<std::size_t>(1, static_cast<std::size_t>(found)));
  }
  return gather_us;
}

TEST(GatherWindow, WaitsForTheSocketWhenAReadFoundNothing) {
  GatherWindow window;
  EXPECT_EQ(window.after_read(0), 0);
  EXPECT_GT(window.after_read(1000), 0);
  EXPECT_EQ(window.after_read(0), 0);
}

TEST(GatherWindow, BeginsABurstWithTheShortestWindow) {
  GatherWindow window;
  EXPECT_EQ(window.after_read(1'000'000), GatherWindow::kShortestUs);
  (void)settles_at(window, 100, 50);
  EXPECT_EQ(window.after_read(0), 0);
  EXPECT_EQ(window.after_read(1'000), GatherWindow::kShortestUs) << "the last burst's window is forgotten";
}

TEST(GatherWindow, GrowsUntilAReadFindsWhatIsWanted) {
  GatherWindow window;
  // 200 bytes a microsecond, as 200,000 rows of 1 KB a second.
  const double bytes_per_us = 200;
  const double found = static_cast<double>(settles_at(window, bytes_per_us, 20)) * bytes_per_us;
  EXPECT_NEAR(found, GatherWindow::kBytesWanted, 0.05 * GatherWindow::kBytesWanted);
}

TEST(GatherWindow, WantsLessOfAUnixSocketWhichHoldsFewerMessages) {
  GatherWindow window;
  window.connected(true);
  const double bytes_per_us = 200;
  const double found = static_cast<double>(settles_at(window, bytes_per_us, 20)) * bytes_per_us;
  EXPECT_NEAR(found, GatherWindow::kBytesWantedUnix, 0.05 * GatherWindow::kBytesWantedUnix);
}

TEST(GatherWindow, IsNeverLongerThanItsBoundHoweverSlowTheStream) {
  GatherWindow window;
  EXPECT_EQ(settles_at(window, 0.001, 1000), GatherWindow::kLongestUs);
}

TEST(GatherWindow, IsNeverShorterThanItsBoundHoweverFastTheStream) {
  GatherWindow window;
  EXPECT_EQ(settles_at(window, 1e9, 1000), GatherWindow::kShortestUs);
}

TEST(GatherWindow, ChangesByHalfOrDoubleAtMost) {
  GatherWindow window;
  std::int64_t before = settles_at(window, 200, 20);
  EXPECT_EQ(window.after_read(1), std::min(2 * before, GatherWindow::kLongestUs));
  before = settles_at(window, 200, 20);
  EXPECT_EQ(window.after_read(100'000'000), before / 2);
}

TEST(GatherWindow, ForgetsWhatWasBeforeAPause) {
  GatherWindow window;
  (void)settles_at(window, 200, 20);
  window.reset();
  EXPECT_EQ(window.after_read(1'000), GatherWindow::kShortestUs);
}

}  // namespace
}  // namespace walstorm::consumer
