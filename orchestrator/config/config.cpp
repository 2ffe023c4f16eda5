#include "orchestrator/config/config.h"

#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/config/json/json_text.h"
#include "orchestrator/config/json/secrets.h"
#include "orchestrator/config/json/shown_json.h"
#include "orchestrator/config/thresholds.h"
#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

using nlohmann::json;

template <typename Enum, std::size_t kSize>
using Words = std::pair<Enum, const char*>[kSize];

constexpr Words<WriteMode, 4> kWriteModes{{WriteMode::insert, "insert"},
                                          {WriteMode::copy, "copy"},
                                          {WriteMode::unnest, "unnest"},
                                          {WriteMode::prepared, "prepared"}};
constexpr Words<Arrival, 2> kArrivals{{Arrival::constant, "constant"}, {Arrival::poisson, "poisson"}};
constexpr Words<AckPolicy, 3> kAckPolicies{{AckPolicy::after_flush, "afterFlush"},
                                           {AckPolicy::on_receive, "onReceive"},
                                           {AckPolicy::never, "never"}};
constexpr Words<Streaming, 3> kStreamings{
    {Streaming::off, "off"}, {Streaming::on, "on"}, {Streaming::parallel, "parallel"}};
constexpr Words<InsertFormat, 3> kInsertFormats{{InsertFormat::native, "native"},
                                                {InsertFormat::json_compact_each_row, "jsonCompactEachRow"},
                                                {InsertFormat::row_binary, "rowBinary"}};
constexpr Words<Compression, 5> kCompressions{{Compression::automatic, "auto"},
                                              {Compression::none, "none"},
                                              {Compression::lz4, "lz4"},
                                              {Compression::zstd, "zstd"},
                                              {Compression::gzip, "gzip"}};
constexpr Words<ReplicaIdentity, 2> kReplicaIdentities{{ReplicaIdentity::full, "full"},
                                                       {ReplicaIdentity::by_default, "default"}};
constexpr Words<ProfilingTool, 4> kProfilingTools{{ProfilingTool::doctor, "doctor"},
                                                  {ProfilingTool::flame, "flame"},
                                                  {ProfilingTool::heap, "heap"},
                                                  {ProfilingTool::contention, "contention"}};

template <typename Enum, std::size_t kSize>
const char* word_of(const Words<Enum, kSize>& words, Enum value) {
  for (const auto& [known, word] : words) {
    if (known == value) return word;
  }
  throw wire::Error(wire::ErrorKind::internal, "a value of Config has no word in the config file");
}

template <typename Enum, std::size_t kSize>
Enum value_of(const Words<Enum, kSize>& words, const json& text) {
  for (const auto& [value, word] : words) {
    if (text == word) return value;
  }
  throw wire::Error(wire::ErrorKind::internal, "no value of Config for " + text.dump());
}

Load load_from(const json& target) {
  if (target.is_object()) return RampLoad{target["from"], target["to"]};
  if (target.is_string()) return MaxLoad{};
  return ConstantLoad{target};
}

Phase phase_from(const json& phase, const json& target_default) {
  return {
      .name = without_secrets(phase["name"].get<std::string>()),  // it goes to logs and the wire as well
      .duration_sec = phase["durationSec"],
      .load = load_from(phase.contains("targetThroughput") ? phase["targetThroughput"] : target_default),
      .records = phase.contains("records") ? std::optional<std::uint64_t>(phase["records"]) : std::nullopt,
      .warmup = phase["warmup"]};
}

Producer producer_from(const json& producer) {
  return {.preload_rows = producer["preloadRows"],
          .max_live_rows = producer["maxLiveRows"],
          .insert_update_ratio = producer["insertUpdateRatio"],
          .delete_ratio = producer["deleteRatio"],
          .batch_size = producer["batchSize"],
          .payload_size_kb = producer["payloadSizeKB"],
          .payload_entropy = producer["payloadEntropy"],
          .write_mode = value_of(kWriteModes, producer["writeMode"]),
          .connections = producer["connections"],
          .worker_count = producer["workerCount"],
          .arrival = value_of(kArrivals, producer["arrival"])};
}

Mock mock_from(const json& mock) {
  Mock result{.jitter_ms = mock["jitterMs"],
              .error_rate = mock["errorRate"],
              .max_records_per_sec = mock["maxRecordsPerSec"],
              .stalls = {}};
  for (const json& stall : mock["stalls"]) result.stalls.push_back({stall["atSec"], stall["durationSec"]});
  return result;
}

