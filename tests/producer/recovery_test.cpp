// One connection that loses its session, against a real server: whatever becomes of the session, the ledger
// must say what is in the table.

#include "producer/recovery.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "orchestrator/postgres/private_server.h"
#include "orchestrator/postgres/replication_setup.h"
#include "producer/postgres/copy_writer.h"
#include "producer/postgres/statement_writer.h"
#include "producer/write_loop.h"
#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::producer {
namespace {

using std::chrono::milliseconds;

class OneSession : public testing::Test {
 protected:
  static constexpr const char* kApplication = "walstorm-producer-test";

  OneSession() : server_(server_loop_, {}, logs_.path() / "postgres.log") {
    postgres::prepare_table(admin_, config::ReplicaIdentity::full, "walstorm_publication", "");
  }

  /// Makes the connection anew, and what writes by it.
  void open(bool by_copy, milliseconds give_up = milliseconds(20'000)) {
    ConnectOptions options{server_.address().conninfo("postgres", kApplication), {}, give_up};
    options.session_settings.emplace_back("work_mem", "5MB");
    connection_ =
        std::make_unique<PgConnection>(loop_, options, std::move(open_together(options, 1).front()));
    recovery_ = std::make_unique<Recovery>(loop_, *connection_, source_);
    if (by_copy) {
      writer_ = std::make_unique<CopyWriter>(*connection_, source_, 1000);
    } else {
      writer_ = std::make_unique<StatementWriter>(*connection_, source_, 1000, StatementForm::values);
    }
    loss_.reset();
    writes_ =
        std::make_unique<WriteLoop>(loop_, clock_, Ledger(source_.seed(), slot_++, {0.5, 0.2}, 1000),
                                    [this](const Batch& batch, const Loss& loss, Recovery::OnRecovered done) {
                                      loss_ = loss;
                                      recovery_->start(batch, loss, std::move(done));
                                    });
  }

  /// Writes `batches` of 10 records, and asks `meddle` every 5 ms until it says true.
  void write(std::uint64_t batches, std::function<bool()> meddle) {
    stats_ = {};
    loop_.restart();
    bool ended = false;
    const PhaseLoad load{TargetRate{1000, 1000}, 60'000'000, batches * 10, 10, std::nullopt};
    due_.start(Pacer(Schedule(load), 0, 1), clock_.steady_us());
    writes_->start(due_, *writer_, WriteLoop::Content::mixed, stats_, [&ended] { ended = true; });
    boost::asio::steady_timer beat(loop_);
    std::function<void()> tick = [&] {
      beat.expires_after(milliseconds(5));
      beat.async_wait([&](const boost::system::error_code&) {
        if (!ended && !meddle()) tick();
      });
    };
    tick();
    loop_.run_for(std::chrono::seconds(60));
    EXPECT_TRUE(ended) << "the batches were not written in time";
  }

  std::string ask(const std::string& sql) {
    const auto rows = pqxx::nontransaction(admin_).exec(sql);
    return rows.empty() || rows[0][0].is_null() ? "" : rows[0][0].as<std::string>();
  }

  static std::string of_the_writer(const std::string& what) {
    return "SELECT " + what + " FROM pg_stat_activity WHERE application_name = '" + kApplication + "'";
  }

  /// All connections' rows: this test's alone.
  void expect_the_ledger_to_be_true() {
    const wire::RowTally in_table = postgres::tally_rows(admin_);
    wire::RowTally expected = rows_before_;
    expected.merge(writes_->ledger().expected());
    EXPECT_EQ(in_table, expected);
  }

  process::EventLoop server_loop_;
  tests::TemporaryFolder logs_;
  postgres::PrivateServer server_;
  pqxx::connection admin_{server_.address().conninfo("postgres", "walstorm-test")};
  boost::asio::io_context loop_;
  wire::SystemClock clock_;
  DueBatches due_{loop_, clock_};
  RowSource source_{1, 100, 0.5};
  std::unique_ptr<PgConnection> connection_;
  std::unique_ptr<Recovery> recovery_;
  std::unique_ptr<RowWriter> writer_;
  std::unique_ptr<WriteLoop> writes_;
  std::optional<Loss> loss_;  // the last one
  PhaseStats stats_;
  std::uint32_t slot_ = 0;
  wire::RowTally rows_before_;
};

TEST_F(OneSession, TerminatedAgainAndAgainLosesNothing) {
  for (const bool by_copy : {false, true}) {
    open(by_copy);
    int ended = 0;
    std::uint64_t next = 1;
    write(300, [&] {
      // Only a session that is at work: one that still is being opened would be counted once for several.
      if (stats_.transactions >= next && ask(of_the_writer("pg_terminate_backend(pid)")) == "t") {
        next = stats_.transactions + 5;
        ++ended;
      }
      return ended >= 20;
    });
    EXPECT_EQ(ended, 20);
    EXPECT_EQ(stats_.reconnects, 20U);
    EXPECT_EQ(stats_.produced.records(), 3000U);
    EXPECT_EQ(stats_.records_failed, 0U);
    EXPECT_EQ(stats_.all_errors() + stats_.settled_committed, stats_.reconnects);
    expect_the_ledger_to_be_true();
    EXPECT_EQ(ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" +
                  std::string(kApplication) + "'"),
              "1");
    rows_before_.merge(writes_->ledger().expected());
  }
}

TEST_F(OneSession, FindsThatACommitWithoutAnAnswerIsInTheTable) {
  for (const bool by_copy : {false, true}) {
    open(by_copy);
    // A commit that waits for a standby that never comes has happened, and its client does not know.
    pqxx::nontransaction(admin_).exec("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    ask("SELECT pg_reload_conf()");
    write(20, [&] {
      if (ask(of_the_writer("wait_event")) != "SyncRep") return false;
      const bool ended = ask(of_the_writer("pg_terminate_backend(pid)")) == "t";
      pqxx::nontransaction(admin_).exec("ALTER SYSTEM RESET synchronous_standby_names");
      ask("SELECT pg_reload_conf()");
      return ended;
    });
    EXPECT_EQ(stats_.reconnects, 1U);
    EXPECT_TRUE(loss_ && loss_->commit_sent);
    EXPECT_EQ(stats_.settled_committed, 1U);
    EXPECT_EQ(stats_.all_errors(), 0U);
    EXPECT_EQ(stats_.produced.records(), 200U);
    expect_the_ledger_to_be_true();
    rows_before_.merge(writes_->ledger().expected());
  }
}

TEST_F(OneSession, FindsThatACommitWithoutAnAnswerWasRolledBack) {
  open(false);
  // A constraint that is checked by the COMMIT, and takes its time.
  pqxx::nontransaction(admin_).exec(
      "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN "
      "NULL; "
      "END'; CREATE CONSTRAINT TRIGGER lingers AFTER INSERT ON \"TaskRun\" DEFERRABLE INITIALLY DEFERRED FOR "
      "EACH "
      "ROW EXECUTE FUNCTION linger()");
  write(20, [&] {
    if (ask(of_the_writer("wait_event")) != "PgSleep") return false;
    // Disabled first, so that the batch goes through when it is written again; the writer holds a lock until
    // it is gone.
    EXPECT_EQ(ask(of_the_writer("pg_terminate_backend(pid)")), "t");
    pqxx::nontransaction(admin_).exec("DROP TRIGGER lingers ON \"TaskRun\"");
    return true;
  });
  EXPECT_TRUE(loss_ && loss_->commit_sent);
  EXPECT_EQ(stats_.settled_committed, 0U);
  EXPECT_GE(stats_.settled_rolled_back, 1U);
  EXPECT_EQ(stats_.all_errors(), stats_.settled_rolled_back);
  EXPECT_EQ(stats_.produced.records(), 200U);
  expect_the_ledger_to_be_true();
}

TEST_F(OneSession, OutlivesACrashOfTheServer) {
  open(false);
  bool killed = false;
  write(200, [&] {
    const pid_t backend = std::atoi(ask(of_the_writer("pid")).c_str());
    if (backend <= 1 || stats_.transactions < 20) return false;
    // PostgreSQL then ends all sessions and recovers from its WAL: "the database system is in recovery mode".
    killed = ::kill(backend, SIGKILL) == 0;
    return true;
  });
  ASSERT_TRUE(killed);
  EXPECT_GE(stats_.reconnects, 1U);
  EXPECT_EQ(stats_.produced.records(), 2000U);
  pqxx::connection after(server_.address().conninfo("postgres", "walstorm-test"));
  EXPECT_EQ(postgres::tally_rows(after), writes_->ledger().expected());
}

TEST_F(OneSession, MakesItsSettingsAgain) {
  open(false);
  EXPECT_EQ(ask(of_the_writer("pg_terminate_backend(pid)")), "t");
  std::string work_mem;
  std::function<void()> look = [&] {
    connection_->query("SELECT current_setting('work_mem') || current_setting('enable_seqscan')", {}, {},
                       [&](const Reply& reply) {
                         if (reply.lost) return connection_->reopen(look);
                         work_mem = reply.value.value_or("");
                       });
  };
  look();
  loop_.run_for(std::chrono::seconds(20));
  EXPECT_EQ(work_mem, "5MBoff");
  EXPECT_EQ(connection_->session(), 2U);
}

TEST_F(OneSession, WritesWhatWasCancelledAgain) {
  for (const bool by_copy : {false, true}) {
    open(by_copy);
    // A lock keeps a batch in its statements, the first of them or their preparing, until it is cancelled.
    auto holder = std::make_unique<pqxx::work>(admin_);
    holder->exec("LOCK TABLE \"TaskRun\" IN SHARE ROW EXCLUSIVE MODE");
    int cancelled = 0;
    write(50, [&] {
      const auto waits = holder->exec(
          "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE "
          "wait_event_type = 'Lock' AND application_name = '" +
          std::string(kApplication) + "'");
      if (!waits.empty()) ++cancelled;
      if (stats_.all_errors() < 3) return false;
      holder.reset();
      return true;
    });
    EXPECT_GE(cancelled, 3);
    EXPECT_GE(stats_.errors["57014"], 3U);
    EXPECT_EQ(stats_.reconnects, 0U) << "the session goes on";
    EXPECT_EQ(stats_.produced.records(), 500U);
    EXPECT_EQ(stats_.records_failed, 0U);
    expect_the_ledger_to_be_true();
    rows_before_.merge(writes_->ledger().expected());
  }
}

TEST_F(OneSession, PreloadsWithoutTheTimeLimitsThatTheLoadHas) {
  open(true);
  pqxx::nontransaction(admin_).exec(
      "CREATE TABLE told (limits text); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
      "INSERT INTO told VALUES (current_setting(''statement_timeout'') || '' '' || "
      "current_setting(''lock_timeout'')); RETURN NULL; END'; CREATE TRIGGER tells AFTER INSERT ON "
      "\"TaskRun\" "
      "FOR EACH STATEMENT EXECUTE FUNCTION tell()");
  const auto told = [this] {
    const std::string limits = ask("SELECT string_agg(DISTINCT limits, ', ') FROM told");
    ask("WITH gone AS (DELETE FROM told RETURNING 1) SELECT count(*) FROM gone");
    return limits;
  };
  bool set = false;
  connection_->query(
      "SELECT set_config('statement_timeout', '50s', false), set_config('lock_timeout', '40s', "
      "false)",
      {}, {}, [&set](const Reply& reply) { set = !reply.error && !reply.lost; });
  loop_.run();
  ASSERT_TRUE(set);
  write(3, [] { return true; });
  EXPECT_EQ(told(), "50s 40s");
  writer_ = std::make_unique<CopyWriter>(*connection_, source_, 1000, CopyWriter::TimeLimits::lifted);
  write(3, [] { return true; });
  EXPECT_EQ(told(), "0 0");
  writer_ = std::make_unique<CopyWriter>(*connection_, source_, 1000);
  write(3, [] { return true; });
  EXPECT_EQ(told(), "50s 40s") << "they are back for the load";
  expect_the_ledger_to_be_true();
}

TEST_F(OneSession, GivesUpAServerThatStaysAway) {
  open(false, milliseconds(300));
  server_.stop();
  try {
    write(10, [] { return true; });
    FAIL() << "a server that is gone was not missed";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_NE(std::string(error.what()).find("gave up after 0.3 s"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace walstorm::producer
