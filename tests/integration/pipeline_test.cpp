// The consumer's pipeline on a real PostgreSQL, in this process, so that a test decides when its loop turns:
// what happens to its connection and its slot while it is away.

#include "consumer/pipeline.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/private_server.h"
#include "proto/wire/error.h"
#include "tests/support/lossy_proxy.h"
#include "tests/support/restartable_server.h"
#include "tests/support/scripted_clickhouse.h"

namespace walstorm::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

class PipelineOnAServer : public testing::Test {
 protected:
  PipelineOnAServer() : server_(loop_) {
    sql("CREATE TABLE \"TaskRun\" (id text PRIMARY KEY, row_hash bigint NOT NULL)");
    sql("CREATE PUBLICATION pub FOR TABLE \"TaskRun\"");
    sql("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')");
  }

  void start(const std::string& conninfo = "") {
    proto::Setup setup;
    setup.set_run_id("run");
    proto::ConsumerSetup& consumer = *setup.mutable_consumer();
    consumer.set_postgres(conninfo.empty() ? server_.address().conninfo("postgres", "consumer") : conninfo);
    consumer.set_slot_name("slot");
    consumer.set_proto_version(1);
    consumer.set_publication_name("pub");
    consumer.set_wal_sender_timeout_ms(60'000);
    consumer.set_flush_batch_size(10);
    consumer.set_flush_interval_ms(10);
    consumer.set_flush_concurrency_max(4);
    consumer.set_buffered_bytes_max(1 << 20);
    consumer.set_give_up_ms(give_up_ms_);
    consumer.mutable_mock()->set_delay_ms(1);
    if (adapt_) adapt_(consumer);
    pipeline_ =
        std::make_unique<consumer::Pipeline>(loop_.io(), clock_, meter_, setup, [] { /* asked for below */ });
  }

  pqxx::result sql(const std::string& text) {
    pqxx::connection connection(server_.address().conninfo("postgres", "test"));
    return pqxx::nontransaction(connection).exec(text);
  }
  void insert_rows(int from, int to) {
    sql("INSERT INTO \"TaskRun\" SELECT i::text, i FROM generate_series(" + std::to_string(from) + ", " +
        std::to_string(to) + ") i");
  }
  int walsender() {
    return sql("SELECT coalesce((SELECT active_pid FROM pg_replication_slots), 0)")[0][0].as<int>();
  }

  /// Another client that holds the slot.
  std::unique_ptr<process::ChildProcess> other_reader(process::EventLoop& loop) {
    process::ChildOptions options;
    options.program = postgres::find_postgres_binaries() / "pg_recvlogical";
    options.arguments = {"--dbname",
                         server_.address().conninfo("postgres", "somebody"),
                         "--slot",
                         "slot",
                         "--start",
                         "--file",
                         "/dev/null",
                         "--option",
                         "proto_version=1",
                         "--option",
                         "publication_names=pub"};
    options.log_file = logs_.path() / "pg_recvlogical.log";
    auto reader = std::make_unique<process::ChildProcess>(loop, options);
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (walsender() == 0 && std::chrono::steady_clock::now() < deadline) {
      (void)loop.wait(20ms, 0, [] { return false; });
    }
    EXPECT_NE(walsender(), 0) << process::last_lines(options.log_file, 10);
    return reader;
  }

  [[nodiscard]] proto::ConsumerStats stats() {
    proto::ConsumerStats stats;
    pipeline_->fill(0, stats);
    return stats;
  }
  void turn_until(const std::function<bool()>& condition) {
    boost::asio::steady_timer beat(loop_.io());
    std::function<void()> tick = [&] {
      beat.expires_after(20ms);
      beat.async_wait([&](const boost::system::error_code& error) {
        if (!error) tick();
      });
    };
    tick();
    EXPECT_EQ(loop_.wait(30s, 0, condition), process::Waited::done) << stats().ShortDebugString();
    beat.cancel();
    loop_.io().poll();
  }
  /// Turns the loop until the pipeline gives up.
  std::optional<wire::Error> failure() {
    try {
      (void)loop_.wait(30s, 0, [] { return false; });
    } catch (const wire::Error& error) {
      return error;
    }
    return std::nullopt;
  }

  process::EventLoop loop_;
  TemporaryFolder logs_;
  RestartableServer server_;
  wire::SystemClock clock_;
  consumer::BusyMeter meter_{clock_};
  std::uint32_t give_up_ms_ = 20'000;
  std::function<void(proto::ConsumerSetup&)> adapt_;
  std::unique_ptr<consumer::Pipeline> pipeline_;
};

TEST_F(PipelineOnAServer, RestartedServerIsReadOnFromWhereTheSlotStands) {
  start();
  insert_rows(1, 100);
  turn_until([&] { return stats().acknowledged().inserts() == 100; });
  server_.stop(SIGQUIT);
  turn_until([&] { return stats().offline_us() > 300'000; });
  EXPECT_EQ(stats().outages_size(), 1) << "told of while it goes on";
  server_.start();
  server_.wait_until_ready();
  insert_rows(101, 150);
  turn_until([&] { return stats().acknowledged().inserts() == 150; });
  EXPECT_EQ(stats().received().inserts(), 150U);
  EXPECT_EQ(stats().reconnects(), 1U);
  EXPECT_THAT(stats().outages(0), HasSubstr("reconnected after"));
}

TEST_F(PipelineOnAServer, WhatIsOnItsWayToClickhouseCountsAsBufferedAndStopsTheReader) {
  ScriptedClickhouse clickhouse;
  clickhouse.will(std::vector<Reply>(4, Reply{.how = Reply::How::hold}));
  adapt_ = [&](proto::ConsumerSetup& consumer) {
    consumer.mutable_clickhouse()->set_url(clickhouse.url());
    consumer.mutable_clickhouse()->set_table("task_runs");
    consumer.set_sink_give_up_ms(20'000);
  };
  start();
  sql("INSERT INTO \"TaskRun\" SELECT i || repeat('x', 1000), i FROM generate_series(1, 500) i");
  turn_until([&] { return clickhouse.requests().size() == 4 && stats().received().inserts() >= 50; });
  std::uint64_t bodies = 0;
  for (const SeenRequest& request : clickhouse.requests()) bodies += request.body.size();
  // The blocks of four flights and of one batch that waits, and the bodies of the four.
  EXPECT_GE(stats().buffered_bytes(), 2 * bodies);
  EXPECT_LT(stats().received().inserts(), 100U) << "reads on while nothing lands";
  clickhouse.release();
  turn_until([&] { return stats().acknowledged().inserts() == 500; });
  EXPECT_EQ(stats().buffered_bytes(), 0U);
  EXPECT_EQ(stats().errors(), 0U);
}

TEST_F(PipelineOnAServer, ServerThatStaysAwayIsGivenUpWithAllThatWasTried) {
  give_up_ms_ = 700;
  start();
  server_.stop(SIGINT);
  const auto error = failure();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind(), wire::ErrorKind::unavailable);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("within 0.7 s"), HasSubstr("database.giveUpSec"),
                                   HasSubstr("attempts"), HasSubstr(".s.PGSQL.5432")));
}

TEST_F(PipelineOnAServer, LoginRefusedAfterALossIsFinal) {
  start();
  sql("ALTER ROLE walstorm NOLOGIN; SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
  const auto lost = std::chrono::steady_clock::now();
  const auto error = failure();
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->what(), AllOf(HasSubstr("is not permitted to log in"), HasSubstr("pg_hba.conf")));
  EXPECT_LT(std::chrono::steady_clock::now() - lost, std::chrono::milliseconds(give_up_ms_))
      << "not tried again";
}

TEST_F(PipelineOnAServer, SlotHeldByAnotherClientSaysWhoAndHowToFreeIt) {
  process::EventLoop other_loop;
  const auto other = other_reader(other_loop);
  const int holder = walsender();
  try {
    start();
    FAIL() << "read from a slot that another client reads";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("process " + std::to_string(holder)),
                                    HasSubstr("user walstorm"), HasSubstr("application somebody"),
                                    HasSubstr("pg_terminate_backend(" + std::to_string(holder) + ")")));
  }
}