Consumer consumer_from(const json& consumer) {
  return {.flush_batch_size = consumer["flushBatchSize"],
          .flush_interval_ms = consumer["flushIntervalMs"],
          .max_flush_concurrency = consumer["maxFlushConcurrency"],
          .use_mock_clickhouse = consumer["useMockClickhouse"],
          .mock_clickhouse_delay_ms = consumer["mockClickhouseDelay"],
          .mock = mock_from(consumer["mock"]),
          .insert_format = value_of(kInsertFormats, consumer["insertFormat"]),
          .compression = value_of(kCompressions, consumer["compression"]),
          .ack_policy = value_of(kAckPolicies, consumer["ackPolicy"]),
          .max_buffered_mb = consumer["maxBufferedMB"],
          .binary = consumer["binary"],
          .proto_version = consumer["protoVersion"],
          .streaming = value_of(kStreamings, consumer["streaming"]),
          .slot_name = consumer["slotName"],
          .publication_name = consumer["publicationName"]};
}

Database database_from(const json& database) {
  Database result{.url = std::nullopt,
                  .profiling_database = database["profilingDatabase"],
                  .copy_schema_from = std::nullopt,
                  .keep = database["keep"],
                  .replica_identity = value_of(kReplicaIdentities, database["replicaIdentity"]),
                  .settings = {},
                  .give_up_sec = database["giveUpSec"]};
  if (database.contains("url") && database["url"] != "private") result.url = database["url"];
  if (database.contains("copySchemaFrom")) result.copy_schema_from = database["copySchemaFrom"];
  for (const auto& [name, value] : database["settings"].items()) {
    result.settings[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return result;
}

Clickhouse clickhouse_from(const json& clickhouse) {
  Clickhouse result{.url = std::nullopt,
                    .is_private = clickhouse.value("url", "") == "private",
                    .database = clickhouse["database"],
                    .give_up_sec = clickhouse["giveUpSec"]};
  if (clickhouse.contains("url") && !result.is_private) result.url = clickhouse["url"];
  return result;
}

json to_json(const Phase& phase) {
  json result{{"name", phase.name},
              {"durationSec", number_json(phase.duration_sec)},
              {"targetThroughput", to_json(phase.load)},
              {"warmup", phase.warmup}};
  if (phase.records) result["records"] = *phase.records;
  return result;
}

json to_json(const Producer& producer) {
  return {{"preloadRows", producer.preload_rows},
          {"maxLiveRows", producer.max_live_rows},
          {"insertUpdateRatio", number_json(producer.insert_update_ratio)},
          {"deleteRatio", number_json(producer.delete_ratio)},
          {"batchSize", producer.batch_size},
          {"payloadSizeKB", number_json(producer.payload_size_kb)},
          {"payloadEntropy", number_json(producer.payload_entropy)},
          {"writeMode", word_of(kWriteModes, producer.write_mode)},
          {"connections", producer.connections},
          {"workerCount", producer.worker_count},
          {"arrival", word_of(kArrivals, producer.arrival)}};
}

json to_json(const Mock& mock) {
  json stalls = json::array();
  for (const Stall& stall : mock.stalls) {
    stalls.push_back(
        {{"atSec", number_json(stall.at_sec)}, {"durationSec", number_json(stall.duration_sec)}});
  }
  return {{"jitterMs", number_json(mock.jitter_ms)},
          {"errorRate", number_json(mock.error_rate)},
          {"maxRecordsPerSec", number_json(mock.max_records_per_sec)},
          {"stalls", std::move(stalls)}};
}

json to_json(const Consumer& consumer) {
  return {{"flushBatchSize", consumer.flush_batch_size},
          {"flushIntervalMs", consumer.flush_interval_ms},
          {"maxFlushConcurrency", consumer.max_flush_concurrency},
          {"useMockClickhouse", consumer.use_mock_clickhouse},
          {"mockClickhouseDelay", number_json(consumer.mock_clickhouse_delay_ms)},
          {"mock", to_json(consumer.mock)},
          {"insertFormat", word_of(kInsertFormats, consumer.insert_format)},
          {"compression", word_of(kCompressions, consumer.compression)},
          {"ackPolicy", word_of(kAckPolicies, consumer.ack_policy)},
          {"maxBufferedMB", consumer.max_buffered_mb},
          {"binary", consumer.binary},
          {"protoVersion", consumer.proto_version},
          {"streaming", word_of(kStreamings, consumer.streaming)},
          {"slotName", consumer.slot_name},
          {"publicationName", consumer.publication_name}};
}

json to_json(const Database& database) {
  json result{{"url", database.url.value_or("private")},
              {"profilingDatabase", database.profiling_database},
              {"keep", database.keep},
              {"replicaIdentity", word_of(kReplicaIdentities, database.replica_identity)},
              {"settings", database.settings},
              {"giveUpSec", number_json(database.give_up_sec)}};
  if (database.copy_schema_from) result["copySchemaFrom"] = *database.copy_schema_from;
  return result;
}

json to_json(const Clickhouse& clickhouse) {
  json result{{"database", clickhouse.database}, {"giveUpSec", number_json(clickhouse.give_up_sec)}};
  if (clickhouse.url) result["url"] = *clickhouse.url;
  if (clickhouse.is_private) result["url"] = "private";
  return result;
}

constexpr const char* kOneAtATime = "oneAtATime";

/// Beside `mode` and `repeats` every key is one of the config's, with the values it is to take.
Sweep sweep_from(const json& document) {
  Sweep sweep{.axes = {}, .one_at_a_time = document["mode"] == kOneAtATime, .repeats = document["repeats"]};
  for (const auto& [key, values] : document.items()) {
    if (key == "mode" || key == "repeats") continue;
    SweepAxis& axis = sweep.axes.emplace_back(SweepAxis{key, {}});
    for (const json& value : values) axis.values.push_back(value.dump());
  }
  return sweep;
}

json to_json(const Sweep& sweep) {
  json result{{"mode", sweep.one_at_a_time ? kOneAtATime : "full"}, {"repeats", sweep.repeats}};
  for (const SweepAxis& axis : sweep.axes) {
    result[axis.key] = json::array();
    for (const std::string& value : axis.values) result[axis.key].push_back(json::parse(value));
  }
  return result;
}

/// A list of words; "both" stands for the two that were there first.
std::set<ProfilingTool> profiling_tools_from(const std::string& text) {
  std::set<ProfilingTool> tools;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    if (word == "both") tools.insert({ProfilingTool::doctor, ProfilingTool::flame});
    if (word != "both" && word != "none") tools.insert(value_of(kProfilingTools, word));
  }
  return tools;
}

std::string text_of(const std::set<ProfilingTool>& tools) {
  std::string text;
  for (const ProfilingTool tool : tools)
    text += (text.empty() ? "" : ",") + std::string(word_of(kProfilingTools, tool));
  return text.empty() ? "none" : text;
}

Profiling profiling_from(const json& profiling) {
  return {.enabled = profiling["enabled"],
          .tools = profiling_tools_from(profiling["tool"]),
          .targets = profiling["targets"],
          .frequency_hz = profiling["frequencyHz"]};
}

json to_json(const Profiling& profiling, const std::string& output_dir) {
  return {{"enabled", profiling.enabled},
          {"tool", text_of(profiling.tools)},
          {"targets", profiling.targets},
          {"frequencyHz", profiling.frequency_hz},
          {"outputDir", output_dir}};
}

}  // namespace

