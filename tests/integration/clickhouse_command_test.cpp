// walstorm check and walstorm clean, against a real ClickHouse.

#include <algorithm>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

#include <nlohmann/json.hpp>

#include "orchestrator/clickhouse/clickhouse_target.h"
#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/clickhouse/session.h"
#include "proto/clickhouse/address.h"
#include "tests/support/clickhouse.h"
#include "tests/support/scripted_clickhouse.h"
#include "tests/support/walstorm_run.h"

namespace walstorm::tests {
namespace {

using clickhouse::Rows;
using nlohmann::json;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class OnAClickhouse : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_CLICKHOUSE();
    server_ = std::make_unique<clickhouse::PrivateServer>(loop_, logs_.path() / "clickhouse.log");
  }

  [[nodiscard]] std::string url() const { return clickhouse::to_url(server_->address()); }
  [[nodiscard]] json config(const json& changes = json::object()) const {
    json config = {{"name", "test"},
                   {"phases", {{{"name", "p"}, {"durationSec", 1}}}},
                   {"database", {{"url", "private"}}},
                   {"clickhouse", {{"url", url()}}}};
    config.merge_patch(changes);
    return config;
  }
  /// What the command prints; its exit code is `code`.
  [[nodiscard]] static std::string output_of(const json& config, const std::string& command, int code,
                                             std::vector<std::string> arguments = {}) {
    WalstormRun run(config, std::move(arguments), WALSTORM_BINARY, command);
    EXPECT_EQ(run.finish().code, code);
    EXPECT_THAT(run.survivors(), IsEmpty());
    EXPECT_THAT(run.private_folders(), IsEmpty());
    return run.output();
  }
  Rows ask(const std::string& sql) {
    clickhouse::Session session(loop_, server_->address(), "test");
    return session.ask("ask", {.sql = sql}, seconds(20), 0);
  }
  void execute(const std::string& sql) {
    clickhouse::Session session(loop_, server_->address(), "test");
    session.execute("execute", {.sql = sql}, seconds(20), 0);
  }
  /// What a run leaves in database "walstorm", of two runs.
  void leave_rows() {
    for (int run = 0; run < 2; ++run) {
      config::Config config;
      config.name = "left";
      config.clickhouse.url = url();
      config.clickhouse.database = "walstorm";
      std::vector<std::string> notes;
      clickhouse::ClickhouseTarget table(loop_, config, logs_.path());
      table.prepare(notes);
      proto::ConsumerSetup setup;
      table.describe(setup);
      for (const char* id : {"a", "b"}) {
        execute("INSERT INTO walstorm.task_runs (id, _run_id) SELECT '" + std::string(id) + "', " +
                std::to_string(setup.run_number()));
      }
    }
  }
  Rows databases() {
    return ask("SELECT name FROM system.databases WHERE lower(name) != 'information_schema' ORDER BY name");
  }

  process::EventLoop loop_;
  TemporaryFolder logs_;
  std::unique_ptr<clickhouse::PrivateServer> server_;
};

TEST_F(OnAClickhouse, CheckSaysThatARunCanStartAndLeavesAllAsItWas) {
  const std::string text = output_of(config(), "check", 0);
  EXPECT_THAT(text, AllOf(HasSubstr("ClickHouse at http://127.0.0.1"), HasSubstr("version"),
                          HasSubstr("\"walstorm\" will be created"), HasSubstr("rights"),
                          HasSubstr("ready: a run can start")));
  EXPECT_THAT(text, Not(HasSubstr(server_->address().password)));
  EXPECT_EQ(databases(), (Rows{{"default"}, {"system"}}));
}

TEST_F(OnAClickhouse, CheckKeepsWhatEarlierRunsLeft) {
  leave_rows();
  EXPECT_THAT(output_of(config(), "check", 0),
              HasSubstr("\"walstorm\" is there; rows of earlier runs stay in it"));
  EXPECT_EQ(ask("SELECT name FROM system.tables WHERE database = 'walstorm' ORDER BY name"),
            (Rows{{"heartbeats"}, {"migrations"}, {"runs"}, {"task_runs"}}));
  EXPECT_EQ(ask("SELECT count() FROM walstorm.task_runs"), (Rows{{"4"}}));
}

