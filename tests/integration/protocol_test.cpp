// What a server can send, in every protocol and both forms of values: counted by the consumer as it was done.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include <pqxx/nontransaction>

#include "tests/support/consumer_fixture.h"

namespace walstorm::tests {
namespace {

using testing::HasSubstr;

class Protocols : public ConsumerOnAServer, public testing::WithParamInterface<Protocol> {
 protected:
  Protocols() : ConsumerOnAServer(GetParam()) {}

  /// Runs `sql` in a consumed stream.
  proto::ConsumerStats consumed(const std::string& sql) {
    start_consumer(GetParam());
    return result_of([&](pqxx::connection& connection) { pqxx::nontransaction(connection).exec(sql); });
  }
};

INSTANTIATE_TEST_SUITE_P(All, Protocols,
                         testing::Values(Protocol{1}, Protocol{1, proto::STREAMING_OFF, false},
                                         Protocol{2, proto::STREAMING_ON},
                                         Protocol{2, proto::STREAMING_ON, false},
                                         Protocol{4, proto::STREAMING_PARALLEL}),
                         [](const auto& protocol) { return to_string(protocol.param); });

TEST_P(Protocols, CountWhatCommittedAndNothingThatWasTakenBack) {
  if (!speaks(GetParam())) GTEST_SKIP();
  const proto::ConsumerStats result =
      consumed("BEGIN;" + insert_sql(1, 2000) + "; SAVEPOINT outer_part;" + insert_sql(10'001, 1000) +
               "; SAVEPOINT inner_part;" + insert_sql(20'001, 1000) + "; RELEASE inner_part; " +
               insert_sql(30'001, 1000) + "; ROLLBACK TO outer_part; " + insert_sql(2001, 1000) +
               "; COMMIT; BEGIN; " + insert_sql(40'001, 2000) +
               "; ROLLBACK; UPDATE \"TaskRun\" SET row_hash = 5 WHERE row_hash = 3000;"
               "DELETE FROM \"TaskRun\" WHERE row_hash = 7");
  EXPECT_TRUE(result.drained());
  EXPECT_EQ(result.received().inserts(), 3000U);
  EXPECT_EQ(result.received().updates(), 1U);
  EXPECT_EQ(result.received().deletes(), 1U);
  EXPECT_EQ(result.acknowledged().hash_sum(), 3000U * 3001U / 2 + 5 + 7);
  EXPECT_EQ(result.transactions(), 2U);
  const bool streaming = GetParam().streaming != proto::STREAMING_OFF;
  EXPECT_EQ(streamed_transactions(), streaming ? 2U : 0U);
  if (!streaming) return;
  stop_consumer();
  EXPECT_THAT(consumer_log(), HasSubstr("1 committed, 1 aborted; sub-transactions aborted: 2"));
}

TEST_P(Protocols, FollowATableThatChangesWhileItIsRead) {
  if (!speaks(GetParam())) GTEST_SKIP();
  const proto::ConsumerStats result = consumed(
      insert_sql(1, 10) + "; ALTER TABLE \"TaskRun\" ADD COLUMN extra integer; " + insert_sql(11, 10) +
      "; BEGIN; " + insert_sql(21, 2000) + "; ALTER TABLE \"TaskRun\" DROP COLUMN extra; " +
      insert_sql(2021, 2000) + "; ALTER TABLE \"TaskRun\" ADD COLUMN extra text DEFAULT 'x'; " +
      insert_sql(4021, 10) + "; COMMIT; ALTER TABLE \"TaskRun\" DROP COLUMN extra; " + insert_sql(4031, 10));
  EXPECT_TRUE(result.drained());
  EXPECT_EQ(result.acknowledged().inserts(), 4040U);
  EXPECT_EQ(result.acknowledged().hash_sum(), 4040U * 4041U / 2);
}

TEST_P(Protocols, CountATruncateAsNothingAndSaySo) {
  if (!speaks(GetParam())) GTEST_SKIP();
  const proto::ConsumerStats result =
      consumed("BEGIN; " + insert_sql(1, 2000) + "; TRUNCATE \"TaskRun\"; " + insert_sql(1, 5) + "; COMMIT");
  EXPECT_EQ(result.acknowledged().inserts(), 2005U);
  EXPECT_EQ(result.acknowledged().deletes(), 0U);
  EXPECT_THAT(consumer_log(), HasSubstr("TRUNCATE of TaskRun"));
}

TEST_P(Protocols, ReadAPartitionedTableAsItsRoot) {
  if (!speaks(GetParam())) GTEST_SKIP();
  // The second partition has its columns in another order, as one that was attached may: the server sends
  // the root's.
  const proto::ConsumerStats result = consumed(
      "DROP TABLE \"TaskRun\";"
      "CREATE TABLE \"TaskRun\" (id text NOT NULL, note text, row_hash bigint NOT NULL) PARTITION BY RANGE "
      "(row_hash);"
      "CREATE TABLE low PARTITION OF \"TaskRun\" FOR VALUES FROM (0) TO (1000);"
      "CREATE TABLE high (row_hash bigint NOT NULL, gone text, id text NOT NULL, note text);"
      "ALTER TABLE high DROP COLUMN gone;"
      "ALTER TABLE \"TaskRun\" ATTACH PARTITION high FOR VALUES FROM (1000) TO (100000);"
      // The root's says what is sent, the partitions' what the WAL holds.
      "ALTER TABLE \"TaskRun\" REPLICA IDENTITY FULL; ALTER TABLE low REPLICA IDENTITY FULL;"
      "ALTER TABLE high REPLICA IDENTITY FULL;"
      "ALTER PUBLICATION consumer_test SET TABLE \"TaskRun\";"
      "INSERT INTO \"TaskRun\" SELECT n, repeat('x', 100), n FROM generate_series(1, 5000) n;"
      "UPDATE \"TaskRun\" SET note = 'changed' WHERE row_hash = 2000;"
      "UPDATE \"TaskRun\" SET row_hash = 3 WHERE row_hash = 4000");  // moves: a delete and an insert
  EXPECT_TRUE(result.drained());
  EXPECT_EQ(result.acknowledged().inserts(), 5001U);
  EXPECT_EQ(result.acknowledged().updates(), 1U);
  EXPECT_EQ(result.acknowledged().deletes(), 1U);
  EXPECT_EQ(result.acknowledged().hash_sum(), 5000U * 5001U / 2 + 2000 + 3 + 4000);
}

}  // namespace
}  // namespace walstorm::tests
