#include "orchestrator/report/metrics_reader.h"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "orchestrator/report/json_fields.h"
#include "orchestrator/report/named.h"
#include "proto/wire/error.h"

namespace walstorm::report {
namespace {

using nlohmann::json;
using wire::Error;
using wire::ErrorKind;

constexpr int kSchemaVersion = 1;

void read(const json& from, measure::Distribution& d) {
  take(from, "count", d.count);
  take(from, "min", d.min);
  take(from, "mean", d.mean);
  take(from, "stddev", d.stddev);
  take(from, "p2_5", d.p2_5);
  take(from, "p50", d.p50);
  take(from, "p90", d.p90);
  take(from, "p95", d.p95);
  take(from, "p97_5", d.p97_5);
  take(from, "p99", d.p99);
  take(from, "p999", d.p999);
  take(from, "max", d.max);
}

void read(const json& from, measure::ProducerReport& p) {
  p.told = !field(from, "records").is_null();
  take(from, "records", p.records);
  take(from, "inserts", p.inserts);
  take(from, "updates", p.updates);
  take(from, "deletes", p.deletes);
  take(from, "becameInserts", p.became_inserts);
  take(from, "transactions", p.transactions);
  take(from, "bytes", p.bytes);
  take(from, "throughput", p.throughput);
  read(field(from, "throughputPerSec"), p.throughput_per_sec);
  take(from, "targetRatio", p.target_ratio);
  take(from, "notStarted", p.not_started);
  take(from, "errors", p.errors);
  take(from, "errorsBySqlstate", p.errors_by_sqlstate);
  take(from, "recordsFailed", p.records_failed);
  take(from, "errorRate", p.error_rate);
  read(field(from, "writeLatencyMs"), p.write_latency_ms);
  take(from, "censored", p.censored);
  read(field(from, "serviceTimeMs"), p.service_time_ms);
  read(field(from, "scheduleLagMs"), p.schedule_lag_ms);
  take(from, "cpuMicrosPerRecord", p.cpu_micros_per_record);
}

void read(const json& from, measure::ConsumerReport& c) {
  c.told = !field(from, "records").is_null();
  take(from, "records", c.records);
  take(from, "batches", c.batches);
  take(from, "bytes", c.bytes);
  take(from, "encodedBytes", c.encoded_bytes);
  take(from, "wireBytes", c.wire_bytes);
  take(from, "recordsPerFlush", c.records_per_flush);
  take(field(from, "parts"), "created", c.parts_created);
  take(field(from, "parts"), "activeMax", c.parts_active_max);
  take(field(from, "parts"), "activeEnd", c.parts_active_end);
  take(from, "throughput", c.throughput);
  read(field(from, "throughputPerSec"), c.throughput_per_sec);
  take(from, "errors", c.errors);
  take(from, "retries", c.retries);
  take(from, "flushErrorLast", c.flush_error_last);
  take(from, "errorRate", c.error_rate);
  read(field(from, "lagMs"), c.lag_ms);
  take(from, "censored", c.censored);
  read(field(from, "receiveMs"), c.receive_ms);
  read(field(from, "queueMs"), c.queue_ms);
  read(field(from, "flushMs"), c.flush_ms);
  take(field(from, "walBehindBytes"), "max", c.wal_behind_bytes_max);
  take(field(from, "walBehindBytes"), "end", c.wal_behind_bytes_end);
  take(field(from, "loopUtilization"), "mean", c.loop_utilization_mean);
  take(field(from, "loopUtilization"), "max", c.loop_utilization_max);
  take(from, "bufferedBytesMax", c.buffered_bytes_max);
  take(from, "batchBytesMax", c.batch_bytes_max);
  take(from, "heapBytesMax", c.heap_bytes_max);
  take(from, "cpuMicrosPerRecord", c.cpu_micros_per_record);
}

void read(const json& from, measure::ProcessReport& p) {
  take(from, "role", p.role);
  take(from, "pid", p.pid);
  take(from, "cpuUserSec", p.cpu_user_sec);
  take(from, "cpuSystemSec", p.cpu_system_sec);
  take(from, "cpuMicrosPerRecord", p.cpu_micros_per_record);
  take(from, "cpuShare", p.cpu_share);
  take(from, "cpuWaitShare", p.cpu_wait_share);
  take(from, "rssMaxBytes", p.rss_max_bytes);
  take(from, "contextSwitches", p.context_switches);
}

void read(const json& from, measure::Range& range) {
  take(from, "min", range.min);
  take(from, "max", range.max);
  take(from, "end", range.end);
}

void read(const json& from, measure::Rung& rung) {
  read(field(from, "bytes"), rung.bytes);
  read(field(from, "sec"), rung.sec);
}

void read(const json& from, measure::LadderReport& ladder) {
  read(field(from, "headToSent"), ladder.head_to_sent);
  read(field(from, "sentToReceived"), ladder.sent_to_received);
  read(field(from, "receivedToFlushed"), ladder.received_to_flushed);
  read(field(from, "flushedToConfirmed"), ladder.flushed_to_confirmed);
}

void read(const json& from, measure::PostgresReport& postgres) {
  take(from, "walStatus", postgres.wal_status);
  take(from, "safeWalBytesMin", postgres.safe_wal_bytes_min);
  take(from, "spilledTransactions", postgres.spilled_transactions);
  take(from, "spilledBytes", postgres.spilled_bytes);
  take(from, "streamedTransactions", postgres.streamed_transactions);
  take(from, "streamedBytes", postgres.streamed_bytes);
  take(from, "walsenderStates", postgres.walsender_states);
  take(from, "walsenderWaits", postgres.walsender_waits);
  take(from, "writerWaits", postgres.writer_waits);
}

void read(const json& from, measure::PipeCourse& course) {
  take(from, "lagEarlySec", course.lag_early_sec);
  take(from, "lagFloorSec", course.lag_floor_sec);
  take(from, "lagReturnSec", course.lag_return_sec);
  take(from, "lagBeforeEndSec", course.lag_before_end_sec);
  take(from, "lagEndSec", course.lag_end_sec);
  take(from, "lagCloseSec", course.lag_close_sec);
  take(from, "lagHighSec", course.lag_high_sec);
  take(from, "lagBeforeLastSec", course.lag_before_last_sec);
  take(from, "lagLastSec", course.lag_last_sec);
  take(from, "saturatedFromSec", course.saturated_from_sec);
  take(from, "acknowledgedPerSec", course.acknowledged_per_sec);
  take(from, "producedPerSec", course.produced_per_sec);
  const json& still = field(from, "standstill");
  if (field(still, "fromSec").is_null()) return;
  measure::Standstill& standstill = course.standstill.emplace();
  take(still, "fromSec", standstill.from_sec);
  take(still, "toSec", standstill.to_sec);
  take(still, "toTheEnd", standstill.to_the_end);
  take(still, "waiting", standstill.waiting);
}

void read(const json& from, measure::BusyReport& busy) {
  take(from, "consumerLoop", busy.consumer_loop);
  take(from, "connections", busy.connections);
  take(from, "connectionMax", busy.connection_max);
  take(from, "connectionMin", busy.connection_min);
  take(from, "flushes", busy.flushes);
  take(from, "flushesFull", busy.flushes_full);
  take(from, "cpus", busy.cpus);
  take(from, "machine", busy.machine);
}

void read(const json& from, measure::ChangeLedger& l) {
  take(from, "produced", l.produced);
  take(from, "received", l.received);
  take(from, "acknowledged", l.acknowledged);
  take(from, "missing", l.missing);
  take(from, "duplicated", l.duplicated);
  take(from, "replayed", l.replayed);
  take(from, "inTransit", l.in_transit);
  take(from, "checksumMatches", l.checksum_matches);
  take(from, "brokenAt", l.broken_at);
}

void read(const json& from, measure::RowLedger& l) {
  take(from, "expected", l.expected);
  take(from, "postgres", l.postgres);
  take(from, "landed", l.landed);
  take(from, "inTransit", l.in_transit);
  take(from, "checksumMatches", l.checksum_matches);
  take(from, "brokenAt", l.broken_at);
}

void read(const json& from, measure::ContentLedger& l) {
  take(from, "sampled", l.sampled);
  take(from, "postgresMatches", l.postgres_matches);
  take(from, "landedMatches", l.landed_matches);
  take(from, "differences", l.differences);
}

/// A word of an enum; `value` stays where there is none.
template <typename T>
void take_word(const json& from, const char* key, T last, T& value) {
  std::string word;
  take(from, key, word);
  if (!word.empty()) value = named(word, last);
}

void read(const json& from, measure::Verdict& v) {
  take_word(from, "state", measure::VerdictState::failed, v.state);
  take_word(from, "bottleneck", measure::Bottleneck::unknown, v.bottleneck);
  take(from, "capacityEstimate", v.capacity_estimate);
  take(from, "windowNeededSec", v.window_needed_sec);
  for (const json& each : field(from, "evidence")) {
    measure::Evidence& evidence = v.evidence.emplace_back();
    take(each, "figure", evidence.figure);
    take(each, "value", evidence.value);
    take(each, "limit", evidence.limit);
    take(each, "says", evidence.says);
  }
  take(from, "tryNext", v.try_next);
}

void read(const json& from, measure::ThresholdResult& t) {
  take(from, "expr", t.expr);
  take(from, "passed", t.passed);
  take(from, "observed", t.observed);
  take(from, "limit", t.limit);
  take(from, "windowSec", t.window_sec);
  take(from, "says", t.says);
}

config::Load load_from(const json& target) {
  if (target.is_object()) {
    config::RampLoad ramp;
    take(target, "from", ramp.from);
    take(target, "to", ramp.to);
    return ramp;
  }
  if (target.is_string()) return config::MaxLoad{};
  if (!target.is_number()) throw Error(ErrorKind::data, "\"targetThroughput\" is no target");
  return config::ConstantLoad{target.get<double>()};
}

/// "2026-01-31T12:00:00.123Z", as iso_time() writes it.
void take_time(const json& from, const char* key, std::int64_t& unix_us) {
  std::string text;
  take(from, key, text);
  std::tm parts{};
  int milliseconds = 0;
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || std::sscanf(rest, ".%3dZ", &milliseconds) != 1)
    throw Error(ErrorKind::data, fmt::format("\"{}\" is no time", key));
  unix_us = (static_cast<std::int64_t>(::timegm(&parts)) * 1000 + milliseconds) * 1000;
}

measure::PhaseReport phase_from(const json& from) {
  measure::PhaseReport phase;
  take(from, "name", phase.name);
  take(from, "warmup", phase.warmup);
  take_word(from, "outcome", measure::Outcome::interrupted, phase.outcome);
  if (!field(from, "startedAt").is_null()) take_time(from, "startedAt", phase.started_at_unix_us.emplace());
  take(from, "durationSec", phase.duration_sec);
  phase.target = load_from(field(from, "targetThroughput"));
  read(field(from, "producer"), phase.producer);
  read(field(from, "consumer"), phase.consumer);
  for (const json& each : field(from, "processes")) read(each, phase.processes.emplace_back());
  read(field(from, "ladder"), phase.ladder);
  read(field(from, "postgres"), phase.postgres);
  read(field(from, "course"), phase.course);
  read(field(from, "busy"), phase.busy);
  take(field(from, "drain"), "completed", phase.drain.completed);
  take(field(from, "drain"), "durationSec", phase.drain.duration_sec);
  read(field(from, "ledger"), phase.ledger);
  read(field(from, "verdict"), phase.verdict);
  for (const json& each : field(from, "thresholds")) read(each, phase.thresholds.emplace_back());
  take(from, "notes", phase.notes);
  return phase;
}

void read(const json& from, measure::Environment& e) {
  take(from, "host", e.host);
  take(from, "kernel", e.kernel);
  take(from, "cpuModel", e.cpu_model);
  take(from, "cpuCount", e.cpu_count);
  take(from, "memoryBytes", e.memory_bytes);
  take(from, "postgresVersion", e.postgres_version);
  take(from, "postgresSettings", e.postgres_settings);
  take(from, "clickhouseVersion", e.clickhouse_version);
  for (const json& each : field(from, "clocks")) {
    measure::ClockReport& clock = e.clocks.emplace_back();
    double ahead_ms = 0;
    double error_ms = 0;
    take(each, "role", clock.role);
    take(each, "aheadMs", ahead_ms);
    take(each, "errorMs", error_ms);
    clock.ahead_us = std::llround(ahead_ms * 1000);
    clock.error_us = std::llround(error_ms * 1000);
  }
}

measure::RunReport report_from(const json& document) {
  measure::RunReport report;
  const json& run = field(document, "run");
  take(run, "name", report.name);
  take_time(run, "startedAt", report.started_at_unix_us);
  take_time(run, "endedAt", report.ended_at_unix_us);
  take_word(run, "outcome", measure::Outcome::interrupted, report.outcome);
  take(run, "exitCode", report.exit_code);
  take(run, "failure", report.failure);
  take(run, "notes", report.notes);
  read(field(document, "environment"), report.environment);
  for (const json& each : field(document, "phases")) report.phases.push_back(phase_from(each));
  const json& ledger = field(document, "ledger");
  read(field(ledger, "changes"), report.changes);
  read(field(ledger, "rows"), report.rows);
  read(field(ledger, "content"), report.content);
  return report;
}

/// Every value that is no object or array, by its path as --set takes it: "phases.0.name".
void add_leaves(const json& value, const std::string& path, std::map<std::string, std::string>& leaves) {
  if (!value.is_structured()) {
    leaves[path] = value.is_string() ? value.get<std::string>() : value.dump();
    return;
  }
  std::size_t index = 0;
  for (const auto& [key, member] : value.items()) {
    const std::string name = value.is_array() ? std::to_string(index++) : key;
    add_leaves(member, path.empty() ? name : fmt::format("{}.{}", path, name), leaves);
  }
}

ToolVersion tool_from(const json& from) {
  ToolVersion tool{"", "unknown", ""};
  take(from, "version", tool.version);
  take(from, "gitRevision", tool.git_revision);
  take(from, "buildType", tool.build_type);
  return tool;
}

constexpr const char* kWhatToDo = "name the folder of a run; `walstorm list` shows them";

}  // namespace

RecordedRun parse_run(std::string_view text, const std::string& source) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("run") ||
      field(document, "schemaVersion") != kSchemaVersion) {
    throw Error(ErrorKind::config,
                fmt::format("{}: is not the report of a run that this version knows; {}", source, kWhatToDo));
  }
  try {
    RecordedRun run{report_from(document), tool_from(field(document, "tool")), {}};
    add_leaves(field(document, "config"), "", run.config);
    return run;
  } catch (const std::exception& error) {
    throw Error(ErrorKind::config,
                fmt::format("{}: is not the report of a run: {}; {}", source, error.what(), kWhatToDo));
  }
}

RecordedRun read_run(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kMetricsFile;
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    throw Error(ErrorKind::config,
                fmt::format("{}: there is no {} in it; {}", folder.string(), kMetricsFile, kWhatToDo));
  }
  std::stringstream text;
  text << in.rdbuf();
  RecordedRun run = parse_run(text.str(), file.string());
  run.report.folder = folder.string();
  return run;
}

}  // namespace walstorm::report
