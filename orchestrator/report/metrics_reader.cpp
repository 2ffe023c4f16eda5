#include "orchestrator/report/metrics_reader.h"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "orchestrator/text/json_fields.h"
#include "orchestrator/text/named.h"
#include "proto/wire/error.h"

namespace walstorm::report {
namespace {

using nlohmann::json;
using wire::Error;
using wire::ErrorKind;

constexpr int kSchemaVersion = 1;

void read(const json& from, measure::Distribution& d) {
  text::take(from, "count", d.count);
  text::take(from, "min", d.min);
  text::take(from, "mean", d.mean);
  text::take(from, "stddev", d.stddev);
  text::take(from, "p2_5", d.p2_5);
  text::take(from, "p50", d.p50);
  text::take(from, "p90", d.p90);
  text::take(from, "p95", d.p95);
  text::take(from, "p97_5", d.p97_5);
  text::take(from, "p99", d.p99);
  text::take(from, "p999", d.p999);
  text::take(from, "max", d.max);
}

void read(const json& from, measure::ProducerReport& p) {
  p.told = !text::field(from, "records").is_null();
  text::take(from, "records", p.records);
  text::take(from, "inserts", p.inserts);
  text::take(from, "updates", p.updates);
  text::take(from, "deletes", p.deletes);
  text::take(from, "becameInserts", p.became_inserts);
  text::take(from, "transactions", p.transactions);
  text::take(from, "bytes", p.bytes);
  text::take(from, "throughput", p.throughput);
  read(text::field(from, "throughputPerSec"), p.throughput_per_sec);
  text::take(from, "targetRatio", p.target_ratio);
  text::take(from, "notStarted", p.not_started);
  text::take(from, "errors", p.errors);
  text::take(from, "errorsBySqlstate", p.errors_by_sqlstate);
  text::take(from, "recordsFailed", p.records_failed);
  text::take(from, "errorRate", p.error_rate);
  read(text::field(from, "writeLatencyMs"), p.write_latency_ms);
  text::take(from, "censored", p.censored);
  read(text::field(from, "serviceTimeMs"), p.service_time_ms);
  read(text::field(from, "scheduleLagMs"), p.schedule_lag_ms);
  text::take(from, "cpuMicrosPerRecord", p.cpu_micros_per_record);
}

void read(const json& from, measure::ConsumerReport& c) {
  c.told = !text::field(from, "records").is_null();
  text::take(from, "records", c.records);
  text::take(from, "batches", c.batches);
  text::take(from, "bytes", c.bytes);
  text::take(from, "encodedBytes", c.encoded_bytes);
  text::take(from, "wireBytes", c.wire_bytes);
  text::take(from, "recordsPerFlush", c.records_per_flush);
  text::take(text::field(from, "parts"), "created", c.parts_created);
  text::take(text::field(from, "parts"), "activeMax", c.parts_active_max);
  text::take(text::field(from, "parts"), "activeEnd", c.parts_active_end);
  text::take(from, "throughput", c.throughput);
  read(text::field(from, "throughputPerSec"), c.throughput_per_sec);
  text::take(from, "errors", c.errors);
  text::take(from, "retries", c.retries);
  text::take(from, "flushErrorLast", c.flush_error_last);
  text::take(from, "errorRate", c.error_rate);
  read(text::field(from, "lagMs"), c.lag_ms);
  text::take(from, "censored", c.censored);
  read(text::field(from, "receiveMs"), c.receive_ms);
  read(text::field(from, "queueMs"), c.queue_ms);
  read(text::field(from, "flushMs"), c.flush_ms);
  text::take(text::field(from, "walBehindBytes"), "max", c.wal_behind_bytes_max);
  text::take(text::field(from, "walBehindBytes"), "end", c.wal_behind_bytes_end);
  text::take(text::field(from, "loopUtilization"), "mean", c.loop_utilization_mean);
  text::take(text::field(from, "loopUtilization"), "max", c.loop_utilization_max);
  text::take(from, "bufferedBytesMax", c.buffered_bytes_max);
  text::take(from, "batchBytesMax", c.batch_bytes_max);
  text::take(from, "heapBytesMax", c.heap_bytes_max);
  text::take(from, "cpuMicrosPerRecord", c.cpu_micros_per_record);
}

void read(const json& from, measure::ProcessReport& p) {
  text::take(from, "role", p.role);
  text::take(from, "pid", p.pid);
  text::take(from, "cpuUserSec", p.cpu_user_sec);
  text::take(from, "cpuSystemSec", p.cpu_system_sec);
  text::take(from, "cpuMicrosPerRecord", p.cpu_micros_per_record);
  text::take(from, "cpuShare", p.cpu_share);
  text::take(from, "cpuWaitShare", p.cpu_wait_share);
  text::take(from, "rssMaxBytes", p.rss_max_bytes);
  text::take(from, "contextSwitches", p.context_switches);
}

void read(const json& from, measure::Range& range) {
  text::take(from, "min", range.min);
  text::take(from, "max", range.max);
  text::take(from, "end", range.end);
}

void read(const json& from, measure::Rung& rung) {
  read(text::field(from, "bytes"), rung.bytes);
  read(text::field(from, "sec"), rung.sec);
}

void read(const json& from, measure::LadderReport& ladder) {
  read(text::field(from, "headToSent"), ladder.head_to_sent);
  read(text::field(from, "sentToReceived"), ladder.sent_to_received);
  read(text::field(from, "receivedToFlushed"), ladder.received_to_flushed);
  read(text::field(from, "flushedToConfirmed"), ladder.flushed_to_confirmed);
}

void read(const json& from, measure::PostgresReport& postgres) {
  text::take(from, "walStatus", postgres.wal_status);
  text::take(from, "safeWalBytesMin", postgres.safe_wal_bytes_min);
  text::take(from, "spilledTransactions", postgres.spilled_transactions);
  text::take(from, "spilledBytes", postgres.spilled_bytes);
  text::take(from, "streamedTransactions", postgres.streamed_transactions);
  text::take(from, "streamedBytes", postgres.streamed_bytes);
  text::take(from, "walsenderStates", postgres.walsender_states);
  text::take(from, "walsenderWaits", postgres.walsender_waits);
  text::take(from, "writerWaits", postgres.writer_waits);
}

void read(const json& from, measure::PipeCourse& course) {
  text::take(from, "lagEarlySec", course.lag_early_sec);
  text::take(from, "lagFloorSec", course.lag_floor_sec);
  text::take(from, "lagReturnSec", course.lag_return_sec);
  text::take(from, "lagBeforeEndSec", course.lag_before_end_sec);
  text::take(from, "lagEndSec", course.lag_end_sec);
  text::take(from, "lagCloseSec", course.lag_close_sec);
  text::take(from, "lagHighSec", course.lag_high_sec);
  text::take(from, "lagBeforeLastSec", course.lag_before_last_sec);
  text::take(from, "lagLastSec", course.lag_last_sec);
  text::take(from, "saturatedFromSec", course.saturated_from_sec);
  text::take(from, "acknowledgedPerSec", course.acknowledged_per_sec);
  text::take(from, "producedPerSec", course.produced_per_sec);
  const json& still = text::field(from, "standstill");
  if (text::field(still, "fromSec").is_null()) return;
  measure::Standstill& standstill = course.standstill.emplace();
  text::take(still, "fromSec", standstill.from_sec);
  text::take(still, "toSec", standstill.to_sec);
  text::take(still, "toTheEnd", standstill.to_the_end);
  text::take(still, "waiting", standstill.waiting);
}

void read(const json& from, measure::BusyReport& busy) {
  text::take(from, "consumerLoop", busy.consumer_loop);
  text::take(from, "connections", busy.connections);
  text::take(from, "connectionMax", busy.connection_max);
  text::take(from, "connectionMin", busy.connection_min);
  text::take(from, "flushes", busy.flushes);
  text::take(from, "flushesFull", busy.flushes_full);
  text::take(from, "cpus", busy.cpus);
  text::take(from, "machine", busy.machine);
}

void read(const json& from, measure::ChangeLedger& l) {
  text::take(from, "produced", l.produced);
  text::take(from, "received", l.received);
  text::take(from, "acknowledged", l.acknowledged);
  text::take(from, "missing", l.missing);
  text::take(from, "duplicated", l.duplicated);
  text::take(from, "replayed", l.replayed);
  text::take(from, "inTransit", l.in_transit);
  text::take(from, "checksumMatches", l.checksum_matches);
  text::take(from, "brokenAt", l.broken_at);
}

void read(const json& from, measure::RowLedger& l) {
  text::take(from, "expected", l.expected);
  text::take(from, "postgres", l.postgres);
  text::take(from, "landed", l.landed);
  text::take(from, "inTransit", l.in_transit);
  text::take(from, "checksumMatches", l.checksum_matches);
  text::take(from, "brokenAt", l.broken_at);
}

void read(const json& from, measure::ContentLedger& l) {
  text::take(from, "sampled", l.sampled);
  text::take(from, "postgresMatches", l.postgres_matches);
  text::take(from, "landedMatches", l.landed_matches);
  text::take(from, "differences", l.differences);
}

/// A word of an enum; `value` stays where there is none.
template <typename T>
void take_word(const json& from, const char* key, T last, T& value) {
  std::string word;
  text::take(from, key, word);
  if (!word.empty()) value = text::named(word, last);
}

void read(const json& from, measure::Verdict& v) {
  take_word(from, "state", measure::VerdictState::failed, v.state);
  take_word(from, "bottleneck", measure::Bottleneck::unknown, v.bottleneck);
  text::take(from, "capacityEstimate", v.capacity_estimate);
  text::take(from, "windowNeededSec", v.window_needed_sec);
  for (const json& each : text::field(from, "evidence")) {
    measure::Evidence& evidence = v.evidence.emplace_back();
    text::take(each, "figure", evidence.figure);
    text::take(each, "value", evidence.value);
    text::take(each, "limit", evidence.limit);
    text::take(each, "says", evidence.says);
  }
  text::take(from, "tryNext", v.try_next);
}

void read(const json& from, measure::ThresholdResult& t) {
  text::take(from, "expr", t.expr);
  text::take(from, "passed", t.passed);
  text::take(from, "observed", t.observed);
  text::take(from, "limit", t.limit);
  text::take(from, "windowSec", t.window_sec);
  text::take(from, "says", t.says);
}

config::Load load_from(const json& target) {
  if (target.is_object()) {
    config::RampLoad ramp;
    text::take(target, "from", ramp.from);
    text::take(target, "to", ramp.to);
    return ramp;
  }
  if (target.is_string()) return config::MaxLoad{};
  if (!target.is_number()) throw Error(ErrorKind::data, "\"targetThroughput\" is no target");
  return config::ConstantLoad{target.get<double>()};
}

/// "2026-01-31T12:00:00.123Z", as iso_time() writes it.
void take_time(const json& from, const char* key, std::int64_t& unix_us) {
  std::string text;
  text::take(from, key, text);
  std::tm parts{};
  int milliseconds = 0;
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || std::sscanf(rest, ".%3dZ", &milliseconds) != 1)
    throw Error(ErrorKind::data, fmt::format("\"{}\" is no time", key));
  unix_us = (static_cast<std::int64_t>(::timegm(&parts)) * 1000 + milliseconds) * 1000;
}

measure::PhaseReport phase_from(const json& from) {
  measure::PhaseReport phase;
  text::take(from, "name", phase.name);
  text::take(from, "warmup", phase.warmup);
  take_word(from, "outcome", measure::Outcome::interrupted, phase.outcome);
  if (!text::field(from, "startedAt").is_null())
    take_time(from, "startedAt", phase.started_at_unix_us.emplace());
  text::take(from, "durationSec", phase.duration_sec);
  phase.target = load_from(text::field(from, "targetThroughput"));
  read(text::field(from, "producer"), phase.producer);
  read(text::field(from, "consumer"), phase.consumer);
  for (const json& each : text::field(from, "processes")) read(each, phase.processes.emplace_back());
  read(text::field(from, "ladder"), phase.ladder);
  read(text::field(from, "postgres"), phase.postgres);
  read(text::field(from, "course"), phase.course);
  read(text::field(from, "busy"), phase.busy);
  text::take(text::field(from, "drain"), "completed", phase.drain.completed);
  text::take(text::field(from, "drain"), "durationSec", phase.drain.duration_sec);
  read(text::field(from, "ledger"), phase.ledger);
  read(text::field(from, "verdict"), phase.verdict);
  for (const json& each : text::field(from, "thresholds")) read(each, phase.thresholds.emplace_back());
  text::take(from, "notes", phase.notes);
  return phase;
}

void read(const json& from, measure::Environment& e) {
  text::take(from, "host", e.host);
  text::take(from, "kernel", e.kernel);
  text::take(from, "cpuModel", e.cpu_model);
  text::take(from, "cpuCount", e.cpu_count);
  text::take(from, "memoryBytes", e.memory_bytes);
  text::take(from, "postgresVersion", e.postgres_version);
  text::take(from, "postgresSettings", e.postgres_settings);
  text::take(from, "clickhouseVersion", e.clickhouse_version);
  for (const json& each : text::field(from, "clocks")) {
    measure::ClockReport& clock = e.clocks.emplace_back();
    double ahead_ms = 0;
    double error_ms = 0;
    text::take(each, "role", clock.role);
    text::take(each, "aheadMs", ahead_ms);
    text::take(each, "errorMs", error_ms);
    clock.ahead_us = std::llround(ahead_ms * 1000);
    clock.error_us = std::llround(error_ms * 1000);
  }
}

measure::RunReport report_from(const json& document) {
  measure::RunReport report;
  const json& run = text::field(document, "run");
  text::take(run, "name", report.name);
  take_time(run, "startedAt", report.started_at_unix_us);
  take_time(run, "endedAt", report.ended_at_unix_us);
  take_word(run, "outcome", measure::Outcome::interrupted, report.outcome);
  text::take(run, "exitCode", report.exit_code);
  text::take(run, "failure", report.failure);
  text::take(run, "notes", report.notes);
  read(text::field(document, "environment"), report.environment);
  for (const json& each : text::field(document, "phases")) report.phases.push_back(phase_from(each));
  const json& ledger = text::field(document, "ledger");
  read(text::field(ledger, "changes"), report.changes);
  read(text::field(ledger, "rows"), report.rows);
  read(text::field(ledger, "content"), report.content);
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
  text::take(from, "version", tool.version);
  text::take(from, "gitRevision", tool.git_revision);
  text::take(from, "buildType", tool.build_type);
  return tool;
}

constexpr const char* kWhatToDo = "name the folder of a run; `walstorm list` shows them";

}  // namespace

RecordedRun parse_run(std::string_view text, const std::string& source) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("run") ||
      text::field(document, "schemaVersion") != kSchemaVersion) {
    throw Error(ErrorKind::config,
                fmt::format("{}: is not the report of a run that this version knows; {}", source, kWhatToDo));
  }
  try {
    RecordedRun run{report_from(document), tool_from(text::field(document, "tool")), {}};
    add_leaves(text::field(document, "config"), "", run.config);
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
