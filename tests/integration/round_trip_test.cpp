// Values at their edges, from a real PostgreSQL through the real consumer into real ClickHouses, in every
// format and compression that they take: what is read back is what was written. No clock's zone is UTC here,
// and none matters.

#include "tests/integration/round_trip.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <pqxx/nontransaction>

#include "orchestrator/clickhouse/clickhouse_target.h"
#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/config/load.h"
#include "proto/wire/error.h"
#include "tests/support/clickhouse_query.h"
#include "tests/support/consumer_fixture.h"
#include "tests/support/modern_clickhouse.h"
#include "tests/support/sabotage.h"

namespace walstorm::tests {
namespace {

using clickhouse::ClickhouseTarget;
using testing::IsEmpty;

enum class Server { debian, modern };

struct Way {
  Server server;
  std::string format;
  std::string compression;
  bool binary;  ///< of pgoutput
};

std::string to_string(const Way& way) {
  return (way.server == Server::debian ? "Debian_" : "Modern_") + way.format + "_" + way.compression +
         (way.binary ? "" : "_fromText");
}

void PrintTo(const Way& way, std::ostream* out) {
  *out << to_string(way);
}

/// Of this process, and so of all that it starts.
struct InNewfoundland {
  InNewfoundland() { ::setenv("TZ", "America/St_Johns", 1); }
};

class RoundTrip : public InNewfoundland, public ConsumerOnAServer, public testing::WithParamInterface<Way> {
 protected:
  RoundTrip() : ConsumerOnAServer(protocol()) {
    if (!server_) return;  // a person's server stays as it is
    // What databases have in the field; sessions opened from now on.
    pqxx::nontransaction(*connection_)
        .exec(
            "ALTER DATABASE postgres SET TimeZone = 'Asia/Kolkata';"
            "ALTER DATABASE postgres SET DateStyle = 'German';"
            "ALTER DATABASE postgres SET client_encoding = 'GB18030';"
            "ALTER DATABASE postgres SET IntervalStyle = 'sql_standard';"
            "ALTER DATABASE postgres SET extra_float_digits = -5");
  }

  void SetUp() override {
    std::string url = "private";
    if (GetParam().server == Server::modern) {
      if (!ModernClickhouse::missing().empty()) GTEST_SKIP() << ModernClickhouse::missing();
      modern_ = std::make_unique<ModernClickhouse>(loop_, "Asia/Kathmandu");
      url = modern_->url();
    } else if (!debians_missing().empty()) {
      GTEST_SKIP() << debians_missing();
    }
    std::vector<std::string> notes;
    table_ = std::make_unique<ClickhouseTarget>(loop_, config_with(url), folder_.path());
    table_->prepare(notes);
    start_consumer(protocol(), [this](proto::ConsumerSetup& consumer) {
      consumer.set_flush_batch_size(37);
      table_->describe(consumer);
      setup_ = consumer;
    });
  }

  [[nodiscard]] static Protocol protocol() {
    return {.version = 1, .streaming = proto::STREAMING_OFF, .binary = GetParam().binary};
  }
  /// Debian's own program, where apt has it.
  [[nodiscard]] static std::string debians_missing() {
    try {
      (void)clickhouse::find_clickhouse_server();
      return "";
    } catch (const wire::Error& error) {
      return error.what();
    }
  }

  [[nodiscard]] config::Config config_with(const std::string& url) const {
    config::LoadRequest request;
    request.overrides = {{"", "clickhouse.url", url, true},
                         {"", "consumer.insertFormat", GetParam().format, true},
                         {"", "consumer.compression", GetParam().compression, true},
                         {"", "consumer.binary", GetParam().binary ? "true" : "false"}};
    const config::Environment nothing = [](const std::string&) { return std::nullopt; };
    return config::load(request, nothing, folder_.path());
  }

