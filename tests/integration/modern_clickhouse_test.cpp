// The tests' own modern ClickHouse: that it is enough of a server, and leaves nothing behind.

#include "tests/support/modern_clickhouse.h"

#include <csignal>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "orchestrator/clickhouse/clickhouse_target.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"
#include "tests/support/clickhouse_query.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {
namespace {

using clickhouse::Answer;
using testing::HasSubstr;
using testing::StartsWith;

class OnAModernClickhouse : public testing::Test {
 protected:
  void SetUp() override {
    if (!ModernClickhouse::missing().empty()) GTEST_SKIP() << ModernClickhouse::missing();
    std::signal(SIGPIPE, SIG_IGN);
    server_ = std::make_unique<ModernClickhouse>(loop_, "Asia/Kolkata");
  }

  std::string ask(const std::string& sql) { return ask_clickhouse(loop_, server_->url(), sql); }
  Answer insert(const std::string& sql, std::string_view data, std::string_view encoding = "") {
    clickhouse::Statement statement;
    statement.sql = sql;
    statement.data = data;
    statement.encoding = encoding;
    return answer_of(loop_, server_->url(), std::move(statement));
  }

  process::EventLoop loop_;
  std::unique_ptr<ModernClickhouse> server_;
};

TEST_F(OnAModernClickhouse, TablesLastFromStatementToStatement) {
  ask("CREATE DATABASE kept");
  ask("CREATE TABLE kept.rows (id String, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id");
  using namespace std::string_literals;
  const std::string row = "\4\n\0\xff'"s + "\x85\xff\xff\xff\xff\xff\xff\xff"s;  // 123 ms before 1970
  EXPECT_TRUE(insert("INSERT INTO kept.rows (id, at) FORMAT RowBinary", row).ok());
  EXPECT_EQ(ask("SELECT hex(id), at FROM kept.rows"), "0A00FF27\t1969-12-31 23:59:59.877");
  EXPECT_EQ(ask("SELECT timezone()"), "Asia/Kolkata");
  EXPECT_THAT(ask("SELECT version()"), StartsWith("26."));
}

TEST_F(OnAModernClickhouse, BinaryResultsAreWhatTheyAre) {
  const std::string bytes = ask("SELECT unhex('0080FF0A0D') FORMAT RowBinary");
  EXPECT_EQ(bytes, std::string("\5\0\x80\xff\n\r", 6));
}

TEST_F(OnAModernClickhouse, SettingsHoldForTheirStatementAlone) {
  clickhouse::Statement statement;
  statement.sql = "SELECT getSetting('max_threads')";
  statement.settings = {{"max_threads", "7"}};
  EXPECT_EQ(answer_of(loop_, server_->url(), statement).text, "7\n");
  EXPECT_NE(ask("SELECT getSetting('max_threads')"), "7");
  statement.settings = {{"no_such_setting", "7"}};
  EXPECT_EQ(answer_of(loop_, server_->url(), statement).code, 115);
}

TEST_F(OnAModernClickhouse, RefusalsHaveClickHousesCodes) {
  Answer answer = insert("INSERT INTO nowhere (id) FORMAT RowBinary", "\1a");
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 60);
  EXPECT_EQ(answer.http_status, 404);
  EXPECT_THAT(answer.text, HasSubstr("DB::Exception: "));
  ask("CREATE TABLE rows (id String) ENGINE = MergeTree ORDER BY id");
  answer = insert("INSERT INTO rows (id) FORMAT RowBinary", "\7short");
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 33);
  answer = insert("INSERT INTO rows (id) FORMAT RowBinary", "\x1f" + std::string(31, 'a'), "lz4");
  EXPECT_EQ(answer.kind, Answer::Kind::refused) << "was not compressed";
  EXPECT_EQ(ask("SELECT count() FROM rows"), "0");
}

TEST_F(OnAModernClickhouse, ATableIsMadeAndReadTheSameWhateverTheUsersSettings) {
  config::Config config;
  config.name = "strange";
  config.clickhouse.url = server_->url() +
                          "/?limit=1&offset=1&extremes=1&max_result_rows=1&result_overflow_mode=break&"
                          "data_type_default_nullable=1&format_tsv_null_representation=NIL&"
                          "output_format_tsv_crlf_end_of_line=1&aggregate_functions_null_for_empty=1&"
                          "union_default_mode=DISTINCT&final=1&"
                          "additional_table_filters=%7B%27strange.task_runs%27:%270%27%7D";
  config.clickhouse.database = "strange";
  const TemporaryFolder logs;
  std::vector<std::string> notes;
  clickhouse::ClickhouseTarget table(loop_, config, logs.path());
  table.prepare(notes);
  EXPECT_EQ(table.tally_rows(1000, 0).value(), wire::RowTally{});
  proto::ConsumerSetup setup;
  table.describe(setup);
  for (const char* id : {"a", "b", "c"}) {
    ask(fmt::format("INSERT INTO strange.task_runs (id, row_hash, _run_id) SELECT '{}', 1, {}", id,
                    setup.run_number()));
  }
  EXPECT_EQ(table.tally_rows(1000, 0).value().rows, 3U);
  const auto rows = table.read_rows({"a", "b", "c"}, 0).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows.at("a")[wire::task_run_column("output")], std::nullopt);
  EXPECT_EQ(ask("SELECT type FROM system.columns WHERE database = 'strange' AND table = 'task_runs' AND name "
                "= 'id'"),
            "String");
}

TEST_F(OnAModernClickhouse, AUserWhoMayOnlyReadIsToldWhatToDo) {
  config::Config config;
  config.clickhouse.url = server_->url() + "/?readonly=1";
  const TemporaryFolder logs;
  std::vector<std::string> notes;
  clickhouse::ClickhouseTarget target(loop_, config, logs.path());
  try {
    target.prepare(notes);
    FAIL() << "was prepared";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_THAT(error.what(),
                testing::AllOf(HasSubstr("Code: 164"), HasSubstr("take the setting readonly out")));
  }
}

TEST_F(OnAModernClickhouse, EndsWithItsStdin) {
  ask("CREATE TABLE rows (id String) ENGINE = MergeTree ORDER BY id");
  const pid_t pid = server_->pid();
  const process::ExitStatus status = server_->stop();
  EXPECT_TRUE(status.ok()) << process::to_string(status);
  EXPECT_EQ(::kill(pid, 0), -1) << "still there";
}

}  // namespace
}  // namespace walstorm::tests
