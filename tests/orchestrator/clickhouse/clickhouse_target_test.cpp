#include "orchestrator/clickhouse/clickhouse_target.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

#include "orchestrator/clickhouse/migrations.h"
#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/clickhouse/server_probe.h"
#include "orchestrator/clickhouse/session.h"
#include "proto/clickhouse/address.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"
#include "tests/support/clickhouse.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::clickhouse {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// The user's server: one private server for all tests of this file, a database for each.
class OnClickhouse : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (tests::has_clickhouse()) shared_ = new Shared;
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }
  void SetUp() override { SKIP_WITHOUT_CLICKHOUSE(); }

  struct Shared {
    process::EventLoop loop;
    tests::TemporaryFolder logs;
    PrivateServer server{loop, logs.path() / "clickhouse.log"};
  };

  /// A config of a run into a database of this test's own.
  [[nodiscard]] static config::Config config() {
    config::Config config;
    config.name = "the test's";
    config.clickhouse.url = to_url(shared_->server.address());
    config.clickhouse.database = testing::UnitTest::GetInstance()->current_test_info()->name();
    config.clickhouse.give_up_sec = 1;
    return config;
  }
  [[nodiscard]] static std::unique_ptr<ClickhouseTarget> prepared(const config::Config& config) {
    std::vector<std::string> notes;
    auto target = std::make_unique<ClickhouseTarget>(shared_->loop, config, shared_->logs.path());
    target->prepare(notes);
    return target;
  }
  /// What preparing says when it refuses.
  [[nodiscard]] static std::string refusal(const config::Config& config) {
    try {
      (void)prepared(config);
      return "was prepared";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable) << error.what();
      return error.what();
    }
  }
  static Rows ask(const std::string& sql) {
    Session session(shared_->loop, shared_->server.address(), "test");
    return session.ask("ask", {.sql = sql}, seconds(20), 0);
  }
  static void execute(const std::string& sql) {
    Session session(shared_->loop, shared_->server.address(), "test");
    session.execute("execute", {.sql = sql}, seconds(20), 0);
  }
  [[nodiscard]] static std::string database() { return config().clickhouse.database; }
  [[nodiscard]] static std::uint64_t run_number(const ClickhouseTarget& table) {
    return described(table).run_number();
  }
  [[nodiscard]] static proto::ConsumerSetup described(const ClickhouseTarget& table) {
    proto::ConsumerSetup setup;
    table.describe(setup);
    return setup;
  }
  static measure::PartsSample parts(ClickhouseTarget& table) {
    std::optional<measure::PartsSample> counts;
    bool answered = false;
    table.count_parts(
        [&](std::optional<measure::PartsSample> arrived) { counts = arrived, answered = true; });
    EXPECT_EQ(shared_->loop.wait(seconds(20), 0, [&] { return answered; }), process::Waited::done);
    EXPECT_TRUE(counts.has_value());
    return counts.value_or(measure::PartsSample{});
  }

  /// A row with `id`, of one version.
  struct Row {
    const char* id;
    std::uint64_t hash = 0;
    std::uint64_t version = 1;
    bool deleted = false;
  };
  static void insert(std::uint64_t run, const std::vector<Row>& rows) {
    std::string sql = fmt::format(
        "INSERT INTO {}.task_runs (id, created_at, row_hash, _version, _is_deleted, _run_id) VALUES ",
        quoted_name(database()));
    for (const Row& row : rows) {
      sql += fmt::format("({}, 1700000000000, {}, {}, {:d}, {}),", quoted_text(row.id), row.hash, row.version,
                         row.deleted, run);
    }
    sql.pop_back();
    execute(sql);
  }

  static Shared* shared_;
};

OnClickhouse::Shared* OnClickhouse::shared_ = nullptr;

TEST_F(OnClickhouse, IsPreparedAndDescribed) {
  const auto table = prepared(config());
  EXPECT_EQ(table->version(), ask("SELECT version()")[0][0]);
  const proto::ConsumerSetup setup = described(*table);
  EXPECT_EQ(setup.clickhouse().table(), "`IsPreparedAndDescribed`.`task_runs`");
  EXPECT_EQ(parse_address(setup.clickhouse().url(), "url").password, shared_->server.address().password);
  EXPECT_EQ(setup.insert_format(), proto::INSERT_FORMAT_NATIVE);
  const bool has_datetime64 =
      !ask("SELECT 1 FROM system.data_type_families WHERE name = 'DateTime64'").empty();
  EXPECT_EQ(setup.times_as_int64(), !has_datetime64);
  EXPECT_EQ(fmt::to_string(setup.run_number()).size(), 17U);
  EXPECT_EQ(ask("SELECT run_id, name, tool_version != '', host != '' FROM IsPreparedAndDescribed.runs"),
            (Rows{{fmt::to_string(setup.run_number()), "the test's", "1", "1"}}));
  EXPECT_EQ(table->process(), std::nullopt);
  EXPECT_EQ(table->server_failure(), "");
}