TEST_F(OnAClickhouse, CheckShowsWhatIsInTheWay) {
  leave_rows();
  execute("DROP TABLE walstorm.task_runs");
  execute("CREATE TABLE walstorm.task_runs (id String) ENGINE = Memory");
  EXPECT_THAT(output_of(config(), "check", 3),
              AllOf(HasSubstr("PROBLEM  database"), HasSubstr("status is missing")));
  json wrong = config();
  clickhouse::Address address = server_->address();
  address.password = "hunter2";
  wrong["clickhouse"]["url"] = clickhouse::to_url(address);
  EXPECT_THAT(output_of(wrong, "check", 3),
              AllOf(HasSubstr("PROBLEM  connection"), HasSubstr("user and password in clickhouse.url"),
                    Not(HasSubstr("hunter2"))));
  if (ask("SELECT version()")[0][0]->substr(0, 3) != "18.") return;
  EXPECT_THAT(output_of(config({{"consumer", {{"insertFormat", "jsonCompactEachRow"}}}}), "check", 3),
              HasSubstr("jsonCompactEachRow needs ClickHouse 20.1; this is 18.16.1"));
}

/// A ClickHouse that answers `check` up to the table that it makes to try its rights, and to that as `last`.
class OnAScriptedClickhouse : public testing::Test {
 protected:
  /// With the database not there. Of what is asked before, only the version has to say something.
  void answer_until(const std::string& statement, Reply last) {
    constexpr std::size_t kLookedAtBefore = 4;  // version, features, the database, and again for the rights
    std::vector<Reply> replies(kLookedAtBefore);
    replies[0].body = "18.16.1\n";
    if (statement.starts_with("CREATE TABLE")) replies.emplace_back();
    replies.push_back(std::move(last));
    server_.will(std::move(replies));
  }
  [[nodiscard]] json config() const {
    return {{"name", "test"},
            {"phases", {{{"name", "p"}, {"durationSec", 1}}}},
            {"database", {{"url", "private"}}},
            {"clickhouse", {{"url", server_.url()}}}};
  }
  /// Whether a statement that begins with `beginning` has come.
  [[nodiscard]] bool was_asked(const std::string& beginning) const {
    const auto requests = server_.requests();
    return std::any_of(requests.begin(), requests.end(),
                       [&](const auto& request) { return request.body.starts_with(beginning); });
  }

  ScriptedClickhouse server_;
};

TEST_F(OnAScriptedClickhouse, CheckThatIsInterruptedDropsWhatItMade) {
  answer_until("CREATE TABLE", {.how = Reply::How::hold});
  WalstormRun run(config(), {}, WALSTORM_BINARY, "check");
  run.wait_until([&] { return was_asked("CREATE TABLE"); });
  run.send_signal(SIGINT);
  EXPECT_EQ(run.finish().code, 130) << run.output();
  EXPECT_TRUE(was_asked("DROP TABLE IF EXISTS `walstorm`.walstorm_check_"));
  EXPECT_TRUE(was_asked("DROP DATABASE IF EXISTS `walstorm`"));
}

TEST_F(OnAScriptedClickhouse, CheckDropsADatabaseWhoseMakingWasNotAnswered) {
  answer_until("CREATE DATABASE", {.how = Reply::How::gibberish});
  WalstormRun run(config(), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(run.finish().code, 3) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("create the database"));
  EXPECT_TRUE(was_asked("DROP DATABASE IF EXISTS `walstorm`"));
  EXPECT_FALSE(was_asked("DROP TABLE"));
}

TEST_F(OnAScriptedClickhouse, APageInItsPlaceIsNamedByEveryCommand) {
  for (const char* command : {"check", "run", "clean"}) {
    server_.will(std::vector<Reply>(5, Reply{.body = "<html>Log in</html>", .clickhouse = false}));
    WalstormRun run(config(), {}, WALSTORM_BINARY, command);
    EXPECT_EQ(run.finish().code, 3) << command << run.output();
    EXPECT_THAT(run.output(), AllOf(HasSubstr("not as ClickHouse does"), HasSubstr("<html>Log in</html>")))
        << command;
  }
}

