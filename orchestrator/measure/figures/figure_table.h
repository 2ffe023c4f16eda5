#pragma once

#include "orchestrator/measure/figures/figure_traits.h"
#include "orchestrator/measure/figures/run_report.h"

/// THE table of figures: every member of a phase's report by its name in metrics.json, in that file's order.
///
/// A function per object of the file shows the object's members to a visitor; metrics.json is written by one
/// visitor and read by another, and what thresholds and `compare` know of figures is learnt by a third
/// (figures.cpp). So a new figure is a member of its struct in run_report.h and a line here.
///
/// A visitor has
///   figure(name, member, traits)              a number that thresholds and comparisons may name
///   count(name, member, is_known, traits)     a figure that is null while !is_known, whatever it is
///   is_known(name, flag)                      whether that count is there: said of all counts beside it
///   target(name, load, traits)                a figure where the load is a constant rate
///   fact(name, member), text(name, member), known_fact(name, member, is_known), time(name, unix_us),
///   word(name, member, last)                  what is no figure: truths, ids, shares by name, texts (a text
///   is
///                                             written even when it is empty, a fact is null then), enums
///   object(name, body)                        body(visitor of the object's members)
///   optional_object(name, member, body)       body(visitor, object); all its members are null without one
///   processes(name, list)                     figures of each by its role
///   list(name, list)                          objects that explain or judge figures and so hold none
namespace walstorm::measure {

template <typename Visitor, typename D>
void visit_distribution(Visitor& visitor, const char* name, D& distribution, FigureTraits traits) {
  visitor.object(name, [&](auto& inner) {
    FigureTraits spread = traits;
    spread.better = Better::lower;
    inner.figure("count", distribution.count, FigureTraits{Unit::count, Better::neither, traits.known});
    inner.figure("min", distribution.min, traits);
    inner.figure("mean", distribution.mean, traits);
    inner.figure("stddev", distribution.stddev, spread);
    inner.figure("p2_5", distribution.p2_5, traits);
    inner.figure("p50", distribution.p50, traits);
    inner.figure("p90", distribution.p90, traits);
    inner.figure("p95", distribution.p95, traits);
    inner.figure("p97_5", distribution.p97_5, traits);
    inner.figure("p99", distribution.p99, traits);
    inner.figure("p999", distribution.p999, traits);
    inner.figure("max", distribution.max, traits);
  });
}

template <typename Visitor, typename P>
requires Is<P, ProducerReport>
void visit(Visitor& v, P& p) {
  v.is_known("records", p.counts_known);
  v.count("records", p.records, p.counts_known, {Unit::count});
  v.count("inserts", p.inserts, p.counts_known, {Unit::count});
  v.count("updates", p.updates, p.counts_known, {Unit::count});
  v.count("deletes", p.deletes, p.counts_known, {Unit::count});
  v.count("becameInserts", p.became_inserts, p.counts_known, {Unit::count});
  v.count("transactions", p.transactions, p.counts_known, {Unit::count});
  v.count("bytes", p.bytes, p.counts_known, {Unit::bytes});
  v.figure("throughput", p.throughput, {Unit::per_sec, Better::higher});
  visit_distribution(v, "throughputPerSec", p.throughput_per_sec, {Unit::per_sec, Better::higher});
  v.figure("targetRatio", p.target_ratio, {Unit::share, Better::higher});
  v.figure("notStarted", p.not_started, {Unit::count, Better::lower, Known::at_the_end});
  v.count("errors", p.errors, p.counts_known, {Unit::count, Better::lower});
  v.known_fact("errorsBySqlstate", p.errors_by_sqlstate, p.counts_known);
  v.count("recordsFailed", p.records_failed, p.counts_known, {Unit::count, Better::lower});
  v.figure("errorRate", p.error_rate, {Unit::share, Better::lower});
  visit_distribution(v, "writeLatencyMs", p.write_latency_ms, {Unit::ms, Better::lower});
  v.figure("censored", p.censored, {Unit::count, Better::lower, Known::at_the_end});
  visit_distribution(v, "serviceTimeMs", p.service_time_ms, {Unit::ms, Better::lower});
  visit_distribution(v, "scheduleLagMs", p.schedule_lag_ms, {Unit::ms, Better::lower});
  v.figure("cpuMicrosPerRecord", p.cpu_micros_per_record, {Unit::micros, Better::lower});
}

template <typename Visitor, typename C>
requires Is<C, ConsumerReport>
void visit(Visitor& v, C& c) {
  constexpr FigureTraits kLessCountSoFar{Unit::count, Better::lower, Known::so_far};
  constexpr FigureTraits kLessBytesSoFar{Unit::bytes, Better::lower, Known::so_far};
  v.is_known("records", c.counts_known);
  v.count("records", c.records, c.counts_known, {Unit::count});
  v.count("batches", c.batches, c.counts_known, {Unit::count});
  v.count("bytes", c.bytes, c.counts_known, {Unit::bytes});
  v.count("encodedBytes", c.encoded_bytes, c.counts_known, {Unit::bytes, Better::lower});
  v.count("wireBytes", c.wire_bytes, c.counts_known, {Unit::bytes, Better::lower});
  v.figure("recordsPerFlush", c.records_per_flush, {Unit::count});
  v.object("parts", [&](auto& parts) {
    parts.figure("created", c.parts_created, kLessCountSoFar);
    parts.figure("activeMax", c.parts_active_max, kLessCountSoFar);
    parts.figure("activeEnd", c.parts_active_end, kLessCountSoFar);
  });
  v.figure("throughput", c.throughput, {Unit::per_sec, Better::higher});
  visit_distribution(v, "throughputPerSec", c.throughput_per_sec, {Unit::per_sec, Better::higher});
  v.count("errors", c.errors, c.counts_known, {Unit::count, Better::lower});
  v.count("retries", c.retries, c.counts_known, {Unit::count, Better::lower});
  v.fact("flushErrorLast", c.flush_error_last);
  v.figure("errorRate", c.error_rate, {Unit::share, Better::lower});
  visit_distribution(v, "lagMs", c.lag_ms, {Unit::ms, Better::lower});
  v.figure("censored", c.censored, {Unit::count, Better::lower, Known::at_the_end});
  visit_distribution(v, "receiveMs", c.receive_ms, {Unit::ms, Better::lower});
  visit_distribution(v, "queueMs", c.queue_ms, {Unit::ms, Better::lower});
  visit_distribution(v, "flushMs", c.flush_ms, {Unit::ms, Better::lower});
  v.object("walBehindBytes", [&](auto& behind) {
    behind.figure("max", c.wal_behind_bytes_max, kLessBytesSoFar);
    behind.figure("end", c.wal_behind_bytes_end, kLessBytesSoFar);
  });
  v.object("loopUtilization", [&](auto& loop) {
    loop.figure("mean", c.loop_utilization_mean, {Unit::share, Better::lower});
    loop.figure("max", c.loop_utilization_max, {Unit::share, Better::lower, Known::so_far});
  });
  v.figure("bufferedBytesMax", c.buffered_bytes_max, kLessBytesSoFar);
  v.figure("batchBytesMax", c.batch_bytes_max, kLessBytesSoFar);
  v.figure("heapBytesMax", c.heap_bytes_max, kLessBytesSoFar);
  v.figure("cpuMicrosPerRecord", c.cpu_micros_per_record, {Unit::micros, Better::lower});
}

template <typename Visitor, typename P>
requires Is<P, ProcessReport>
void visit(Visitor& v, P& p) {
  v.text("role", p.role);
  v.fact("pid", p.pid);
  v.figure("cpuUserSec", p.cpu_user_sec, {Unit::sec, Better::lower, Known::so_far});
  v.figure("cpuSystemSec", p.cpu_system_sec, {Unit::sec, Better::lower, Known::so_far});
  v.figure("cpuMicrosPerRecord", p.cpu_micros_per_record, {Unit::micros, Better::lower, Known::so_far});
  v.figure("cpuShare", p.cpu_share, {Unit::share, Better::lower, Known::at_the_end});
  v.figure("cpuWaitShare", p.cpu_wait_share, {Unit::share, Better::lower, Known::at_the_end});
  v.figure("rssMaxBytes", p.rss_max_bytes, {Unit::bytes, Better::lower, Known::so_far});
  v.figure("contextSwitches", p.context_switches, {Unit::count, Better::lower, Known::so_far});
}

template <typename Visitor, typename R>
requires Is<R, Range>
void visit_range(Visitor& v, const char* name, R& range, Unit unit) {
  v.object(name, [&](auto& ends) {
    ends.figure("min", range.min, {unit, Better::lower, Known::so_far});
    ends.figure("max", range.max, {unit, Better::lower, Known::so_far});
    ends.figure("end", range.end, {unit, Better::lower, Known::so_far});
  });
}

template <typename Visitor, typename L>
requires Is<L, LadderReport>
void visit(Visitor& v, L& ladder) {
  const auto rung = [&v](const char* name, auto& between) {
    v.object(name, [&](auto& inner) {
      visit_range(inner, "bytes", between.bytes, Unit::bytes);
      visit_range(inner, "sec", between.sec, Unit::sec);
    });
  };
  rung("headToSent", ladder.head_to_sent);
  rung("sentToReceived", ladder.sent_to_received);
  rung("receivedToFlushed", ladder.received_to_flushed);
  rung("flushedToConfirmed", ladder.flushed_to_confirmed);
}

template <typename Visitor, typename P>
requires Is<P, PostgresReport>
void visit(Visitor& v, P& p) {
  v.fact("walStatus", p.wal_status);
  v.figure("safeWalBytesMin", p.safe_wal_bytes_min, {Unit::bytes, Better::higher, Known::so_far});
  v.figure("spilledTransactions", p.spilled_transactions, {Unit::count, Better::lower, Known::so_far});
  v.figure("spilledBytes", p.spilled_bytes, {Unit::bytes, Better::lower, Known::so_far});
  v.figure("streamedTransactions", p.streamed_transactions, {Unit::count, Better::neither, Known::so_far});
  v.figure("streamedBytes", p.streamed_bytes, {Unit::bytes, Better::neither, Known::so_far});
  v.fact("walsenderStates", p.walsender_states);
  v.fact("walsenderWaits", p.walsender_waits);
  v.fact("writerWaits", p.writer_waits);
}

/// What a verdict rests on: the lag and the rates that should be better are figures of their own.
template <typename Visitor, typename C>
requires Is<C, BacklogTrend>
void visit(Visitor& v, C& backlog) {
  constexpr FigureTraits kSec{Unit::sec, Better::neither, Known::at_the_end};
  constexpr FigureTraits kRate{Unit::per_sec, Better::neither, Known::at_the_end};
  v.figure("lagEarlySec", backlog.lag_early_sec, kSec);
  v.figure("lagFloorSec", backlog.lag_floor_sec, kSec);
  v.figure("lagReturnSec", backlog.lag_return_sec, kSec);
  v.figure("lagBeforeEndSec", backlog.lag_before_end_sec, kSec);
  v.figure("lagEndSec", backlog.lag_end_sec, kSec);
  v.figure("lagCloseSec", backlog.lag_close_sec, kSec);
  v.figure("lagHighSec", backlog.lag_high_sec, kSec);
  v.figure("lagBeforeLastSec", backlog.lag_before_last_sec, kSec);
  v.figure("lagLastSec", backlog.lag_last_sec, kSec);
  v.figure("saturatedFromSec", backlog.saturated_from_sec, kSec);
  v.figure("acknowledgedPerSec", backlog.acknowledged_per_sec, kRate);
  v.figure("producedPerSec", backlog.produced_per_sec, kRate);
  v.optional_object("standstill", backlog.standstill, [&](auto& inner, auto& still) {
    inner.figure("fromSec", still.from_sec, kSec);
    inner.figure("toSec", still.to_sec, kSec);
    inner.fact("toTheEnd", still.to_the_end);
    inner.figure("waiting", still.waiting, FigureTraits{Unit::count, Better::neither, Known::at_the_end});
  });
}

template <typename Visitor, typename B>
requires Is<B, BusyReport>
void visit(Visitor& v, B& busy) {
  constexpr FigureTraits kShare{Unit::share, Better::lower, Known::at_the_end};
  v.figure("consumerLoop", busy.consumer_loop, kShare);
  v.figure("connections", busy.connections, kShare);
  v.figure("connectionMax", busy.connection_max, kShare);
  v.figure("connectionMin", busy.connection_min, kShare);
  v.figure("flushes", busy.flushes, kShare);
  v.figure("flushesFull", busy.flushes_full, kShare);
  v.figure("cpus", busy.cpus, kShare);
  v.figure("machine", busy.machine, kShare);
}

template <typename Visitor, typename L>
requires Is<L, ChangeLedger>
void visit(Visitor& v, L& ledger) {
  constexpr FigureTraits kCount{Unit::count, Better::neither, Known::at_the_end};
  constexpr FigureTraits kFew{Unit::count, Better::lower, Known::at_the_end};
  v.figure("produced", ledger.produced, kCount);
  v.figure("received", ledger.received, kCount);
  v.figure("acknowledged", ledger.acknowledged, kCount);
  v.figure("missing", ledger.missing, kFew);
  v.figure("duplicated", ledger.duplicated, kFew);
  v.figure("replayed", ledger.replayed, kFew);
  v.figure("inTransit", ledger.in_transit, kFew);
  v.fact("checksumMatches", ledger.checksum_matches);
  v.fact("brokenAt", ledger.broken_at);
}

template <typename Visitor, typename E>
requires Is<E, Evidence>
void visit(Visitor& v, E& evidence) {
  v.text("figure", evidence.figure);
  v.fact("value", evidence.value);
  v.fact("limit", evidence.limit);
  v.text("says", evidence.says);
}

template <typename Visitor, typename V>
requires Is<V, Verdict>
void visit(Visitor& v, V& verdict) {
  v.word("state", verdict.state, VerdictState::failed);
  v.word("bottleneck", verdict.bottleneck, Bottleneck::unknown);
  v.figure("capacityEstimate", verdict.capacity_estimate, {Unit::per_sec, Better::higher, Known::at_the_end});
  v.figure("windowNeededSec", verdict.window_needed_sec, {Unit::sec, Better::neither, Known::at_the_end});
  v.list("evidence", verdict.evidence);
  v.fact("tryNext", verdict.try_next);
}

template <typename Visitor, typename T>
requires Is<T, ThresholdResult>
void visit(Visitor& v, T& threshold) {
  v.text("expr", threshold.expr);
  v.fact("passed", threshold.passed);
  v.fact("observed", threshold.observed);
  v.fact("limit", threshold.limit);
  v.fact("windowSec", threshold.window_sec);
  v.fact("says", threshold.says);
}

template <typename Visitor, typename P>
requires Is<P, PhaseReport>
void visit(Visitor& v, P& phase) {
  const auto part = [&v](const char* name, auto& member) {
    v.object(name, [&member](auto& inner) { visit(inner, member); });
  };
  v.text("name", phase.name);
  v.fact("warmup", phase.warmup);
  v.word("outcome", phase.outcome, Outcome::interrupted);
  v.time("startedAt", phase.started_at_unix_us);
  v.figure("durationSec", phase.duration_sec, {Unit::sec});
  v.target("targetThroughput", phase.target, {Unit::per_sec});
  part("producer", phase.producer);
  part("consumer", phase.consumer);
  v.processes("processes", phase.processes);
  part("ladder", phase.ladder);
  part("postgres", phase.postgres);
  part("course", phase.backlog);
  part("busy", phase.busy);
  v.object("drain", [&phase](auto& drain) {
    drain.fact("completed", phase.drain.completed);
    drain.figure("durationSec", phase.drain.duration_sec, {Unit::sec, Better::lower, Known::at_the_end});
  });
  part("ledger", phase.ledger);
  part("verdict", phase.verdict);
  v.list("thresholds", phase.thresholds);
  v.fact("notes", phase.notes);
}

/// Of the whole run: no figures.
template <typename Visitor, typename L>
requires Is<L, RowLedger>
void visit(Visitor& v, L& ledger) {
  v.fact("expected", ledger.expected);
  v.fact("postgres", ledger.postgres);
  v.fact("landed", ledger.landed);
  v.fact("inTransit", ledger.in_transit);
  v.fact("checksumMatches", ledger.checksum_matches);
  v.fact("brokenAt", ledger.broken_at);
}

template <typename Visitor, typename L>
requires Is<L, ContentLedger>
void visit(Visitor& v, L& ledger) {
  v.fact("sampled", ledger.sampled);
  v.fact("postgresMatches", ledger.postgres_matches);
  v.fact("landedMatches", ledger.landed_matches);
  v.fact("differences", ledger.differences);
}

}  // namespace walstorm::measure
