#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "proto/wire/histogram.h"

/// What a run found out, as plain data: the shape of metrics.json, one struct for each of its objects.
/// A figure that was not measured is nullopt, never 0.
namespace walstorm::measure {

struct Distribution {
  std::uint64_t count = 0;
  std::optional<double> min, mean, stddev, p2_5, p50, p90, p95, p97_5, p99, p999, max;
};

/// `scale` turns the histogram's unit into the wanted one: 0.001 for us -> ms.
[[nodiscard]] Distribution distribution_of(const wire::Histogram& histogram, double scale);
/// Exact, of a handful of values such as the rate of each second.
[[nodiscard]] Distribution distribution_of(std::vector<double> values);

enum class Outcome { passed, failed, thresholds_crossed, interrupted };

/// As metrics.json has it: "thresholds-crossed".
[[nodiscard]] const char* to_string(Outcome outcome);

struct ProducerReport {
  bool counts_known = true;  ///< false: some producer gave no figures, so the counts are not known
  std::uint64_t records = 0, inserts = 0, updates = 0, deletes = 0, transactions = 0, bytes = 0;
  std::optional<double> throughput;  ///< records/s over the load window alone
  Distribution throughput_per_sec;
  std::optional<double> target_ratio;  ///< achieved / target records; nullopt for "max"
  std::optional<std::uint64_t> not_started;
  std::uint64_t became_inserts = 0;
  /// Transactions rolled back, other than because of what they did; each is written again, under its due
  /// time.
  std::uint64_t errors = 0;
  std::map<std::string, std::uint64_t> errors_by_sqlstate = {};
  std::uint64_t records_failed = 0;  ///< of those rolled back with the load already at its end
  std::optional<double> error_rate;  ///< failed / tried transactions
  Distribution write_latency_ms, service_time_ms, schedule_lag_ms;
  /// Transactions in write_latency_ms (and, where they were never started, in schedule_lag_ms) that were due
  /// and not committed when the load ended, with the age they had then; nullopt when that is not known.
  std::optional<std::uint64_t> censored = {};
  std::optional<double> cpu_micros_per_record;

  [[nodiscard]] std::optional<std::uint64_t> known(std::uint64_t count) const {
    return counts_known ? std::optional(count) : std::nullopt;
  }
};

struct ConsumerReport {
  bool counts_known = true;                           ///< as of the producer
  std::uint64_t records = 0, batches = 0, bytes = 0;  ///< acknowledged records of this phase
  std::optional<double> throughput;                   ///< acknowledged per second within the load window
  Distribution throughput_per_sec;
  /// Attempts to flush a batch that failed, attempts beyond a batch's first; failed / all attempts.
  std::uint64_t errors = 0, retries = 0;
  std::string flush_error_last;  ///< what the last failed attempt was answered; empty when none failed
  std::optional<double> error_rate;
  std::optional<double> records_per_flush;  ///< of acknowledged batches
  /// Of the table in ClickHouse, merges included: parts that inserts made in this phase; parts not yet merged
  /// into others.
  std::optional<std::uint64_t> parts_created, parts_active_max, parts_active_end;
  /// Of the blocks of all attempts, before and after compression.
  std::uint64_t encoded_bytes = 0, wire_bytes = 0;
  Distribution lag_ms;
  /// Records in lag_ms with the age they had when the drain gave up; nullopt when that is not known.
  std::optional<std::uint64_t> censored;
  Distribution receive_ms, queue_ms, flush_ms;
  std::optional<std::uint64_t> wal_behind_bytes_max, wal_behind_bytes_end;
  std::optional<double> loop_utilization_mean, loop_utilization_max;  ///< 0 to 1, of window deltas
  std::optional<std::uint64_t> buffered_bytes_max;
  std::optional<std::uint64_t> batch_bytes_max;  ///< of these, in batches: what stops the reader
  std::optional<std::uint64_t> heap_bytes_max;
  std::optional<double> cpu_micros_per_record;