TEST_F(OnAScriptedClickhouse, AServerThatWakesUpIsWaitedFor) {
  const Reply asleep{.status = 503, .body = "waking up", .clickhouse = false};
  server_.will({asleep, asleep, {.body = "18.16.1\n"}, {.how = Reply::How::gibberish}});
  WalstormRun run(config(), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(run.finish().code, 3) << run.output();
  EXPECT_THAT(run.output(), AllOf(HasSubstr("HTTP status 503; waiting up to 120 s for it to wake up"),
                                  HasSubstr("ask what it can do")))
      << "it goes on once the server has woken up";
}

TEST_F(OnAClickhouse, CleanLeavesWhatALivingRunNeeds) {
  config::Config living;
  living.name = "living";
  living.clickhouse.url = url();
  living.clickhouse.database = "walstorm";
  std::vector<std::string> notes;
  auto table = std::make_unique<clickhouse::ClickhouseTarget>(loop_, living, logs_.path());
  table->prepare(notes);
  EXPECT_THAT(output_of(config(), "clean", 3), AllOf(HasSubstr("a run is using it: run 20"),
                                                     HasSubstr("\"living\" on "), HasSubstr("--force")));
  EXPECT_THAT(output_of(config(), "clean", 0, {"--dry-run"}), HasSubstr("found run 20"));
  EXPECT_EQ(ask("SELECT count() FROM walstorm.runs"), (Rows{{"1"}}));
  EXPECT_EQ(table->release(), std::vector<std::string>{});
  EXPECT_THAT(output_of(config(), "clean", 0), HasSubstr("removed ClickHouse database \"walstorm\""));
}

TEST_F(OnAClickhouse, CleanDropsWhatALivingRunNeedsWhenForced) {
  leave_rows();
  execute("INSERT INTO walstorm.heartbeats SELECT 1, 1, now(), 0");
  EXPECT_THAT(output_of(config(), "clean", 3), HasSubstr("a run is using it"));
  EXPECT_THAT(output_of(config(), "clean", 0, {"--force"}), HasSubstr("removed ClickHouse database"));
}

TEST_F(OnAClickhouse, ARunThatIsLongSilentIsNoLivingOne) {
  leave_rows();
  execute("INSERT INTO walstorm.heartbeats SELECT 1, 1, now() - 3600, 0");
  EXPECT_THAT(output_of(config(), "clean", 0), HasSubstr("removed ClickHouse database"));
}

TEST_F(OnAClickhouse, CheckStartsAPrivateServerAndRemovesIt) {
  EXPECT_THAT(
      output_of(config({{"clickhouse", {{"url", "private"}}}}), "check", 0),
      AllOf(HasSubstr("ClickHouse, private"), HasSubstr("starts"), HasSubstr("ready: a run can start")));
}

TEST_F(OnAClickhouse, CheckAsksForASinkWhereNoneIsNamed) {
  EXPECT_THAT(output_of(config({{"clickhouse", {{"url", nullptr}}}}), "check", 3),
              AllOf(HasSubstr("PROBLEM  ClickHouse"), HasSubstr("--private-clickhouse")));
}

TEST_F(OnAClickhouse, CleanListsAndThenDropsWhatRunsLeft) {
  leave_rows();
  const std::string listed = output_of(config(), "clean", 0, {"--dry-run"});
  EXPECT_THAT(listed, AllOf(HasSubstr("found ClickHouse table \"walstorm\".task_runs with 4 rows of 2 runs"),
                            HasSubstr("found ClickHouse table \"walstorm\".runs"),
                            HasSubstr("found ClickHouse database \"walstorm\"")));
  EXPECT_EQ(ask("SELECT count() FROM walstorm.task_runs"), (Rows{{"4"}}));
  EXPECT_THAT(output_of(config(), "clean", 0), HasSubstr("removed ClickHouse database \"walstorm\""));
  EXPECT_EQ(databases(), (Rows{{"default"}, {"system"}}));
  EXPECT_THAT(output_of(config(), "clean", 0), HasSubstr("nothing left by earlier runs"));
}

TEST_F(OnAClickhouse, ADatabaseWithSomebodyElsesRunsIsRefusedAndCleanLeavesIt) {
  execute("CREATE DATABASE walstorm");
  execute("CREATE TABLE walstorm.runs (theirs String) ENGINE = Memory");
  const auto refused = HasSubstr("has a table \"runs\" that is not walstorm's");
  EXPECT_THAT(output_of(config(), "check", 3), AllOf(HasSubstr("PROBLEM  database"), refused));
  EXPECT_THAT(output_of(config(), "run", 3), refused);
  EXPECT_THAT(output_of(config(), "clean", 0), HasSubstr("nothing left by earlier runs"));
  EXPECT_EQ(ask("SELECT name FROM system.tables WHERE database = 'walstorm'"), (Rows{{"runs"}}));
}

TEST_F(OnAClickhouse, CleanLeavesWhatIsNotWalstorms) {
  leave_rows();
  execute("CREATE TABLE walstorm.theirs (x UInt8) ENGINE = Memory");
  execute("CREATE DATABASE other");
  execute("CREATE TABLE other.task_runs (x UInt8) ENGINE = Memory");
  EXPECT_THAT(output_of(config(), "clean", 0), Not(HasSubstr("database")));
  EXPECT_EQ(ask("SELECT name FROM system.tables WHERE database = 'walstorm'"), (Rows{{"theirs"}}));
  EXPECT_THAT(output_of(config({{"clickhouse", {{"database", "other"}}}}), "clean", 0),
              HasSubstr("nothing left by earlier runs"));
  EXPECT_EQ(ask("SELECT name FROM system.tables WHERE database = 'other'"), (Rows{{"task_runs"}}));
}

}  // namespace
}  // namespace walstorm::tests