TEST_F(OnClickhouse, ADatabaseThatTheUrlNamesNeedNotBeThere) {
  config::Config config = this->config();
  Address address = shared_->server.address();
  address.database = config.clickhouse.database;
  config.clickhouse.url = to_url(address);
  EXPECT_NO_THROW((void)prepared(config));
}

TEST_F(OnClickhouse, CountsThisRunsLiveRowsAlone) {
  const auto table = prepared(config());
  EXPECT_EQ(table->tally_rows(1000, 0).value(), wire::RowTally{});
  const std::uint64_t run = run_number(*table);
  insert(run, {{"a", 1}, {"b", 2}, {"c", 0xFFFF'FFFF'FFFF'FFFF}});
  insert(run, {{"b", 20, 2}, {"c", 0xFFFF'FFFF'FFFF'FFFF}, {"d", 0x8000'0000'0000'0000}, {"e", 5}});
  insert(run, {{"e", 5, 2, true}, {"f", 7}});
  insert(run - 1, {{"a", 100, 9}, {"z", 200}});
  wire::RowTally expected;
  for (const std::uint64_t hash :
       {std::uint64_t{1}, std::uint64_t{20}, 0xFFFF'FFFF'FFFF'FFFF, 0x8000'0000'0000'0000, std::uint64_t{7}})
    expected.add(hash);
  EXPECT_EQ(table->tally_rows(1000, 0).value(), expected);
}

TEST_F(OnClickhouse, ReadsRowsAsText) {
  const auto table = prepared(config());
  const bool as_int64 = described(*table).times_as_int64();
  const auto time = [&](const char* ms) {
    return as_int64 ? std::string(ms) : fmt::format("fromUnixTimestamp64Milli(toInt64({}))", ms);
  };
  execute(
      fmt::format("INSERT INTO {}.task_runs SELECT 'r1', 'f', 't', 'DONE', 'o', 'p', 'e', 'q', "
                  "'tab\\t\\'\\\\ line\\n', 'j', NULL, "
                  "'NULL', ['aé', '', '3:x'], 'tr', 's', NULL, -7, 1, -9223372036854775808, -0.1, 1e300, {}, "
                  "{}, NULL, {}, "
                  "toUInt64(18446744073709551615), 3, 0, {}",
                  quoted_name(database()), time("1700000000123"), time("1700000000999"),
                  time("1600000000001"), run_number(*table)));
  insert(run_number(*table), {{"r2"}, {"gone", 0, 1, true}});
  const auto rows = table->read_rows({"r1", "gone", "it's not there"}, 0).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows.at("r1"),
              ElementsAre("r1", "f", "t", "DONE", "o", "p", "e", "q", "tab\t'\\ line\n", "j", std::nullopt,
                          "NULL", "3:aé0:3:3:x", "tr", "s", std::nullopt, "-7", "1", "-9223372036854775808",
                          "-4631501856787818086", "9094988921128908188", "1700000000123", "1700000000999",
                          std::nullopt, "1600000000001", "-1"));
  const auto plain = table->read_rows({"r2"}, 0).value();
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_EQ(plain.at("r2")[wire::task_run_column("costInCents")], "0");
  EXPECT_EQ(plain.at("r2")[wire::task_run_column("tags")], "");
}

TEST_F(OnClickhouse, ReadsTheSameWhateverTheUsersSettings) {
  config::Config config = this->config();
  Address address = shared_->server.address();
  address.settings = {{"extremes", "1"},
                      {"max_result_rows", "1"},
                      {"result_overflow_mode", "break"},
                      {"empty_result_for_aggregation_by_empty_set", "1"},
                      {"join_use_nulls", "1"}};
  config.clickhouse.url = to_url(address);
  const auto table = prepared(config);
  EXPECT_EQ(table->tally_rows(1000, 0).value(), wire::RowTally{});
  insert(run_number(*table), {{"a", 1}, {"b", 2}, {"c", 3}});
  EXPECT_EQ(table->tally_rows(1000, 0).value().rows, 3U);
  EXPECT_EQ(table->read_rows({"a", "b", "c"}, 0).value().size(), 3U);
}

TEST_F(OnClickhouse, ReadsManyRowsInSeveralStatements) {
  const auto table = prepared(config());
  std::vector<Row> rows;
  std::vector<std::string> ids;
  ids.reserve(5000);
  rows.reserve(5000);
  for (int i = 0; i < 5000; ++i) ids.push_back(fmt::format("an id of some length {}", i));
  for (const std::string& id : ids) rows.push_back({id.c_str()});
  insert(run_number(*table), rows);
  EXPECT_EQ(table->read_rows(ids, 0).value().size(), ids.size());
}

TEST_F(OnClickhouse, CountsThePartsThatItsInsertsMake) {
  const auto earlier = prepared(config());
  insert(run_number(*earlier), {{"a"}});
  insert(run_number(*earlier), {{"b"}});
  const auto table = prepared(config());
  EXPECT_EQ(parts(*table).created, 0U);
  EXPECT_EQ(parts(*table).active, 0U);
  for (const char* id : {"a", "b", "c"}) insert(run_number(*table), {{id}});
  EXPECT_EQ(parts(*table).created, 3U);
  EXPECT_GE(parts(*table).active, 1U);
  execute(fmt::format("OPTIMIZE TABLE {}.task_runs FINAL", quoted_name(database())));
  EXPECT_EQ(parts(*table).created, 3U);
  EXPECT_EQ(parts(*table).active, 1U);
}

TEST_F(OnClickhouse, TwoRunsOneAfterTheOtherKeepTheirRowsApart) {
  const auto first = prepared(config());
  insert(run_number(*first), {{"a", 1}});
  const auto second = prepared(config());
  EXPECT_NE(run_number(*first), run_number(*second));
  insert(run_number(*second), {{"a", 2, 9}});
  EXPECT_EQ(first->tally_rows(1000, 0).value().hash_xor, 1U);
  EXPECT_EQ(second->tally_rows(1000, 0).value().hash_xor, 2U);
}

TEST_F(OnClickhouse, SeveralRunsPrepareItAtOnce) {
  constexpr int kRuns = 4;
  const config::Config config = this->config();
  std::vector<pid_t> runs;
  for (int i = 0; i < kRuns; ++i) {
    const pid_t run = ::fork();
    if (run == 0) {
      int code = 0;
      try {
        process::EventLoop loop;
        std::vector<std::string> notes;
        ClickhouseTarget(loop, config, shared_->logs.path()).prepare(notes);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        code = 1;
      }
      ::_exit(code);
    }
    runs.push_back(run);
  }
  for (const pid_t run : runs) {
    int status = -1;
    ::waitpid(run, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const std::string name = quoted_name(database());
  EXPECT_EQ(ask(fmt::format("SELECT uniqExact(run_id), count() >= {} FROM {}.runs", kRuns, name))[0][1], "1");
  EXPECT_EQ(ask(fmt::format("SELECT DISTINCT number FROM {}.migrations ORDER BY number", name)),
            (Rows{{"1"}, {"2"}, {"3"}}));
}

TEST_F(OnClickhouse, ANewerWalstormsDatabaseIsLeftAlone) {
  (void)prepared(config());
  execute(fmt::format("INSERT INTO {}.migrations VALUES (99, 'later', 'x', now())", quoted_name(database())));
  EXPECT_THAT(refusal(config()), HasSubstr("is a newer walstorm's: its migration 99 (later)"));
}

TEST_F(OnClickhouse, AnotherHistoryIsRefused) {
  (void)prepared(config());
  Session session(shared_->loop, shared_->server.address(), "test");
  std::vector<Migration> changed = embedded_migrations();
  changed[1].checksum = "another";
  try {
    migrate(session, ask_features(session), database(), changed);
    ADD_FAILURE() << "was taken";
  } catch (const wire::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("migration 2 (runs) was another one"));
  }
}

TEST_F(OnClickhouse, AnOlderDatabaseIsBroughtUpToDate) {
  (void)prepared(config());
  Session session(shared_->loop, shared_->server.address(), "test");
  std::vector<Migration> newer = embedded_migrations();
  newer.push_back({4, "more", "cc", "CREATE TABLE {database}.more (x UInt8) ENGINE = Memory"});
  migrate(session, ask_features(session), database(), newer);
  migrate(session, ask_features(session), database(), newer);
  EXPECT_EQ(ask(fmt::format("SELECT count() FROM {}.more", quoted_name(database()))), (Rows{{"0"}}));
  EXPECT_EQ(applied_migrations(session, database()).size(), 4U);
}

TEST_F(OnClickhouse, ATableOfAnotherShapeIsRefusedByItsColumns) {
  (void)prepared(config());
  execute(fmt::format("DROP TABLE {}.task_runs", quoted_name(database())));
  execute(fmt::format("CREATE TABLE {}.task_runs (id String, status UInt8) ENGINE = Memory",
                      quoted_name(database())));
  EXPECT_THAT(refusal(config()),
              AllOf(HasSubstr("friendly_id is missing"), HasSubstr("status is UInt8, not String"),
                    HasSubstr("its engine is Memory"), HasSubstr("clickhouse.database")));
}

TEST_F(OnClickhouse, SomebodyElsesMigrationsAreNotTouched) {
  execute(fmt::format("CREATE DATABASE {}", quoted_name(database())));
  execute(fmt::format("CREATE TABLE {}.migrations (id String) ENGINE = Memory", quoted_name(database())));
  EXPECT_THAT(refusal(config()), HasSubstr("has a table \"migrations\" that is not walstorm's"));
  EXPECT_EQ(ask(fmt::format("SELECT count() FROM system.tables WHERE database = '{}'", database())),
            (Rows{{"1"}}));
}

TEST_F(OnClickhouse, SomebodyElsesTableByAWalstormNameIsRefusedBeforeAnythingIsMade) {
  execute(fmt::format("CREATE DATABASE {}", quoted_name(database())));
  execute(fmt::format("CREATE TABLE {}.runs (theirs String) ENGINE = Memory", quoted_name(database())));
  EXPECT_THAT(refusal(config()), AllOf(HasSubstr("has a table \"runs\" that is not walstorm's"),
                                       HasSubstr("clickhouse.database")));
  EXPECT_EQ(ask(fmt::format("SELECT name FROM system.tables WHERE database = '{}'", database())),
            (Rows{{"runs"}}));
}

TEST_F(OnClickhouse, AUserWhoMayOnlyReadIsToldWhatToDo) {
  // Also where the pinned settings are refused before any statement that writes.
  for (const char* profile : {"/?readonly=1", "/?readonly=2", "/?extremes=1&readonly=1"}) {
    config::Config config = this->config();
    config.clickhouse.url = to_url(shared_->server.address()) + profile;
    EXPECT_THAT(refusal(config),
                AllOf(HasSubstr("readonly mode"), HasSubstr("name one that may write, or "
                                                            "take the setting readonly out")))
        << profile;
  }
}

TEST_F(OnClickhouse, WhatTheServerCannotIsToldBeforeAnythingIsMade) {
  if (ask("SELECT version()")[0][0]->substr(0, 3) != "18.") GTEST_SKIP() << "this server can";
  config::Config config = this->config();
  config.consumer.insert_format = config::InsertFormat::json_compact_each_row;
  EXPECT_THAT(refusal(config), HasSubstr("jsonCompactEachRow needs ClickHouse 20.1; this is 18.16.1"));
  EXPECT_EQ(ask(fmt::format("SELECT count() FROM system.databases WHERE name = '{}'", database())),
            (Rows{{"0"}}));
}

TEST_F(OnClickhouse, AServerThatIsNotThereIsNamedWithoutItsPassword) {
  config::Config config = this->config();
  config.clickhouse.url = "http://load:hunter2@127.0.0.1:9";
  EXPECT_THAT(refusal(config),
              AllOf(HasSubstr("http://127.0.0.1:9 as \"load\""), testing::Not(HasSubstr("hunter2"))));
}

TEST_F(OnClickhouse, APrivateServerGoesWithTheTable) {
  config::Config config = this->config();
  config.clickhouse.url.reset();
  const auto table = prepared(config);
  ASSERT_TRUE(table->process());
  const auto pid = static_cast<pid_t>(table->process()->pid);
  EXPECT_EQ(table->tally_rows(1000, 0).value(), wire::RowTally{});
  table->count_parts([](std::optional<measure::PartsSample>) { ADD_FAILURE() << "answered after the end"; });
  EXPECT_TRUE(table->release().empty());
  EXPECT_TRUE(tests::is_gone(pid));
  EXPECT_EQ(table->process(), std::nullopt);
}

}  // namespace
}  // namespace walstorm::clickhouse