  [[nodiscard]] std::optional<std::uint64_t> known(std::uint64_t count) const {
    return counts_known ? std::optional(count) : std::nullopt;
  }
};

struct ProcessReport {
  /// orchestrator, producer-0, consumer-0, postgres-walsender, postgres-backends, clickhouse
  std::string role;
  std::optional<std::int64_t> pid;
  std::optional<double> cpu_user_sec, cpu_system_sec, cpu_micros_per_record;
  /// Of one core, in the load's second half: on a CPU; ready to run with no CPU free for it.
  std::optional<double> cpu_share = {}, cpu_wait_share = {};
  std::optional<std::uint64_t> rss_max_bytes, context_switches;
};

/// A figure that was looked at once a second, over a phase's load and drain; all nullopt when no look
/// succeeded.
struct Range {
  std::optional<double> min, max, end;
};

/// The distance between two neighbours on the LSN ladder: bytes of WAL, and the seconds between the moments
/// at which the head was at the one and at the other.
struct Rung {
  Range bytes, sec;
};

/// Head -> sent -> received -> flushed -> confirmed. An idle pipe's distances need not be 0: `sent` runs past
/// WAL of other databases, and what nobody publishes is confirmed with the next keepalive; their `min` is the
/// floor that the others stand on.
struct LadderReport {
  Rung head_to_sent, sent_to_received, received_to_flushed, flushed_to_confirmed;
};

/// PostgreSQL's own view of a phase, by its catalog views.
struct PostgresReport {
  std::string wal_status;  ///< the slot's worst: reserved, extended, unreserved, lost; empty when not seen
  std::optional<std::uint64_t>
      safe_wal_bytes_min;  ///< nullopt too where max_slot_wal_keep_size sets no limit
  /// Transactions and bytes that the walsender wrote to disk, or streamed, while they were open; in this
  /// phase.
  std::optional<std::uint64_t> spilled_transactions, spilled_bytes, streamed_transactions, streamed_bytes;
  /// Share of the looks during the load at which the walsender was in that state ("streaming", "catchup"),
  /// and at which it waited for that ("Client:WalSenderWriteData"); "running" where it waited for nothing.
  std::map<std::string, double> walsender_states, walsender_waits;
  /// How many writing backends waited for that, on average over the looks during the load; "running" and
  /// "idle" (between two transactions) are among them.
  std::map<std::string, double> writer_waits;
};

/// How far a process's wall clock is ahead of PostgreSQL's, by the fastest of several round trips; the truth
/// lies within `error_us` of it.
struct ClockReport {
  std::string role;
  std::int64_t ahead_us = 0, error_us = 0;
};

struct DrainReport {
  std::optional<bool> completed;
  std::optional<double> duration_sec;
  /// Of one that was given up: how long ago, at its end, the sink had acknowledged anything. Not in
  /// metrics.json: what follows from it is the run's failure.
  std::optional<double> quiet_sec = {};
};

/// A stretch in which records waited and none was acknowledged; seconds since the load began.
struct Standstill {
  double from_sec = 0, to_sec = 0;
  bool to_the_end = false;  ///< of the load
  double waiting = 0;       ///< records, at its end

