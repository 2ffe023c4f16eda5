// The sampler's one query, on every PostgreSQL there is here.

#include "orchestrator/postgres/sampler.h"

#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <string>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/private_server.h"
#include "orchestrator/postgres/query.h"
#include "tests/support/servers.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {
namespace {

using std::chrono::seconds;

class SamplerOnVersion : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(PostgreSQL, SamplerOnVersion, testing::Values(14, 15, 16, 17, 18));

TEST_P(SamplerOnVersion, SeesSlotWritersAndItself) {
  TemporaryFolder folder;
  process::EventLoop loop;
  auto binaries = other_postgres(GetParam(), folder.path());
  if (!binaries) binaries = postgres::find_postgres_binaries();
  postgres::PrivateServer server(loop, {{"max_slot_wal_keep_size", "1GB"}}, folder.path() / "postgres.log",
                                 *binaries);
  pqxx::connection idle(server.address().conninfo("postgres", "walstorm-producer-0"));
  pqxx::connection waiting(server.address().conninfo("postgres", "walstorm-producer-1"));
  pqxx::nontransaction session(idle);
  if (idle.server_version() / 10'000 != GetParam()) GTEST_SKIP() << "no such PostgreSQL here";
  session.exec("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
  session.exec("SELECT pg_advisory_lock(7)");
  pqxx::nontransaction blocked(waiting);
  // Waits for the lock until the test lets go of it.
  auto asked = std::async(std::launch::async, [&] { blocked.exec("SELECT pg_advisory_lock(7)"); });

  std::optional<postgres::ServerSample> sample;
  postgres::Session asking(loop, server.address().conninfo("postgres", "test"), "sample");
  postgres::Sampler sampler(asking, "s", "postgres", "walstorm-producer",
                            [&](const postgres::ServerSample& taken) { sample = taken; });
  const auto sees_both = [&] {
    if (!sample || sample->look.writer_waits.contains("Lock:advisory")) return sample.has_value();
    sample.reset();
    sampler.look();
    return false;
  };
  sampler.look();
  ASSERT_EQ(loop.wait(seconds(20), 0, sees_both), process::Waited::done);
  const auto slot = postgres::query_row(
      session, "SELECT confirmed_flush_lsn, wal_status, pg_current_wal_lsn() FROM pg_replication_slots");
  EXPECT_EQ(wire::to_string(sample->confirmed.value_or(wire::Lsn{})), slot[0].c_str());
  EXPECT_EQ(sample->look.wal_status, slot[1].c_str());
  EXPECT_EQ(wire::to_string(sample->head.value_or(wire::Lsn{})), slot[2].c_str());
  EXPECT_EQ(sample->sent, std::nullopt) << "nobody reads the slot";
  EXPECT_EQ(sample->look.walsender_state, "");
  EXPECT_EQ(sample->look.walsender_wait, "");
  EXPECT_TRUE(sample->look.safe_wal_bytes);
  ASSERT_TRUE(sample->look.decoded);
  EXPECT_EQ(sample->look.decoded->spilled_bytes, 0);
  EXPECT_EQ(sample->look.writer_waits, (std::map<std::string, unsigned>{{"Lock:advisory", 1}, {"idle", 1}}));
  EXPECT_EQ(sample->backends.size(), 2U);
  ASSERT_EQ(sample->own.size(), 1U);
  EXPECT_NE(sample->own[0].pid, idle.backendpid());
  session.exec("SELECT pg_advisory_unlock(7)");
  asked.get();
}

}  // namespace
}  // namespace walstorm::tests