TEST_F(PipelineOnAServer, SlotTakenWhileAwayIsWaitedForAndThenGivenUp) {
  give_up_ms_ = 700;
  start();
  sql("SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots");
  process::EventLoop other_loop;  // ours stands still until the other client has the slot
  const auto other = other_reader(other_loop);
  const auto error = failure();
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->what(), AllOf(HasSubstr("in use by the server's process"), HasSubstr("somebody")));
}

TEST_F(PipelineOnAServer, SlotMovedByAnotherClientWhileAwayIsADataError) {
  start();
  sql("SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots");
  insert_rows(1, 10);
  sql("SELECT pg_replication_slot_advance('slot', pg_current_wal_lsn())");
  const auto error = failure();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind(), wire::ErrorKind::data);
  EXPECT_THAT(error->what(), HasSubstr("was moved to"));
}

TEST_F(PipelineOnAServer, OwnFormerWalsenderThatNoticedNothingIsEnded) {
  TemporaryFolder proxied;
  LossyProxy proxy(proxied.path(), server_.socket_folder());
  start("host=" + proxied.path().string() + " user=walstorm dbname=postgres application_name=consumer");
  insert_rows(1, 20);
  turn_until([&] { return stats().acknowledged().inserts() == 20; });
  const int former = walsender();
  proxy.lose();
  insert_rows(21, 40);
  EXPECT_EQ(walsender(), former) << "the server takes the connection for alive";
  turn_until([&] { return stats().acknowledged().inserts() == 40; });
  EXPECT_NE(walsender(), former);
  EXPECT_EQ(stats().received().inserts(), 40U);
  EXPECT_EQ(stats().reconnects(), 1U);
}

}  // namespace
}  // namespace walstorm::tests
