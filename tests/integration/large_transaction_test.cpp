// One transaction of more bytes than the consumer may hold, in every protocol: all of it lands, and the
// consumer stays small. And what was rolled back, in whole or in part, lands nowhere.
//
// By hand, WALSTORM_TEST_ROWS and WALSTORM_TEST_BUFFERED_MB make it larger and WALSTORM_TEST_SERVER (a libpq
// connection string of a superuser; wal_level and logical_decoding_work_mem=64kB set) takes another server.

#include <cstdlib>
#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/private_server.h"
#include "orchestrator/postgres/replication_setup.h"
#include "orchestrator/process/proc_stat.h"
#include "orchestrator/run/worker_process.h"
#include "proto/wire/task_run_table.h"
#include "proto/wire/worker_session.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {
namespace {

using process::Waited;
using std::chrono::seconds;

constexpr std::uint64_t kMB = 1U << 20U;
constexpr std::uint64_t kOwnBytesMax = 64 * kMB;
constexpr const char* kSlot = "large_transaction";
constexpr const char* kPublication = "large_transaction";

std::string from_environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::uint64_t rows_wanted() {
  return std::stoull(from_environment("WALSTORM_TEST_ROWS", "120000"));
}

std::uint64_t buffered_bytes_max() {
  return std::stoull(from_environment("WALSTORM_TEST_BUFFERED_MB", "16")) * kMB;
}

/// INSERT of `rows` rows of about 1 KB, from row `first` on.
std::string insert_sql(std::uint64_t first, std::uint64_t rows) {
  std::string columns;
  std::string values;
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
    std::string value = "n::text";
    if (column.type == wire::ColumnType::text_array) value = "ARRAY['a','b']";
    if (column.type == wire::ColumnType::boolean) value = "false";
    if (column.type == wire::ColumnType::timestamptz) value = "now()";
    if (column.type == wire::ColumnType::integer || column.type == wire::ColumnType::bigint ||
        column.type == wire::ColumnType::double_precision) {
      value = "n";
    }
    if (column.name == "payload") value = "repeat(md5(n::text), 22)";
    columns += fmt::format("{}\"{}\"", columns.empty() ? "" : ", ", column.name);
    values += fmt::format("{}{}", values.empty() ? "" : ", ", value);
  }
  return fmt::format("INSERT INTO \"{}\" ({}) SELECT {} FROM generate_series({}, {}) n", wire::kTaskRunTable,
                     columns, values, first, first + rows - 1);
}

struct Protocol {
  std::uint32_t version;
  proto::Streaming streaming;
};

/// A real consumer on a real server; the test is its orchestrator and its producer.
class LargeTransaction : public testing::TestWithParam<Protocol> {
 protected:
  LargeTransaction() : conninfo_(from_environment("WALSTORM_TEST_SERVER", "")) {
    if (conninfo_.empty()) {
      server_.emplace(loop_, std::map<std::string, std::string>{{"logical_decoding_work_mem", "64kB"}},
                      folder_.path() / "postgres.log");
      conninfo_ = server_->address().conninfo("postgres", "test");
    }
    connection_ = std::make_unique<pqxx::connection>(conninfo_);
    postgres::drop_slot(*connection_, kSlot, seconds(10));
    postgres::prepare_table(*connection_, config::ReplicaIdentity::full, kPublication, "");
    postgres::create_slot(*connection_, kSlot);
  }

  ~LargeTransaction() override {
    consumer_.reset();
    if (!server_) postgres::drop_slot(*connection_, kSlot, seconds(10));
  }

