// One transaction of more bytes than the consumer may hold, in every protocol: all of it lands, and the
// consumer stays small.
//
// By hand, WALSTORM_TEST_ROWS and WALSTORM_TEST_BUFFERED_MB make it larger, and WALSTORM_TEST_SERVER (a libpq
// connection string of a superuser; the server with wal_level=logical and logical_decoding_work_mem=64kB)
// takes it to another server.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>

#include <pqxx/nontransaction>

#include "orchestrator/process/proc_stat.h"
#include "tests/support/consumer_fixture.h"
#include "tests/support/sanitized.h"

namespace walstorm::tests {
namespace {

constexpr std::uint64_t kMB = 1U << 20U;
/// What a consumer may need beside what it buffers.
constexpr std::uint64_t kOwnBytesMax = 64 * kMB;
/// Slower than reading, so that everything that can fill up does.
constexpr double kSinkRecordsPerSec = 25'000;

std::uint64_t rows_wanted() {
  return std::stoull(from_environment("WALSTORM_TEST_ROWS", "120000"));
}

std::uint64_t buffered_bytes_max() {
  return std::stoull(from_environment("WALSTORM_TEST_BUFFERED_MB", "16")) * kMB;
}

class LargeTransaction : public ConsumerOnAServer, public testing::WithParamInterface<Protocol> {
 protected:
  LargeTransaction() : ConsumerOnAServer(GetParam()) {}
};

TEST_P(LargeTransaction, LandsWholeInAConsumerThatStaysSmall) {
  if (!speaks(GetParam())) GTEST_SKIP() << "the server is " << connection_->server_version();
  const std::uint64_t rows = rows_wanted();
  start_consumer(GetParam(), buffered_bytes_max(), kSinkRecordsPerSec);
  const proto::ConsumerStats result = result_of(
      [&](pqxx::connection& connection) { pqxx::nontransaction(connection).exec(insert_sql(1, rows)); });
  EXPECT_TRUE(result.drained());
  EXPECT_EQ(result.received().inserts(), rows);
  EXPECT_EQ(result.acknowledged().inserts(), rows);
  EXPECT_EQ(result.acknowledged().hash_sum(), rows * (rows + 1) / 2);
  EXPECT_EQ(result.transactions(), 1U);
  EXPECT_LE(result.buffered_bytes_max(), buffered_bytes_max() + 2 * kMB)
      << "beyond the bound, at most a batch";
  const auto process = process::read_proc_stat(consumer_->pid().value());
  ASSERT_TRUE(process.has_value());
  const std::uint64_t rss_max = process.value_or(process::ProcStat()).rss_max_bytes;
  fmt::print("{} rows, {} MB of messages: VmHWM {:.1f} MB, heap {:.1f} MB, buffered {:.1f} MB\n", rows,
             result.bytes() / kMB, static_cast<double>(rss_max) / kMB,
             static_cast<double>(result.heap_bytes_max()) / kMB,
             static_cast<double>(result.buffered_bytes_max()) / kMB);
  if (!kSanitized) {
    EXPECT_LT(rss_max, kOwnBytesMax + buffered_bytes_max());
  }
  EXPECT_EQ(streamed_transactions() > 0, GetParam().streaming != proto::STREAMING_OFF);
}

INSTANTIATE_TEST_SUITE_P(Protocols, LargeTransaction,
                         testing::Values(Protocol{1}, Protocol{2, proto::STREAMING_ON},
                                         Protocol{3, proto::STREAMING_ON},
                                         Protocol{4, proto::STREAMING_PARALLEL}),
                         [](const auto& protocol) { return to_string(protocol.param); });

}  // namespace
}  // namespace walstorm::tests