std::uint64_t buffered_bytes_max(const Consumer& consumer) {
  return std::uint64_t{consumer.max_buffered_mb} << 20U;
}

std::uint64_t streamed_bytes_max(const Consumer& consumer) {
  return consumer.streaming == Streaming::off ? 0 : buffered_bytes_max(consumer) / 4;
}

std::uint64_t batch_bytes_max(const Consumer& consumer) {
  return buffered_bytes_max(consumer) - streamed_bytes_max(consumer);
}

Config from_json(const json& document) {
  Config config{.name = document["name"],
                .description = document.value("description", ""),
                .seed = document["seed"],
                .phases = {},
                .producer = producer_from(document["producer"]),
                .consumer = consumer_from(document["consumer"]),
                .database = database_from(document["database"]),
                .clickhouse = clickhouse_from(document["clickhouse"]),
                .thresholds = {},
                .sweep = sweep_from(document["sweep"]),
                .profiling = profiling_from(document["profiling"]),
                .output_dir = document["profiling"]["outputDir"],
                .drain_timeout_sec = document["drain"]["timeoutSec"],
                .stop_grace_sec = document["stop"]["graceSec"]};
  for (const json& phase : document["phases"]) {
    config.phases.push_back(phase_from(phase, document["producer"]["targetThroughput"]));
  }
  for (const json& each : document["thresholds"]) {
    Threshold& threshold = config.thresholds.emplace_back(threshold_from(each));
    if (threshold.phase) threshold.phase = without_secrets(*threshold.phase);  // as the phase is called here
  }
  return config;
}

json to_json(const Load& load) {
  if (const auto* constant = std::get_if<ConstantLoad>(&load)) return number_json(constant->rate);
  if (const auto* ramp = std::get_if<RampLoad>(&load)) {
    return {{"from", number_json(ramp->from)}, {"to", number_json(ramp->to)}};
  }
  return "max";
}

json to_json(const Config& config) {
  json result{{"name", config.name},
              {"seed", config.seed},
              {"phases", json::array()},
              {"producer", to_json(config.producer)},
              {"consumer", to_json(config.consumer)},
              {"database", to_json(config.database)},
              {"clickhouse", to_json(config.clickhouse)},
              {"thresholds", json::array()},
              {"sweep", to_json(config.sweep)},
              {"profiling", to_json(config.profiling, config.output_dir)},
              {"drain", {{"timeoutSec", number_json(config.drain_timeout_sec)}}},
              {"stop", {{"graceSec", number_json(config.stop_grace_sec)}}}};
  if (!config.description.empty()) result["description"] = config.description;
  for (const Phase& phase : config.phases) result["phases"].push_back(to_json(phase));
  for (const Threshold& threshold : config.thresholds) result["thresholds"].push_back(to_json(threshold));
  hide_secrets_in(result);
  return result;
}

}  // namespace walstorm::config