  [[nodiscard]] LandedRun landed_run() const {
    return {setup_.clickhouse().url(), setup_.clickhouse().table(), setup_.run_number()};
  }
  [[nodiscard]] TextRows landed_rows() {
    const LandedRun run = landed_run();
    const std::string sql = landed_rows_sql(run.table, run.run_number, setup_.times_as_int64());
    clickhouse::Statement statement;
    statement.sql = sql;
    const clickhouse::Answer answer = answer_of(loop_, run.url, statement);
    EXPECT_TRUE(answer.ok()) << answer.text;
    return rows_of_answer(answer.text);
  }

  /// Carries the transactions out and waits until all of them have landed.
  void replicate(const std::vector<std::string>& transactions) {
    const proto::ConsumerStats result = result_of([&](pqxx::connection& connection) {
      for (const std::string& sql : transactions) pqxx::nontransaction(connection).exec(sql);
    });
    ASSERT_TRUE(result.drained()) << consumer_log();
    ASSERT_EQ(result.acknowledged().hash_sum(), result.received().hash_sum());
  }

  /// What landed is what PostgreSQL holds: read here, and by the orchestrator for its ledger.
  void compare() {
    const TextRows rows = rows_in_postgres(*connection_);
    ASSERT_GT(rows.size(), 200U);
    EXPECT_THAT(differences(rows, landed_rows()), IsEmpty());
    std::vector<std::string> ids;
    for (const auto& [id, row] : rows) ids.push_back(id);
    EXPECT_THAT(differences(rows, table_->read_rows(ids, 0).value()), IsEmpty())
        << "read by the orchestrator";
    EXPECT_EQ(table_->tally_rows(1000, 0).value().rows, rows.size());
  }

  std::unique_ptr<ModernClickhouse> modern_;
  std::unique_ptr<ClickhouseTarget> table_;
  proto::ConsumerSetup setup_;
};

INSTANTIATE_TEST_SUITE_P(All, RoundTrip,
                         testing::Values(Way{Server::debian, "native", "none", true},
                                         Way{Server::debian, "native", "gzip", false},
                                         Way{Server::debian, "rowBinary", "gzip", true},
                                         Way{Server::debian, "rowBinary", "none", false},
                                         Way{Server::modern, "native", "lz4", true},
                                         Way{Server::modern, "native", "zstd", false},
                                         Way{Server::modern, "rowBinary", "gzip", true},
                                         Way{Server::modern, "rowBinary", "lz4", false},
                                         Way{Server::modern, "jsonCompactEachRow", "none", true},
                                         Way{Server::modern, "jsonCompactEachRow", "lz4", false},
                                         Way{Server::modern, "jsonCompactEachRow", "zstd", true}),
                         [](const auto& way) { return to_string(way.param); });

TEST_P(RoundTrip, KeepsEveryValueOfEveryColumn) {
  replicate(edge_inserts());
  compare();
  replicate(edge_updates());
  compare();
  replicate(edge_deletes());
  compare();
}

class FalsifiedRows : public RoundTrip {};

INSTANTIATE_TEST_SUITE_P(All, FalsifiedRows,
                         testing::Values(Way{Server::debian, "native", "none", true},
                                         Way{Server::modern, "native", "lz4", true}),
                         [](const auto& way) { return to_string(way.param); });

TEST_P(FalsifiedRows, AreSeenByTallyOrContents) {
  replicate({insert_sql(1, 10)});
  const TextRows rows = rows_in_postgres(*connection_);
  const wire::RowTally sound = table_->tally_rows(1000, 0).value();
  const std::string id = landed_id(loop_, landed_run(), 3);

  alter_landed_value(loop_, landed_run(), id);
  EXPECT_EQ(table_->tally_rows(1000, 0).value(), sound) << "a hash that travels along does not prove its row";
  EXPECT_EQ(differences(rows, landed_rows()).size(), 1U);

  drop_landed_row(loop_, landed_run(), id);
  EXPECT_EQ(table_->tally_rows(1000, 0).value().rows, sound.rows - 1);

  land_row_twice(loop_, landed_run(), landed_id(loop_, landed_run()));
  const wire::RowTally twice = table_->tally_rows(1000, 0).value();
  EXPECT_EQ(twice.rows, sound.rows);
  EXPECT_NE(twice, sound) << "counts alone would be blind";
}

}  // namespace
}  // namespace walstorm::tests