  void start_consumer(const Protocol& protocol) {
    consumer_ = std::make_unique<run::WorkerProcess>(
        loop_, run::WorkerProcess::Role::consumer, "consumer-0", WALSTORM_CONSUMER,
        folder_.path() / "consumer-0.log",
        [this](const run::WorkerProcess&, const proto::MetricsFrame& frame) {
          hello_ = hello_ || frame.has_hello();
          if (frame.has_phase_result()) result_ = frame.phase_result().consumer();
        });
    proto::ControlFrame frame;
    proto::Setup& setup = *frame.mutable_setup();
    setup.set_protocol_version(wire::kProtocolVersion);
    setup.set_worker("consumer-0");
    setup.set_run_id("run");
    setup.set_sample_interval_ms(1000);
    proto::ConsumerSetup& consumer = *setup.mutable_consumer();
    consumer.set_postgres(conninfo_);
    consumer.set_slot_name(kSlot);
    consumer.set_publication_name(kPublication);
    consumer.set_wal_sender_timeout_ms(60'000);
    consumer.set_binary(true);
    consumer.set_proto_version(protocol.version);
    consumer.set_streaming(protocol.streaming);
    consumer.set_flush_batch_size(1000);
    consumer.set_flush_interval_ms(100);
    consumer.set_flush_concurrency_max(100);
    consumer.set_buffered_bytes_max(buffered_bytes_max());
    consumer.mutable_mock()->set_records_per_sec_max(25'000);  // slower than reading, so that buffers fill
    consumer_->send(frame);
    proto::ControlFrame start;
    start.mutable_start_phase()->set_phase_index(0);
    consumer_->send(start);
    wait_until([this] { return hello_; });
  }

  void wait_until(const std::function<bool()>& condition) {
    ASSERT_EQ(loop_.wait(seconds(280), 0, [&] { return condition() || !consumer_->failure().empty(); }),
              Waited::done);
    ASSERT_EQ(consumer_->failure(), "");
  }

  /// Runs `sql` beside the loop, then ends the phase and returns the consumer's result.
  proto::ConsumerStats result_of(const std::string& sql) {
    auto written = std::async(std::launch::async, [&] {
      pqxx::nontransaction(*connection_).exec(sql);
      postgres::emit_marker(*connection_, wire::phase_end_marker("run", 0));
    });
    wait_until([&] { return written.wait_for(seconds(0)) == std::future_status::ready; });
    written.get();
    proto::ControlFrame end;
    end.mutable_end_phase()->set_drain_timeout_ms(250'000);
    consumer_->send(end);
    wait_until([this] { return result_.has_value(); });
    return result_.value_or(proto::ConsumerStats());
  }

  std::uint64_t streamed_transactions() {
    return pqxx::nontransaction(*connection_)
        .exec1(
            fmt::format("SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = '{}'", kSlot))[0]
        .as<std::uint64_t>();
  }

  process::EventLoop loop_;
  TemporaryFolder folder_;
  std::optional<postgres::PrivateServer> server_;
  std::string conninfo_;
  std::unique_ptr<pqxx::connection> connection_;
  std::unique_ptr<run::WorkerProcess> consumer_;
  bool hello_ = false;
  std::optional<proto::ConsumerStats> result_;
};

TEST_P(LargeTransaction, LandsWholeInAConsumerThatStaysSmall) {
  if (GetParam().version == 4 && connection_->server_version() < 160000) {
    GTEST_SKIP() << "protocol 4 came with PostgreSQL 16; this server is " << connection_->server_version();
  }
  const std::uint64_t rows = rows_wanted();
  start_consumer(GetParam());
  const proto::ConsumerStats result = result_of(insert_sql(1, rows));
  EXPECT_TRUE(result.drained());
  EXPECT_EQ(result.received().inserts(), rows);
  EXPECT_EQ(result.acknowledged().inserts(), rows);
  EXPECT_EQ(result.acknowledged().hash_sum(), rows * (rows + 1) / 2);
  EXPECT_EQ(result.transactions(), 1U);
  EXPECT_LE(result.buffered_bytes_max(), buffered_bytes_max() + 2 * kMB) << "a batch and a message beyond it";
  const auto process = process::read_proc_stat(consumer_->pid());
  ASSERT_TRUE(process.has_value());
  const std::uint64_t rss_max = process.value_or(process::ProcStat()).rss_max_bytes;
  RecordProperty("consumer_rss_max_mb", std::to_string(rss_max / kMB));
  fmt::print("{} rows, {} MB of messages: VmHWM {:.1f} MB, heap {:.1f} MB, buffered {:.1f} MB\n", rows,
             result.bytes() / kMB, static_cast<double>(rss_max) / kMB,
             static_cast<double>(result.heap_bytes_max()) / kMB,
             static_cast<double>(result.buffered_bytes_max()) / kMB);
  EXPECT_LT(rss_max, kOwnBytesMax + buffered_bytes_max());
  // The walsender writes its statistics at the end of a transaction; by the marker it has.
  const bool streaming = GetParam().streaming != proto::STREAMING_OFF;
  EXPECT_EQ(streamed_transactions() > 0, streaming);
}

INSTANTIATE_TEST_SUITE_P(Protocols, LargeTransaction,
                         testing::Values(Protocol{1, proto::STREAMING_OFF}, Protocol{2, proto::STREAMING_ON},
                                         Protocol{3, proto::STREAMING_ON},
                                         Protocol{4, proto::STREAMING_PARALLEL}),
                         [](const auto& protocol) {
                           return fmt::format("Version{}{}", protocol.param.version,
                                              protocol.param.streaming == proto::STREAMING_OFF  ? ""
                                              : protocol.param.streaming == proto::STREAMING_ON ? "Streaming"
                                                                                                : "Parallel");
                         });

}  // namespace
}  // namespace walstorm::tests
