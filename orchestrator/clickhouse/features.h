#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/config/config.h"
#include "proto/control.pb.h"

/// What a ClickHouse server can do. Servers differ feature by feature: what a server lists is asked of it,
/// the rest is known by its version. Pure.
namespace walstorm::clickhouse {

struct Features {
  std::string version;  ///< "18.16.1"
  bool datetime64 = false;
  /// Usable for columns that blocks bring as String.
  bool low_cardinality = false;
  bool json_compact_each_row = false;
  /// ReplacingMergeTree(version, is_deleted)
  bool is_deleted_parameter = false;
  bool deduplication_token = false;   ///< setting insert_deduplication_token
  bool deduplication_window = false;  ///< table setting non_replicated_deduplication_window
  /// Settings that make inserts safe and exact, as far as the server knows them, and their values.
  std::map<std::string, std::string> insert_settings;
  /// Settings of a profile or URL that would change what a statement of walstorm's makes or answers, as far
  /// as the server knows them, with the values that change nothing: for Session::pin().
  std::map<std::string, std::string> pinned_settings;
  /// FINAL works partition by partition: setting do_not_merge_across_partitions_select_final.
  bool final_by_partition = false;
  bool lz4 = false, zstd = false;  ///< as Content-Encoding of an insert
};

/// Those of the settings to pin that all servers have had since 18.16, and with `since_22_1` those that cut
/// an answer short and came later: for the statements before features_of() is known.
[[nodiscard]] std::map<std::string, std::string> first_pinned_settings(bool since_22_1);
[[nodiscard]] bool is_since_22_1(const std::string& version);

/// The statement whose rows, (kind, name), are what features_of() wants to know of a server.
[[nodiscard]] const std::string& features_query();

/// `version` is what SELECT version() says, `listed` the rows of features_query().
[[nodiscard]] Features features_of(const std::string& version,
                                   const std::set<std::pair<std::string, std::string>>& listed);

/// Throws Error{unavailable} that says why and what to do, when the server does not read the format.
[[nodiscard]] proto::InsertFormat insert_format(config::InsertFormat asked, const Features& features);

/// The compression of inserts; `automatic` is lz4 where the server takes it. Throws as insert_format() does.
[[nodiscard]] proto::Compression compression(config::Compression asked, const Features& features);

/// What the server lacks and what walstorm does instead, for people: "no DateTime64: times are Int64
/// milliseconds".
[[nodiscard]] std::vector<std::string> shortcomings(const Features& features);

}  // namespace walstorm::clickhouse
