#include "orchestrator/clickhouse/features.h"

#include <array>
#include <charconv>
#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

/// Year and number of a release: {23, 2}.
using Release = std::pair<int, int>;

/// Compressed bodies are in no list of the server's. gzip is older than all that is supported here; lz4 and
/// zstd are in every 22.1, and an older server that has them loses nothing but some network.
constexpr Release kFirstWithLz4AndZstd{22, 1};
/// Changelog of 23.2, "New Feature".
constexpr Release kFirstWithIsDeleted{23, 2};
/// 18.16 has the type, behind a setting, and does not read it from a String of a Native block.
constexpr Release kFirstWithSoundLowCardinality{20, 1};

/// What every insert asks for.
constexpr std::array<std::pair<const char*, const char*>, 4> kInsertSettings{{
    // Batches are made by the consumer. The server's own queue, on by default since 26.2, would only add to
    // it.
    {"async_insert", "0"},
    // Where a URL turns that queue on: an acknowledgement still means that the rows are there.
    {"wait_for_async_insert", "1"},
    // A NULL for a column that has none is an error, not silently the column's default.
    {"input_format_null_as_default", "0"},
    // A double in JSON is read to its last bit.
    {"precise_float_parsing", "1"},
}};

/// What shapes the answers to walstorm's own statements, and the tables that it makes.
constexpr std::array<std::pair<const char*, const char*>, 21> kPinnedSettings{{
    {"additional_result_filter", ""},
    {"additional_table_filters", "{}"},
    {"aggregate_functions_null_for_empty", "0"},
    {"data_type_default_nullable", "0"},
    {"date_time_output_format", "simple"},
    {"empty_result_for_aggregation_by_empty_set", "0"},
    {"extremes", "0"},
    {"final", "0"},
    {"format_tsv_null_representation", "\\N"},
    {"group_by_use_nulls", "0"},
    {"join_use_nulls", "0"},
    {"limit", "0"},
    {"max_result_bytes", "0"},
    {"max_result_rows", "0"},
    {"offset", "0"},
    {"output_format_tsv_crlf_end_of_line", "0"},
    {"prefer_column_name_to_alias", "0"},
    {"read_overflow_mode", "throw"},
    {"result_overflow_mode", "throw"},
    {"transform_null_in", "0"},
    {"union_default_mode", "ALL"},
}};

std::string setting_names() {
  std::string names;
  for (const auto& [name, value] : kInsertSettings) names += fmt::format("'{}', ", name);
  for (const auto& [name, value] : kPinnedSettings) names += fmt::format("'{}', ", name);
  return names;
}

Release release_of(const std::string& version) {
  Release release{0, 0};
  const char* const end = version.data() + version.size();
  const auto [dot, error] = std::from_chars(version.data(), end, release.first);
  if (error == std::errc() && dot != end) std::from_chars(dot + 1, end, release.second);
  return release;
}

wire::Error refusal(const std::string& key, const std::string& word, const std::string& needs,
                    const Features& features, const std::string& instead) {
  return {wire::ErrorKind::unavailable, fmt::format("consumer.{}: {} needs ClickHouse {}; this is {}: use {}",
                                                    key, word, needs, features.version, instead)};
}

}  // namespace

bool is_since_22_1(const std::string& version) {
  return release_of(version) >= Release{22, 1};
}

std::map<std::string, std::string> first_pinned_settings(bool since_22_1) {
  std::map<std::string, std::string> settings{
      {"extremes", "0"}, {"max_result_rows", "0"}, {"empty_result_for_aggregation_by_empty_set", "0"}};
  if (since_22_1)
    settings.insert({{"limit", "0"}, {"offset", "0"}, {"output_format_tsv_crlf_end_of_line", "0"}});
  return settings;
}

