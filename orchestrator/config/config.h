#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace walstorm::config {

/// Records per second, all producers together.
struct ConstantLoad {
  double rate = 0;
};
/// Linear over the phase's duration.
struct RampLoad {
  double from = 0;
  double to = 0;
};
/// Unthrottled.
struct MaxLoad {};

using Load = std::variant<ConstantLoad, RampLoad, MaxLoad>;

struct Phase {
  std::string name;
  double duration_sec = 0;
  Load load;                             ///< the producer's targetThroughput where the phase names none
  std::optional<std::uint64_t> records;  ///< ends the load after so many, within duration_sec
  bool warmup = false;
};

enum class WriteMode { insert, copy, unnest, prepared };
enum class Arrival { constant, poisson };

struct Producer {
  std::uint64_t preload_rows = 0;
  std::uint64_t max_live_rows = 0;
  double insert_update_ratio = 0;
  double delete_ratio = 0;
  std::uint32_t batch_size = 0;
  double payload_size_kb = 0;
  double payload_entropy = 0;
  WriteMode write_mode = WriteMode::insert;
  std::uint32_t connections = 0;
  std::uint32_t worker_count = 0;
  Arrival arrival = Arrival::constant;
};

enum class AckPolicy { after_flush, on_receive, never };
enum class Streaming { off, on, parallel };
enum class InsertFormat { native, json_compact_each_row, row_binary };
enum class Compression { automatic, none, lz4, zstd, gzip };

/// A stretch of the run, from the start of its first phase.
struct Stall {
  double at_sec = 0;
  double duration_sec = 0;
};

/// How the mock sink behaves, beside its delay.
struct Mock {
  double jitter_ms = 0;
  double error_rate = 0;
  double max_records_per_sec = 0;  ///< 0: no limit
  std::vector<Stall> stalls;
};

struct Consumer {
  std::uint32_t flush_batch_size = 0;
  std::uint32_t flush_interval_ms = 0;
  std::uint32_t max_flush_concurrency = 0;
  bool use_mock_clickhouse = false;
  double mock_clickhouse_delay_ms = 0;
  Mock mock;
  InsertFormat insert_format = InsertFormat::native;
  Compression compression = Compression::automatic;
  AckPolicy ack_policy = AckPolicy::after_flush;
  std::uint32_t max_buffered_mb = 0;
  bool binary = true;
  std::uint32_t proto_version = 1;  ///< pgoutput's
  Streaming streaming = Streaming::off;
  std::string slot_name;
  std::string publication_name;
};

/// What the consumer holds in memory at most: maxBufferedMB is of 2^20 bytes.
[[nodiscard]] std::uint64_t buffered_bytes_max(const Consumer& consumer);
/// Of these, for streamed transactions: a quarter, where there may be any.
[[nodiscard]] std::uint64_t streamed_bytes_max(const Consumer& consumer);
/// The rest, for batches: with so much of them the consumer stops reading.
[[nodiscard]] std::uint64_t batch_bytes_max(const Consumer& consumer);

struct Clickhouse {
  /// Where ClickHouse is: an http(s) URL, with its secrets; nullopt for a private server, and where none is
  /// named, as beside the mock.
  std::optional<std::string> url;
  bool is_private = false;
  /// Of the process behind `url`, when walstorm itself started it for several runs. No key of a config.
  std::optional<std::int64_t> private_pid = {};
  std::string database;
  double give_up_sec = 0;
};

enum class ReplicaIdentity { full, by_default };

struct Database {
  /// Where PostgreSQL is: a libpq URL, with its secrets; nullopt for a private server.
  std::optional<std::string> url;
  /// `url` leads to a private server that walstorm itself started for several runs: nothing of the
  /// environment belongs to it, and one that is gone does not come back. No key of a config.
  bool lent = false;
  std::string profiling_database;
  /// The database on that server, or a libpq URL with its secrets, whose schema is used in place of
  /// walstorm's table.
  std::optional<std::string> copy_schema_from;
  bool keep = true;
  ReplicaIdentity replica_identity = ReplicaIdentity::full;
  std::map<std::string, std::string> settings;  ///< GUCs: of a private server, else of the writing sessions
  double give_up_sec = 0;
};

/// What must hold for the run to pass; see expression.h and thresholds.h.
struct Threshold {
  std::string expr;
  std::optional<std::string> phase;         ///< nullopt: every phase that it can judge
  std::optional<std::uint32_t> window_sec;  ///< nullopt: over the whole phase
  bool abort_on_fail = false;
  double delay_abort_sec = 0;
};

/// A key and the values that `walstorm sweep` gives it, as JSON.
struct SweepAxis {
  std::string key;
  std::vector<std::string> values;
};

/// What `walstorm sweep` varies; a run takes no notice of it.
struct Sweep {
  std::vector<SweepAxis> axes;
  bool one_at_a_time = false;
  std::uint32_t repeats = 1;
};

enum class ProfilingTool { doctor, flame, heap, contention };

struct Profiling {
  bool enabled = false;
  std::set<ProfilingTool> tools = {};               ///< "both" is doctor and flame
  std::vector<std::string> targets = {"consumer"};  ///< "consumer", "all", ...: as the schema lists them
  std::uint32_t frequency_hz = 99;

  [[nodiscard]] bool uses(ProfilingTool tool) const { return enabled && tools.contains(tool); }
  [[nodiscard]] bool flame() const { return uses(ProfilingTool::flame); }
  [[nodiscard]] bool doctor() const { return uses(ProfilingTool::doctor); }
  [[nodiscard]] bool heap() const { return uses(ProfilingTool::heap); }
  [[nodiscard]] bool contention() const { return uses(ProfilingTool::contention); }
};

/// A run, resolved: built-in < file < environment < flags, checked, complete. What a key means is said once,
/// in configs/walstorm.schema.json; this is the same in C++.
struct Config {
  std::string name;
  std::string description;
  std::uint64_t seed = 1;
  std::vector<Phase> phases;
  Producer producer;
  Consumer consumer;
  Database database;
  Clickhouse clickhouse;
  std::vector<Threshold> thresholds;
  Sweep sweep;
  Profiling profiling = {};
  std::string output_dir;  ///< where the run's folder is made
  double drain_timeout_sec = 0;
  double stop_grace_sec = 0;
};

/// The resolved configuration as JSON with every secret taken out: for --dry-run, config.json and
/// metrics.json. Secrets aside it is a config file that loads to the same Config.
[[nodiscard]] nlohmann::json to_json(const Config& config);

/// The Config of a document that is complete and has passed every check (see load.h).
[[nodiscard]] Config from_json(const nlohmann::json& document);

/// A target as a config has it: 5000, {"from": 1000, "to": 20000} or "max".
[[nodiscard]] nlohmann::json to_json(const Load& load);

}  // namespace walstorm::config