  [[nodiscard]] double seconds() const { return to_sec - from_sec; }
};

/// How a phase's records went through the pipe while the load was on, as far as the counters tell.
///
/// The lag at a moment is how long ago the records were committed that are acknowledged then; each figure is
/// the least of a stretch, because what a pipe comes back to says more than what it goes through: a stall, a
/// batch that waits to be full and noise all raise the lag for a while, an overload for good.
struct BacklogTrend {
  /// In the load's first half, from its first acknowledgement on.
  std::optional<double> lag_early_sec;
  /// The least that is known of this pipe: lag_early_sec, or what an earlier phase showed.
  std::optional<double> lag_floor_sec;
  /// In the load's last third; from 60 % to 80 % of it; in its last tenth, or a little more of a short one.
  std::optional<double> lag_return_sec, lag_before_end_sec, lag_end_sec;
  /// In the load's last seconds, however long it was: no more of them than a batching sink needs to be seen
  /// just after a flush.
  std::optional<double> lag_close_sec = {};
  /// Stretch by stretch, each a fifteenth of the load or 4 s: of those in its first 70 % the one that waited
  /// longest, the last but one, and the last.
  std::optional<double> lag_high_sec, lag_before_last_sec, lag_last_sec;
  /// Since when the lag stayed above where the pipe began, in seconds since the load began; nullopt when it
  /// came back at the end, or rose too late to tell a rate.
  std::optional<double> saturated_from_sec;
  /// Records per second from then on. Acknowledged: those of earlier phases included.
  std::optional<double> acknowledged_per_sec, produced_per_sec;
  /// The one that most exceeds what would be a stall, or comes nearest to it; nullopt when there was none.
  std::optional<Standstill> standstill;
};

/// How busy those parts of the pipe were that have a limit of their own; the processes' CPU is with them.
struct BusyReport {
  std::optional<double> consumer_loop;  ///< share of its time in which it worked, in the load's second half
  std::optional<double> connections;    ///< share of the connections' time in transactions
  std::optional<double> connection_max = {},
                        connection_min = {};  ///< the same, of the busiest and the idlest alone
  /// Of the flushes that are allowed at once, how many were under way, on average over the load's Samples.
  std::optional<double> flushes;
  /// Share of the Samples with all of them under way; of a pipe that fell behind or stood still, since it
  /// did.
  std::optional<double> flushes_full;
  /// Of all this machine's CPUs, what the run's processes used in the load's second half.
  std::optional<double> cpus;
  /// ... and what all processes of this machine used.
  std::optional<double> machine = {};
};

/// One phase's change ledger, or the whole run's.
struct ChangeLedger {
  std::optional<std::uint64_t> produced, received, acknowledged, missing, duplicated, replayed, in_transit;
  std::optional<bool> checksum_matches;
  /// Where changes went missing, doubled or wrong: "stream", "sink", ...; empty when the ledger is clean.
  std::string broken_at;
};

struct RowLedger {
  std::optional<std::uint64_t> expected, postgres, landed;
  /// Changes that were not acknowledged when `landed` was counted: the reason why it may differ.
  std::optional<std::uint64_t> in_transit;
  /// Of those sides that can be compared: not of a sink that has not got everything yet.
  std::optional<bool> checksum_matches;
  std::string broken_at;
};

struct ContentLedger {
  std::optional<std::uint64_t> sampled, postgres_matches, landed_matches;
  std::vector<std::string> differences;
};

enum class VerdictState { sustained, marginal, falling_behind, stalled, generator_limited, failed };
enum class Bottleneck { none, producer, postgres_write, walsender, consumer_cpu, sink, network, unknown };

/// As metrics.json has them: "falling-behind", "postgres-write".
[[nodiscard]] const char* to_string(VerdictState state);
[[nodiscard]] const char* to_string(Bottleneck bottleneck);

struct Evidence {
  /// Its path in metrics.json below the phase, where the same value stands: "consumer.lagMs.p99".
  std::string figure;
  std::optional<double> value, limit;
  std::string says;
};

struct Verdict {
  VerdictState state = VerdictState::failed;
  Bottleneck bottleneck = Bottleneck::unknown;
  std::optional<double> capacity_estimate;  ///< records/s, as the pipe really did them
  /// Of a marginal verdict: a load so long would tell.
  std::optional<double> window_needed_sec = {};
  std::vector<Evidence> evidence;
  /// What to try next, most promising first, each a sentence with the key and the direction.
  std::vector<std::string> try_next = {};
};

struct ThresholdResult {
  std::string expr;
  bool passed = false;
  /// The left side's value, and the right side's; of a sliding window the worst one's. nullopt: never
  /// measured.
  std::optional<double> observed = {}, limit = {};
  std::optional<double> window_sec = {};
  /// What else there is to say: "never measured", when it was crossed, that it ended the phase.
  std::string says = {};
};

struct PhaseReport {
  std::string name;
  bool warmup = false;
  Outcome outcome = Outcome::failed;
  std::optional<std::int64_t> started_at_unix_us;  ///< nullopt: no worker was ready for it
  std::optional<double> duration_sec;              ///< of the load window: no drain in it
  config::Load target;
  ProducerReport producer;
  ConsumerReport consumer;
  std::vector<ProcessReport> processes;
  LadderReport ladder;
  PostgresReport postgres;
  BacklogTrend backlog;
  BusyReport busy;
  DrainReport drain;
  ChangeLedger ledger;
  Verdict verdict;
  std::vector<ThresholdResult> thresholds;
  std::vector<std::string> notes;  ///< what the reader of its figures should know: a worker that died early
};

struct Environment {
  std::string host, kernel, cpu_model;
  double cpu_count = 0;  ///< that may be used: a container's quota need not be whole
  std::uint64_t memory_bytes = 0;
  std::string postgres_version;                          ///< empty until asked
  std::map<std::string, std::string> postgres_settings;  ///< those that shape a replication load
  std::string clickhouse_version;                        ///< empty with the mock sink
  std::vector<ClockReport> clocks = {};                  ///< of every process that measures
};

struct RunReport {
  std::string name;
  std::string folder;  ///< where its files are; not in metrics.json, which may move
  std::int64_t started_at_unix_us = 0, ended_at_unix_us = 0;
  Outcome outcome = Outcome::failed;
  int exit_code = 1;
  std::string failure;  ///< why, when it failed; empty otherwise
  std::vector<std::string>
      notes;  ///< what the reader should know: a worker that had to be killed, a slot found
  Environment environment;
  config::Config config;
  std::vector<PhaseReport> phases;
  ChangeLedger changes;
  RowLedger rows;
  ContentLedger content;
  /// What a profiler found, as report.md and the summary have it; profile/profile.json has the figures. Empty
  /// without one.
  std::string profile_section = {};
  std::vector<std::string> profile_lines = {};
  std::vector<std::string> profile_pages = {};  ///< "flame.html", ...: in the run folder's profile/
};

/// One second of the run: a line of timeseries.csv and of the live view.
struct Second {
  std::int64_t at_unix_us = 0;
  std::string phase;
  double phase_elapsed_sec = 0;
  bool draining = false;
  std::optional<double> target_per_sec, produced_per_sec, received_per_sec, landed_per_sec;
  std::optional<double> lag_p50_ms, lag_p99_ms, schedule_lag_p99_ms;  ///< of this second alone
  std::optional<std::uint64_t> head_to_sent_bytes, sent_to_received_bytes, received_to_flushed_bytes,
      flushed_to_confirmed_bytes;
  std::optional<double> head_to_sent_sec, sent_to_received_sec, received_to_flushed_sec,
      flushed_to_confirmed_sec;
  std::string walsender_state, walsender_wait;  ///< as PostgresReport has them; empty when not seen
  std::optional<std::uint64_t> flushes_in_flight, buffered_bytes;
  std::optional<double> loop_utilization;
  struct Process {
    std::string role;
    std::optional<double> records_per_sec;  ///< of a producer: committed; of a consumer: acknowledged
    std::optional<double> cpu_share;        ///< of one core, in this second
    std::optional<std::uint64_t> rss_bytes;
  };
  std::vector<Process> processes;
};

}  // namespace walstorm::measure
