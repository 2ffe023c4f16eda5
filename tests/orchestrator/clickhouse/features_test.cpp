#include "orchestrator/clickhouse/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "orchestrator/clickhouse/server_probe.h"
#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using Listed = std::set<std::pair<std::string, std::string>>;

/// What Debian's server lists of features_query().
const Listed kOf18{{"type", "LowCardinality"}};
const Listed kOf24{{"type", "LowCardinality"},
                   {"type", "DateTime64"},
                   {"format", "JSONCompactEachRow"},
                   {"setting", "insert_deduplication_token"},
                   {"setting", "async_insert"},
                   {"setting", "wait_for_async_insert"},
                   {"setting", "do_not_merge_across_partitions_select_final"},
                   {"table setting", "non_replicated_deduplication_window"}};

/// What choosing says when it refuses.
template <typename Choose>
std::string refusal(Choose choose) {
  try {
    (void)choose();
    return "was taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    return error.what();
  }
}

TEST(Features, OfAServerOf2018AreFew) {
  const Features features = features_of("18.16.1", kOf18);
  EXPECT_EQ(features.version, "18.16.1");
  EXPECT_FALSE(features.datetime64);
  EXPECT_FALSE(features.low_cardinality);  // there, but not usable
  EXPECT_FALSE(features.json_compact_each_row);
  EXPECT_FALSE(features.is_deleted_parameter);
  EXPECT_FALSE(features.deduplication_token);
  EXPECT_FALSE(features.deduplication_window);
  EXPECT_TRUE(features.insert_settings.empty());
  EXPECT_FALSE(features.lz4);
  EXPECT_FALSE(features.zstd);
  EXPECT_EQ(shortcomings(features).size(), 6U);
}

TEST(Features, OfAServerOfTodayAreAll) {
  const Features features = features_of("24.8.4.13", kOf24);
  EXPECT_TRUE(features.datetime64);
  EXPECT_TRUE(features.low_cardinality);
  EXPECT_TRUE(features.json_compact_each_row);
  EXPECT_TRUE(features.is_deleted_parameter);
  EXPECT_TRUE(features.deduplication_token);
  EXPECT_TRUE(features.deduplication_window);
  EXPECT_THAT(features.insert_settings,
              ::testing::ElementsAre(::testing::Pair("async_insert", "0"),
                                     ::testing::Pair("wait_for_async_insert", "1")));
  EXPECT_TRUE(features.final_by_partition);
  EXPECT_TRUE(features.lz4);
  EXPECT_TRUE(features.zstd);
  EXPECT_THAT(shortcomings(features), IsEmpty());
}

TEST(Features, OnlySettingsThatTheServerKnowsArePinned) {
  EXPECT_THAT(features_of("18.16.1", {{"setting", "extremes"}}).pinned_settings,
              ::testing::ElementsAre(::testing::Pair("extremes", "0")));
  const Listed with_filters{{"setting", "additional_table_filters"}, {"setting", "additional_result_filter"}};
  EXPECT_THAT(features_of("22.8.1", with_filters).pinned_settings,
              ::testing::ElementsAre(::testing::Pair("additional_result_filter", ""),
                                     ::testing::Pair("additional_table_filters", "{}")));
  EXPECT_THAT(features_query(), ::testing::HasSubstr("'additional_table_filters'"));
}

TEST(Features, DifferOneByOneAndNotByOneCutOff) {
  const Listed of_22{{"type", "LowCardinality"},
                     {"type", "DateTime64"},
                     {"format", "JSONCompactEachRow"},
                     {"setting", "wait_for_async_insert"}};
  const Features features = features_of("22.1.2.3", of_22);
  EXPECT_TRUE(features.lz4);
  EXPECT_FALSE(features.is_deleted_parameter);
  EXPECT_FALSE(features.deduplication_token);
  EXPECT_EQ(features.insert_settings.at("wait_for_async_insert"), "1");
  EXPECT_FALSE(features_of("23.1.9", kOf24).is_deleted_parameter);
  EXPECT_TRUE(features_of("23.2.1", kOf24).is_deleted_parameter);
  EXPECT_FALSE(features_of("21.12.4", kOf24).lz4);
  EXPECT_TRUE(features_of("v26", kOf24).datetime64);
  EXPECT_FALSE(features_of("v26", kOf24).lz4);  // a version that cannot be read is no newer one
}

TEST(Features, AutoCompressionIsLz4WhereTheServerTakesIt) {
  using config::Compression;
  EXPECT_EQ(compression(Compression::automatic, features_of("24.8", kOf24)), proto::COMPRESSION_LZ4);
  EXPECT_EQ(compression(Compression::automatic, features_of("18.16.1", kOf18)), proto::COMPRESSION_NONE);
  EXPECT_EQ(compression(Compression::gzip, features_of("18.16.1", kOf18)), proto::COMPRESSION_GZIP);
  EXPECT_EQ(compression(Compression::none, features_of("24.8", kOf24)), proto::COMPRESSION_NONE);
  EXPECT_EQ(compression(Compression::zstd, features_of("24.8", kOf24)), proto::COMPRESSION_ZSTD);
}

TEST(Features, WhatTheServerCannotIsRefusedWithTheReasonAndAWayOut) {
  const Features old = features_of("18.16.1", kOf18);
  EXPECT_EQ(refusal([&] { return insert_format(config::InsertFormat::json_compact_each_row, old); }),
            "consumer.insertFormat: jsonCompactEachRow needs ClickHouse 20.1; this is 18.16.1: use native or "
            "rowBinary");
  EXPECT_THAT(
      refusal([&] { return compression(config::Compression::lz4, old); }),
      HasSubstr("consumer.compression: lz4 needs ClickHouse 22.1; this is 18.16.1: use auto, none or gzip"));
  EXPECT_THAT(refusal([&] { return compression(config::Compression::zstd, old); }), HasSubstr("zstd needs"));
  EXPECT_EQ(insert_format(config::InsertFormat::row_binary, old), proto::INSERT_FORMAT_ROW_BINARY);
  EXPECT_EQ(insert_format(config::InsertFormat::json_compact_each_row, features_of("24.8", kOf24)),
            proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW);
}

TEST(ServerAddress, RefusesAUrlThatNamesAnotherDatabaseThanTheConfig) {
  config::Clickhouse settings;
  settings.database = "walstorm";
  for (const char* url : {"http://h:1", "http://h:1/", "http://h:1/default", "http://h:1/walstorm",
                          "http://h:1/?database=walstorm"}) {
    settings.url = url;
    EXPECT_EQ(server_address(settings).database, "") << url;
  }
  for (const char* url : {"http://u:s3cret@h:1/analytics", "http://u:s3cret@h:1/?database=analytics"}) {
    settings.url = url;
    try {
      (void)server_address(settings);
      ADD_FAILURE() << url << " is taken";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::config);
      const std::string says = error.what();
      EXPECT_NE(says.find("set clickhouse.database to \"analytics\""), std::string::npos) << says;
      EXPECT_EQ(says.find("s3cret"), std::string::npos) << says;
    }
  }
}

}  // namespace
}  // namespace walstorm::clickhouse
