#include "tests/orchestrator/report/example_report.h"

namespace walstorm::report::test {
namespace {

using namespace walstorm::measure;

constexpr std::int64_t kStartUnixUs = 1'769'860'800'123'000;  // 2026-01-31T12:00:00.123Z

/// A distribution around `ms`, spread as latencies are.
Distribution around(double ms, std::uint64_t count) {
  return {.count = count,
          .min = ms * 0.25,
          .mean = ms * 1.125,
          .stddev = ms * 0.5,
          .p2_5 = ms * 0.375,
          .p50 = ms,
          .p90 = ms * 1.5,
          .p95 = ms * 1.75,
          .p97_5 = ms * 2,
          .p99 = ms * 2.5,
          .p999 = ms * 4,
          .max = ms * 8};
}

ProcessReport process(const char* role, std::optional<std::int64_t> pid, double cpu_sec) {
  return {.role = role,
          .pid = pid,
          .cpu_user_sec = cpu_sec,
          .cpu_system_sec = cpu_sec / 4,
          .cpu_micros_per_record = cpu_sec * 1.25e6 / 300'000,
          .rss_max_bytes = 48'000'000,
          .context_switches = 12'345};
}

ConsumerReport consumer_of(std::uint64_t records, double landed) {
  ConsumerReport consumer;
  consumer.records = records;
  consumer.batches = records / 50;
  consumer.bytes = records * 1400;
  consumer.encoded_bytes = records * 1250;
  consumer.wire_bytes = records * 800;
  consumer.records_per_flush = 50;
  consumer.parts_created = records / 50;
  consumer.parts_active_max = 12;
  consumer.parts_active_end = 7;
  consumer.throughput = landed;
  consumer.throughput_per_sec = around(landed, 60);
  consumer.error_rate = 0.0;
  consumer.lag_ms = around(112, records);
  consumer.censored = 0;
  consumer.receive_ms = around(4, records);
  consumer.queue_ms = around(52, records);
  consumer.flush_ms = around(55, records);
  consumer.wal_behind_bytes_max = 1'234'567;
  consumer.wal_behind_bytes_end = 0;
  consumer.loop_utilization_mean = 0.18;
  consumer.loop_utilization_max = 0.31;
  consumer.buffered_bytes_max = 812'000;
  consumer.batch_bytes_max = 790'000;
  consumer.heap_bytes_max = 9'400'000;
  consumer.cpu_micros_per_record = 12.2;
  return consumer;
}

void add_observations(PhaseReport& report) {
  report.ladder = {.head_to_sent = {{0, 12'000, 0}, {0, 0.04, 0}},
                   .sent_to_received = {{0, 0, 0}, {0, 0, 0}},
                   .received_to_flushed = {{2000, 640'000, 0}, {0.02, 0.12, 0}},
                   .flushed_to_confirmed = {{8000, 5'600'000, 56}, {0.01, 1.02, 0.5}}};
  report.postgres = {.wal_status = "reserved",
                     .safe_wal_bytes_min = 900'000'000,
                     .spilled_transactions = 3,
                     .spilled_bytes = 48'000'000,
                     .streamed_transactions = 0,
                     .streamed_bytes = 0,
                     .walsender_states = {{"catchup", 0.02}, {"streaming", 0.98}},
                     .walsender_waits = {{"Client:WalSenderWaitForWAL", 0.9}, {"running", 0.1}},
                     .writer_waits = {{"IO:WALSync", 0.4}, {"idle", 3.2}, {"running", 0.4}}};
  report.backlog.lag_early_sec = report.backlog.lag_floor_sec = 0.12;
  report.backlog.lag_return_sec = report.backlog.lag_end_sec = report.backlog.lag_close_sec = 0.13;
  report.backlog.lag_before_end_sec = report.backlog.lag_high_sec = 0.14;
  report.backlog.lag_before_last_sec = report.backlog.lag_last_sec = 0.13;
  report.busy = {.consumer_loop = 0.21,
                 .connections = 0.31,
                 .flushes = 0.08,
                 .flushes_full = 0,
                 .cpus = 0.24,
                 .machine = 0.31};
}

PhaseReport phase(const char* name, std::int64_t after_sec, double rate, double landed) {
  PhaseReport report;
  report.name = name;
  report.outcome = Outcome::passed;
  report.started_at_unix_us = kStartUnixUs + after_sec * 1'000'000;
  report.duration_sec = 60;
  report.target = config::ConstantLoad{rate};
  const auto records = static_cast<std::uint64_t>(rate * 60);
  ProducerReport& producer = report.producer;
  producer.records = records;
  producer.inserts = records * 8 / 10;
  producer.updates = records * 2 / 10;
  producer.transactions = records / 100;
  producer.bytes = records * 1200;
  producer.throughput = rate;
  producer.throughput_per_sec = around(rate, 60);
  producer.target_ratio = 1.0;
  producer.not_started = 0;
  producer.censored = 0;
  producer.became_inserts = 12;
  producer.error_rate = 0.0;
  producer.write_latency_ms = around(1.6, records / 100);
  producer.service_time_ms = around(1.5, records / 100);
  producer.schedule_lag_ms = around(0.08, records / 100);
  producer.cpu_micros_per_record = 43.1;
  report.consumer = consumer_of(records, landed);
  report.processes = {process("orchestrator", 100, 0.6),    process("producer-0", 101, 12),
                      process("consumer-0", 102, 4),        process("postgres-walsender", 103, 3),
                      process("postgres-backends", {}, 30), process("postgres-sampler", 104, 0.1)};
  add_observations(report);
  report.drain = {true, 0.2};
  report.ledger = {.produced = records,
                   .received = records,
                   .acknowledged = records,
                   .missing = 0,
                   .duplicated = 0,
                   .replayed = 0,
                   .in_transit = 0,
                   .checksum_matches = true,
                   .broken_at = ""};
  report.verdict = {
      .state = VerdictState::sustained,
      .bottleneck = Bottleneck::none,
      .capacity_estimate = {},
      .evidence = {{"producer.targetRatio", 1.0, 0.99, "the producers wrote 100.0 % of the records due"},
                   {"drain.durationSec", 0.2, 3.1, "0.2 s after the load everything was acknowledged"}}};
  return report;
}

/// 5,000/s into a sink that takes 3,010/s.
PhaseReport overloaded() {
  PhaseReport report = phase("peak", 140, 5000, 3010);
  report.consumer.records = 270'600;
  report.consumer.lag_ms = around(14'000, 300'000);
  report.consumer.censored = 29'400;
  report.producer.errors = 21;
  report.producer.errors_by_sqlstate = {{"40001", 19}, {"57014", 2}};
  report.backlog = {.lag_early_sec = 1.2,
                    .lag_floor_sec = 0.12,
                    .lag_return_sec = 16.1,
                    .lag_before_end_sec = 14.2,
                    .lag_end_sec = 22.4,
                    .lag_high_sec = 15.3,
                    .lag_before_last_sec = 20.8,
                    .lag_last_sec = 22.4,
                    .saturated_from_sec = 2,
                    .acknowledged_per_sec = 3010,
                    .produced_per_sec = 5000,
                    .standstill = Standstill{30, 31.5, false, 62'000}};
  report.busy = {.consumer_loop = 0.13,
                 .connections = 0.31,
                 .flushes = 1,
                 .flushes_full = 0.97,
                 .cpus = 0.22,
                 .machine = 0.3};
  report.drain = {false, 30};
  report.ledger.acknowledged = 270'600;
  report.ledger.missing.reset();
  report.ledger.in_transit = 29'400;
  report.ledger.checksum_matches.reset();
  report.verdict = {
      .state = VerdictState::falling_behind,
      .bottleneck = Bottleneck::sink,
      .capacity_estimate = 3010,
      .evidence = {{"drain.completed", 0, 1, "30.0 s after the load, records were still not acknowledged"},
                   {"busy.flushesFull", 0.97, 0.5,
                    "every flush allowed was under way in 97 % of the Samples"}},
      .try_next = {
          "raise consumer.maxFlushConcurrency (now 100) or consumer.flushBatchSize (now 50): at 1660 ms "
          "a flush these let through 3,012/s at most",
          "give the sink more"}};
  report.thresholds = {
      {"producer.errorRate < 0.01", true, 0, 0.01},
      {"consumer.lagMs.p99 < 1000", false, 35'000, 1000},
      {"consumer.lagMs.p99 < 2 * phase('baseline').consumer.lagMs.p99", false, 12'345.678, 560, 10,
       "worst in the 10 s that ended 60.0 s into the load"},
      {"consumer.parts.created < 100", false, {}, 100, {}, "never measured: consumer.parts.created"}};
  report.outcome = Outcome::thresholds_crossed;
  return report;
}

}  // namespace

RunReport full_report() {
  RunReport report;
  report.name = "quickstart";
  report.started_at_unix_us = kStartUnixUs;
  report.ended_at_unix_us = kStartUnixUs + 240'000'000;
  report.outcome = Outcome::thresholds_crossed;
  report.exit_code = 99;
  report.notes = {"a slot left by an earlier run was dropped"};
  report.environment = {
      .host = "bench",
      .kernel = "Linux 6.1.0",
      .cpu_model = "Example CPU",
      .cpu_count = 2,
      .memory_bytes = 8'000'000'000,
      .postgres_version = "15.8",
      .postgres_settings = {{"synchronous_commit", "on"}, {"wal_level", "logical"}},
      .clickhouse_version = "",
      .clocks = {{"orchestrator", 20, 45}, {"producer-0", 90'000'120, 50}, {"consumer-0", -12'300, 210}}};
  PhaseReport warmup = phase("warmup", 0, 1000, 998);
  warmup.warmup = true;
  PhaseReport baseline = phase("baseline", 70, 5000, 4991);
  baseline.target = config::RampLoad{1000, 9000};
  report.phases = {warmup, baseline, overloaded()};
  report.changes = {.produced = 660'000,
                    .received = 660'000,
                    .acknowledged = 630'600,
                    .missing = {},
                    .duplicated = 0,
                    .replayed = 0,
                    .in_transit = 29'400,
                    .checksum_matches = {},
                    .broken_at = ""};
  report.rows = {.expected = 528'000,
                 .postgres = 528'000,
                 .landed = {},
                 .in_transit = 29'400,
                 .checksum_matches = true,
                 .broken_at = ""};
  report.content = {.sampled = 1000, .postgres_matches = 1000, .landed_matches = {}, .differences = {}};
  return report;
}

RunReport bare_report() {
  RunReport report;
  report.name = "bare";
  report.started_at_unix_us = kStartUnixUs;
  report.ended_at_unix_us = kStartUnixUs;
  report.failure = "consumer-0 ended in phase \"peak\": signal 9";
  PhaseReport phase;
  phase.name = "peak";
  phase.started_at_unix_us = kStartUnixUs;
  phase.target = config::MaxLoad{};
  phase.processes = {{.role = "orchestrator",
                      .pid = {},
                      .cpu_user_sec = {},
                      .cpu_system_sec = {},
                      .cpu_micros_per_record = {},
                      .rss_max_bytes = {},
                      .context_switches = {}}};
  phase.verdict.evidence = {{"outcome", {}, {}, "the phase did not run to its end"}};
  phase.notes = {
      "consumer-0 did not give its final figures for this phase: those of its last Sample are shown"};
  report.phases = {phase};
  return report;
}

Second example_second() {
  Second second;
  second.at_unix_us = kStartUnixUs + 82'000'000;
  second.phase = "baseline";
  second.phase_elapsed_sec = 12.04;
  second.target_per_sec = 5000;
  second.produced_per_sec = 5003.2;
  second.received_per_sec = 5001;
  second.landed_per_sec = 4998;
  second.lag_p50_ms = 112;
  second.lag_p99_ms = 181;
  second.schedule_lag_p99_ms = 1.2;
  second.head_to_sent_bytes = 12'000;
  second.sent_to_received_bytes = 0;
  second.received_to_flushed_bytes = 640'000;
  second.flushed_to_confirmed_bytes = 8000;
  second.head_to_sent_sec = 0.04;
  second.sent_to_received_sec = 0;
  second.received_to_flushed_sec = 1.25;
  second.flushed_to_confirmed_sec = 0.02;
  second.walsender_state = "streaming";
  second.walsender_wait = "Client:WalSenderWriteData";
  second.flushes_in_flight = 3;
  second.buffered_bytes = 61'000;
  second.loop_utilization = 0.18;
  second.processes = {{"orchestrator", {}, 0.012, 21'000'000}, {"producer-0", 5003.2, 0.231, 48'000'000},
                      {"consumer-0", 4998, 0.18, 30'000'000},  {"postgres-walsender", {}, 0.05, {}},
                      {"postgres-backends", {}, {}, {}},       {"postgres-sampler", {}, 0.004, {}}};
  return second;
}

}  // namespace walstorm::report::test
