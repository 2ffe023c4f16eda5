// How a run leaves the user's PostgreSQL when its session was lost or hangs.

#include "orchestrator/postgres/prepared_database.h"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "orchestrator/postgres/query.h"
#include "tests/support/run_fixture.h"

namespace walstorm::postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReleasedDatabase : public tests::OnAServer {
 protected:
  ReleasedDatabase() {
    config_.database.url = url_of(server_);
    config_.database.profiling_database = "walstorm_profiling";
    config_.database.keep = true;
    config_.database.give_up_sec = 1;
    config_.consumer.slot_name = "walstorm_slot";
    config_.consumer.publication_name = "walstorm_publication";
    std::vector<std::string> notes;
    database_ = std::make_unique<PreparedDatabase>(loop_, config_, logs_.path(), notes);
  }

  [[nodiscard]] std::string conninfo() const { return database_->conninfo("test"); }
  int count(const std::string& what) { return one("SELECT count(*) FROM " + what)[0].as<int>(); }
  /// Ends the session that holds the run's lock.
  void lose_the_session() {
    const auto ended =
        one("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'");
    ASSERT_TRUE(ended[0].as<bool>());
  }
  int holders() { return count("pg_locks WHERE locktype = 'advisory'"); }

  config::Config config_;
  std::unique_ptr<PreparedDatabase> database_;
};

TEST_F(ReleasedDatabase, HasNoSlotAlsoWhenItsSessionWasLost) {
  lose_the_session();
  EXPECT_THAT(database_->release(), IsEmpty());
  expect_no_slot();
}

TEST_F(ReleasedDatabase, KeepsTheSlotWhenAnotherRunHasTakenItMeanwhile) {
  lose_the_session();
  pqxx::connection other(conninfo());
  lock_database(other);
  EXPECT_THAT(
      database_->release(),
      ElementsAre(HasSubstr("the replication slot \"walstorm_slot\" as they are: this run had lost the "
                            "database, and another walstorm run is using it")));
  EXPECT_EQ(count("pg_replication_slots"), 1);
  EXPECT_EQ(holders(), 1) << "the other run's session was ended";
}

TEST_F(ReleasedDatabase, HasNoSlotAlsoWhenItsSessionHangsInAStatement) {
  pqxx::connection other(conninfo());
  pqxx::work lock(other);
  lock.exec("LOCK TABLE \"TaskRun\"");
  boost::asio::steady_timer tick(loop_.io());
  std::function<void()> interrupt_once_it_hangs = [&] {
    tick.expires_after(std::chrono::milliseconds(20));
    tick.async_wait([&](const boost::system::error_code& error) {
      if (error) return;
      if (count("pg_stat_activity WHERE wait_event_type = 'Lock'") == 0) return interrupt_once_it_hangs();
      ::raise(SIGINT);
    });
  };
  interrupt_once_it_hangs();
  EXPECT_THROW((void)database_->tally_rows(1000, 0), process::Interrupted);
  EXPECT_THAT(database_->release(), IsEmpty());
  expect_no_slot();
}

}  // namespace
}  // namespace walstorm::postgres
