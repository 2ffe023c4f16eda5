// walstorm check, and what a run leaves when told to leave nothing.

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <system_error>
#include <vector>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(OnAServer, ADatabaseThatIsNotKeptIsDroppedAfterTheRun) {
  WalstormRun run(config({phase("p", 1, 1000)}, {{"database", {{"keep", false}}}}));
  expect_clean_run(run);
  EXPECT_EQ(one("SELECT count(*) FROM pg_database WHERE datname = 'walstorm_profiling'")[0].as<int>(), 0);
  expect_no_slot();
}

TEST_F(OnAServer, CheckShowsAllThatIsNotReadyAtOnceAndChangesNothing) {
  postgres::PrivateServer poor(loop_, {{"wal_level", "replica"}, {"max_connections", "8"}},
                               logs_.path() / "poor.log");
  json unready = config({phase("p", 1, 1000)},
                        {{"database", {{"url", url_of(poor)}}}, {"producer", {{"connections", 20}}}});
  WalstormRun check(unready, {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 3);
  EXPECT_THAT(check.output(), HasSubstr("PROBLEM  wal_level"));
  EXPECT_THAT(check.output(), HasSubstr("PROBLEM  connections"));
  EXPECT_THAT(check.output(), HasSubstr("not ready: 2 problems"));
  pqxx::connection connection(url_of(poor));
  pqxx::nontransaction transaction(connection);
  EXPECT_EQ(postgres::query_row(transaction,
                                "SELECT count(*) FROM pg_database WHERE datname = 'walstorm_profiling'")[0]
                .as<int>(),
            0);
}

TEST(Check, StartsAPrivateServerAndRemovesIt) {
  WalstormRun check(config_with({phase("p", 1, 1000)}), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 0) << check.output();
  EXPECT_THAT(check.output(), HasSubstr("ok       server"));
  EXPECT_THAT(check.output(), HasSubstr("ready: a run can start"));
  expect_nothing_left(check);
}

/// As root, a file whose name can be guessed is written through whatever link stands there.
TEST(Check, KeepsItsLogsInAFolderOfItsOwn) {
  WalstormRun check(config_with({phase("p", 1, 1000)}), {}, WALSTORM_BINARY, "check");
  std::vector<std::filesystem::path> seen;
  check.wait_until([&] {
    seen = check.private_folders();
    return seen.size() >= 2;
  });
  for (const auto& entry : seen) {
    std::error_code gone;
    const auto status = std::filesystem::symlink_status(entry, gone);
    if (gone || !std::filesystem::exists(status)) continue;
    EXPECT_TRUE(std::filesystem::is_directory(status)) << entry;
  }
  EXPECT_EQ(check.finish().code, 0) << check.output();
  expect_nothing_left(check);
}

}  // namespace
}  // namespace walstorm::tests