const std::string& features_query() {
  static const std::string query =
      "SELECT 'setting', name FROM system.settings WHERE name IN (" + setting_names() +
      "'insert_deduplication_token', 'do_not_merge_across_partitions_select_final') "
      "UNION ALL SELECT 'table setting', name FROM system.merge_tree_settings "
      "WHERE name = 'non_replicated_deduplication_window' "
      "UNION ALL SELECT 'type', name FROM system.data_type_families WHERE name IN ('DateTime64', "
      "'LowCardinality') "
      "UNION ALL SELECT 'format', name FROM system.formats WHERE name = 'JSONCompactEachRow'";
  return query;
}

Features features_of(const std::string& version,
                     const std::set<std::pair<std::string, std::string>>& listed) {
  const Release release = release_of(version);
  const auto has = [&](const char* kind, const char* name) { return listed.contains({kind, name}); };
  Features features;
  features.version = version;
  features.datetime64 = has("type", "DateTime64");
  features.low_cardinality = has("type", "LowCardinality") && release >= kFirstWithSoundLowCardinality;
  features.json_compact_each_row = has("format", "JSONCompactEachRow");
  features.is_deleted_parameter = release >= kFirstWithIsDeleted;
  features.deduplication_token = has("setting", "insert_deduplication_token");
  features.deduplication_window = has("table setting", "non_replicated_deduplication_window");
  for (const auto& [name, value] : kInsertSettings) {
    if (has("setting", name)) features.insert_settings.emplace(name, value);
  }
  for (const auto& [name, value] : kPinnedSettings) {
    if (has("setting", name)) features.pinned_settings.emplace(name, value);
  }
  features.final_by_partition = has("setting", "do_not_merge_across_partitions_select_final");
  features.lz4 = features.zstd = release >= kFirstWithLz4AndZstd;
  return features;
}

proto::InsertFormat insert_format(config::InsertFormat asked, const Features& features) {
  switch (asked) {
    case config::InsertFormat::native:
      return proto::INSERT_FORMAT_NATIVE;
    case config::InsertFormat::row_binary:
      return proto::INSERT_FORMAT_ROW_BINARY;
    case config::InsertFormat::json_compact_each_row:
      break;
  }
  if (features.json_compact_each_row) return proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW;
  throw refusal("insertFormat", "jsonCompactEachRow", "20.1", features, "native or rowBinary");
}

proto::Compression compression(config::Compression asked, const Features& features) {
  switch (asked) {
    case config::Compression::none:
      return proto::COMPRESSION_NONE;
    case config::Compression::gzip:
      return proto::COMPRESSION_GZIP;
    case config::Compression::automatic:
      return features.lz4 ? proto::COMPRESSION_LZ4 : proto::COMPRESSION_NONE;
    case config::Compression::lz4:
      if (features.lz4) return proto::COMPRESSION_LZ4;
      break;
    case config::Compression::zstd:
      if (features.zstd) return proto::COMPRESSION_ZSTD;
      break;
  }
  throw refusal("compression", asked == config::Compression::lz4 ? "lz4" : "zstd",
                fmt::format("{}.{}", kFirstWithLz4AndZstd.first, kFirstWithLz4AndZstd.second), features,
                "auto, none or gzip");
}

std::vector<std::string> shortcomings(const Features& features) {
  std::vector<std::string> lines;
  const auto add = [&](bool has, const char* line) {
    if (!has) lines.emplace_back(line);
  };
  add(features.datetime64, "no DateTime64: times are Int64, milliseconds since 1970");
  add(features.low_cardinality, "no LowCardinality that takes plain text: such columns are String");
  add(features.is_deleted_parameter,
      "no is_deleted of ReplacingMergeTree: deleted rows stay, marked by _is_deleted");
  add(features.deduplication_token && features.deduplication_window,
      "no deduplication of inserts: a block sent twice is made harmless by _version alone");
  add(features.json_compact_each_row, "no JSONCompactEachRow");
  add(features.lz4 && features.zstd, "no lz4 or zstd in HTTP: compression auto means none");
  return lines;
}

}  // namespace walstorm::clickhouse
