#include "orchestrator/report/metrics_json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "orchestrator/report/observation_json.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/or_null.h"
#include "proto/wire/version.h"

namespace walstorm::report {
namespace {

using Json = nlohmann::ordered_json;

/// proto/wire/version.cmake writes "unknown" outside a clone.
Json known_git_revision() {
  const std::string revision = wire::kGitRevision;
  return text::or_null(revision == "unknown" ? "" : revision);
}

Json to_json(const measure::Distribution& d) {
  return {{"count", d.count},
          {"min", text::or_null(d.min)},
          {"mean", text::or_null(d.mean)},
          {"stddev", text::or_null(d.stddev)},
          {"p2_5", text::or_null(d.p2_5)},
          {"p50", text::or_null(d.p50)},
          {"p90", text::or_null(d.p90)},
          {"p95", text::or_null(d.p95)},
          {"p97_5", text::or_null(d.p97_5)},
          {"p99", text::or_null(d.p99)},
          {"p999", text::or_null(d.p999)},
          {"max", text::or_null(d.max)}};
}

Json to_json(const measure::ProducerReport& p) {
  return {{"records", text::or_null(p.known(p.records))},
          {"inserts", text::or_null(p.known(p.inserts))},
          {"updates", text::or_null(p.known(p.updates))},
          {"deletes", text::or_null(p.known(p.deletes))},
          {"becameInserts", text::or_null(p.known(p.became_inserts))},
          {"transactions", text::or_null(p.known(p.transactions))},
          {"bytes", text::or_null(p.known(p.bytes))},
          {"throughput", text::or_null(p.throughput)},
          {"throughputPerSec", to_json(p.throughput_per_sec)},
          {"targetRatio", text::or_null(p.target_ratio)},
          {"notStarted", text::or_null(p.not_started)},
          {"errors", text::or_null(p.known(p.errors))},
          {"errorsBySqlstate", p.told ? Json(p.errors_by_sqlstate) : Json(nullptr)},
          {"recordsFailed", text::or_null(p.known(p.records_failed))},
          {"errorRate", text::or_null(p.error_rate)},
          {"writeLatencyMs", to_json(p.write_latency_ms)},
          {"censored", text::or_null(p.censored)},
          {"serviceTimeMs", to_json(p.service_time_ms)},
          {"scheduleLagMs", to_json(p.schedule_lag_ms)},
          {"cpuMicrosPerRecord", text::or_null(p.cpu_micros_per_record)}};
}

Json to_json(const measure::ConsumerReport& c) {
  return {
      {"records", text::or_null(c.known(c.records))},
      {"batches", text::or_null(c.known(c.batches))},
      {"bytes", text::or_null(c.known(c.bytes))},
      {"encodedBytes", text::or_null(c.known(c.encoded_bytes))},
      {"wireBytes", text::or_null(c.known(c.wire_bytes))},
      {"recordsPerFlush", text::or_null(c.records_per_flush)},
      {"parts",
       {{"created", text::or_null(c.parts_created)},
        {"activeMax", text::or_null(c.parts_active_max)},
        {"activeEnd", text::or_null(c.parts_active_end)}}},
      {"throughput", text::or_null(c.throughput)},
      {"throughputPerSec", to_json(c.throughput_per_sec)},
      {"errors", text::or_null(c.known(c.errors))},
      {"retries", text::or_null(c.known(c.retries))},
      {"flushErrorLast", text::or_null(c.flush_error_last)},
      {"errorRate", text::or_null(c.error_rate)},
      {"lagMs", to_json(c.lag_ms)},
      {"censored", text::or_null(c.censored)},
      {"receiveMs", to_json(c.receive_ms)},
      {"queueMs", to_json(c.queue_ms)},
      {"flushMs", to_json(c.flush_ms)},
      {"walBehindBytes",
       {{"max", text::or_null(c.wal_behind_bytes_max)}, {"end", text::or_null(c.wal_behind_bytes_end)}}},
      {"loopUtilization",
       {{"mean", text::or_null(c.loop_utilization_mean)}, {"max", text::or_null(c.loop_utilization_max)}}},
      {"bufferedBytesMax", text::or_null(c.buffered_bytes_max)},
      {"batchBytesMax", text::or_null(c.batch_bytes_max)},
      {"heapBytesMax", text::or_null(c.heap_bytes_max)},
      {"cpuMicrosPerRecord", text::or_null(c.cpu_micros_per_record)}};
}

Json to_json(const measure::ProcessReport& p) {
  return {{"role", p.role},
          {"pid", text::or_null(p.pid)},
          {"cpuUserSec", text::or_null(p.cpu_user_sec)},
          {"cpuSystemSec", text::or_null(p.cpu_system_sec)},
          {"cpuMicrosPerRecord", text::or_null(p.cpu_micros_per_record)},
          {"cpuShare", text::or_null(p.cpu_share)},
          {"cpuWaitShare", text::or_null(p.cpu_wait_share)},
          {"rssMaxBytes", text::or_null(p.rss_max_bytes)},
          {"contextSwitches", text::or_null(p.context_switches)}};
}

Json to_json(const measure::ChangeLedger& l) {
  return {
      {"produced", text::or_null(l.produced)},         {"received", text::or_null(l.received)},
      {"acknowledged", text::or_null(l.acknowledged)}, {"missing", text::or_null(l.missing)},
      {"duplicated", text::or_null(l.duplicated)},     {"replayed", text::or_null(l.replayed)},
      {"inTransit", text::or_null(l.in_transit)},      {"checksumMatches", text::or_null(l.checksum_matches)},
      {"brokenAt", text::or_null(l.broken_at)}};
}

Json to_json(const measure::RowLedger& l) {
  return {{"expected", text::or_null(l.expected)},
          {"postgres", text::or_null(l.postgres)},
          {"landed", text::or_null(l.landed)},
          {"inTransit", text::or_null(l.in_transit)},
          {"checksumMatches", text::or_null(l.checksum_matches)},
          {"brokenAt", text::or_null(l.broken_at)}};
}

Json to_json(const measure::ContentLedger& l) {
  return {{"sampled", text::or_null(l.sampled)},
          {"postgresMatches", text::or_null(l.postgres_matches)},
          {"landedMatches", text::or_null(l.landed_matches)},
          {"differences", l.differences}};
}

Json to_json(const measure::Verdict& v) {
  Json evidence = Json::array();
  for (const measure::Evidence& e : v.evidence) {
    evidence.push_back(Json{{"figure", e.figure},
                            {"value", text::or_null(e.value)},
                            {"limit", text::or_null(e.limit)},
                            {"says", e.says}});
  }
  return {{"state", measure::to_string(v.state)},
          {"bottleneck", measure::to_string(v.bottleneck)},
          {"capacityEstimate", text::or_null(v.capacity_estimate)},
          {"windowNeededSec", text::or_null(v.window_needed_sec)},
          {"evidence", evidence},
          {"tryNext", v.try_next}};
}

Json to_json(const measure::PhaseReport& phase) {
  Json processes = Json::array();
  for (const auto& process : phase.processes) processes.push_back(to_json(process));
  Json thresholds = Json::array();
  for (const auto& t : phase.thresholds) {
    thresholds.push_back(Json{{"expr", t.expr},
                              {"passed", t.passed},
                              {"observed", text::or_null(t.observed)},
                              {"limit", text::or_null(t.limit)},
                              {"windowSec", text::or_null(t.window_sec)},
                              {"says", text::or_null(t.says)}});
  }
  return {{"name", phase.name},
          {"warmup", phase.warmup},
          {"outcome", measure::to_string(phase.outcome)},
          {"startedAt",
           phase.started_at_unix_us ? Json(text::iso_time(*phase.started_at_unix_us)) : Json(nullptr)},
          {"durationSec", text::or_null(phase.duration_sec)},
          {"targetThroughput", config::to_json(phase.target)},
          {"producer", to_json(phase.producer)},
          {"consumer", to_json(phase.consumer)},
          {"processes", processes},
          {"ladder", ladder_json(phase.ladder)},
          {"postgres", postgres_json(phase.postgres)},
          {"course", course_json(phase.course)},
          {"busy", busy_json(phase.busy)},
          {"drain",
           {{"completed", text::or_null(phase.drain.completed)},
            {"durationSec", text::or_null(phase.drain.duration_sec)}}},
          {"ledger", to_json(phase.ledger)},
          {"verdict", to_json(phase.verdict)},
          {"thresholds", thresholds},
          {"notes", phase.notes}};
}

/// Whole but for a container's share; null where it is not known.
Json cpus_json(double count) {
  if (count == 0) return nullptr;
  const auto whole = static_cast<std::uint64_t>(count);
  return static_cast<double>(whole) == count ? Json(whole) : text::or_null(count);
}

Json to_json(const measure::Environment& e) {
  return {{"host", text::or_null(e.host)},
          {"kernel", text::or_null(e.kernel)},
          {"cpuModel", text::or_null(e.cpu_model)},
          {"cpuCount", cpus_json(e.cpu_count)},
          {"memoryBytes", e.memory_bytes == 0 ? Json(nullptr) : Json(e.memory_bytes)},
          {"postgresVersion", text::or_null(e.postgres_version)},
          {"postgresSettings", e.postgres_settings},
          {"clickhouseVersion", text::or_null(e.clickhouse_version)},
          {"clocks", clocks_json(e.clocks)}};
}

}  // namespace

nlohmann::ordered_json metrics_json(const measure::RunReport& report, const nlohmann::json& config) {
  Json phases = Json::array();
  for (const auto& phase : report.phases) phases.push_back(to_json(phase));
  Json json;
  json["schemaVersion"] = 1;
  json["tool"] = {{"name", "walstorm"},
                  {"version", wire::kToolVersion},
                  {"gitRevision", known_git_revision()},
                  {"buildType", wire::kBuildType}};
  json["run"] = {{"name", report.name},
                 {"startedAt", text::iso_time(report.started_at_unix_us)},
                 {"endedAt", text::iso_time(report.ended_at_unix_us)},
                 {"outcome", measure::to_string(report.outcome)},
                 {"exitCode", report.exit_code},
                 {"failure", text::or_null(report.failure)},
                 {"notes", report.notes}};
  json["environment"] = to_json(report.environment);
  json["config"] = config;
  json["phases"] = phases;
  json["ledger"] = {{"changes", to_json(report.changes)},
                    {"rows", to_json(report.rows)},
                    {"content", to_json(report.content)}};
  return json;
}

}  // namespace walstorm::report
