#include "orchestrator/measure/judge/advice.h"

#include <algorithm>
#include <fmt/format.h>

#include "orchestrator/measure/judge/backlog_trend.h"
#include "orchestrator/measure/judge/cpu_need.h"
#include "orchestrator/text/format.h"

namespace walstorm::measure {
namespace {

using Sentences = std::vector<std::string>;

/// ClickHouse makes a part of each insert: its makers ask for a thousand rows in each, at least.
constexpr double kSmallFlushRecords = 1000;
/// A sink that took so much longer than when it had little to do is at its own limit.
constexpr double kSlowedDown = 1.5;
/// Of all CPUs; less is what any machine does beside.
constexpr double kOthersWorthTelling = 0.1;
/// A transaction of so many rows or more gains little by more of them.
constexpr std::uint32_t kLargeTransaction = 1000;

bool makes_small_parts(const PhaseReport& phase, const PipeSettings& settings) {
  if (phase.consumer.flush_error_last.find("TOO_MANY_PARTS") != std::string::npos) return true;
  return settings.sink != config::SinkKind::mock &&
         phase.consumer.records_per_flush.value_or(kSmallFlushRecords) < kSmallFlushRecords;
}

bool slows_down(const Distribution& flush_ms) {
  return flush_ms.p2_5 && flush_ms.p50 && *flush_ms.p50 > kSlowedDown * *flush_ms.p2_5;
}

/// The rate of a sink that did nothing for so long is no question of settings.
bool stood_still(const PhaseReport& phase) {
  const auto& still = phase.backlog.standstill;
  return still && still->seconds() >= stall_sec(phase.duration_sec.value_or(0), still->to_the_end);
}

Sentences stalled_sink_advice(const PhaseReport& phase) {
  const Standstill& still = *phase.backlog.standstill;
  return {fmt::format(
      "look at what the sink did from second {:.0f} of the load on (its log, its disk, its locks): it "
      "acknowledged nothing for {:.0f} s{}",
      still.from_sec, still.seconds(),
      phase.consumer.flush_error_last.empty()
          ? ", and answered no flush with an error"
          : "; the last failed flush was answered: " + phase.consumer.flush_error_last)};
}

/// What the settings let through at the time that PostgreSQL takes to answer, as far as there is CPU for it;
/// no figure where that is not known.
std::string write_limit_text(const PhaseReport& phase, const PipeSettings& settings) {
  const auto by_cpu = records_per_sec_by_cpu(phase);
  const double service_sec = phase.producer.service_time_ms.mean.value_or(0) / 1000;
  if (!by_cpu || service_sec <= 0) return ": all connections were waiting for answers";
  const double connections = connections_of(settings);
  const double by_answers = connections * settings.producer.batch_size / service_sec;
  return fmt::format(": {:.0f} connections with transactions of {} records write {} at most this way{}",
                     connections, settings.producer.batch_size,
                     text::rate_text(std::min(by_answers, *by_cpu)),
                     by_answers > *by_cpu ? ", for this machine has CPU for no more" : "");
}

}  // namespace

Sentences sink_advice(const PhaseReport& phase, const PipeSettings& settings) {
  if (stood_still(phase)) return stalled_sink_advice(phase);
  const config::Consumer& consumer = settings.consumer;
  const ConsumerReport& report = phase.consumer;
  Sentences advice;
  if (makes_small_parts(phase, settings)) {
    advice.push_back(fmt::format(
        "raise consumer.flushBatchSize (now {}) and consumer.flushIntervalMs (now {}): ClickHouse "
        "takes few large inserts better than many of {:.0f} records",
        consumer.flush_batch_size, consumer.flush_interval_ms,
        report.records_per_flush.value_or(consumer.flush_batch_size)));
  }
  if (slows_down(report.flush_ms)) {
    advice.push_back(
        fmt::format("give the sink more, or less to do: a flush took {} in the median and {} "
                    "when it had little to do, so a higher consumer.maxFlushConcurrency (now {}) would only "
                    "queue there",
                    text::ms_text(*report.flush_ms.p50), text::ms_text(*report.flush_ms.p2_5),
                    consumer.max_flush_concurrency));
  } else if (phase.busy.flushes_full.value_or(0) > 0 && report.flush_ms.mean && report.records_per_flush) {
    const double per_sec =
        consumer.max_flush_concurrency * *report.records_per_flush / (*report.flush_ms.mean / 1000);
    advice.push_back(
        fmt::format("raise consumer.maxFlushConcurrency (now {}) or consumer.flushBatchSize (now {}): at "
                    "{} a flush these let through {} at most",
                    consumer.max_flush_concurrency, consumer.flush_batch_size,
                    text::ms_text(*report.flush_ms.mean), text::rate_text(per_sec)));
  }
  if (advice.empty()) {
    advice.push_back(fmt::format("raise consumer.flushBatchSize (now {}): fewer flushes for as many records",
                                 consumer.flush_batch_size));
  }
  return advice;
}

Sentences consumer_advice(const PhaseReport& phase, const PipeSettings& settings) {
  const config::Consumer& consumer = settings.consumer;
  Sentences advice;
  if (!consumer.binary) {
    advice.emplace_back("set consumer.binary to true (now false): values need no parsing then");
  }
  if (consumer.insert_format == config::InsertFormat::json_compact_each_row) {
    advice.emplace_back("set consumer.insertFormat to native (now jsonCompactEachRow): it costs less CPU");
  }
  if (consumer.compression == config::Compression::zstd ||
      consumer.compression == config::Compression::gzip) {
    advice.emplace_back("set consumer.compression to lz4 or none (now zstd or gzip): it costs less CPU");
  }
  if (phase.consumer.records_per_flush.value_or(kSmallFlushRecords) < kSmallFlushRecords) {
    advice.push_back(
        fmt::format("raise consumer.flushBatchSize (now {}): fewer flushes cost less CPU per record",
                    consumer.flush_batch_size));
  }
  if (advice.empty()) {
    advice.emplace_back(
        "this is what one core reads and encodes: a faster one, or less to read (smaller rows)");
  }
  return advice;
}

Sentences starvation_advice(const std::string& process, const PipeSettings& settings, double share,
                            std::optional<double> by_others) {
  const std::string others =
      by_others.value_or(0) >= kOthersWorthTelling
          ? fmt::format("; programs that are no part of this run used {} of this machine",
                        percent(*by_others))
          : "";
  return {fmt::format(
      "give the {} a CPU of its own: it got {:.0f} % of a core though it wanted more; other "
      "processes, pinning, a cgroup limit or its priority are in its way{}{}",
      process, share * 100,
      settings.cpu_count > 0 ? fmt::format(" ({} CPUs may be used here)", settings.cpu_count) : "", others)};
}

Sentences crowded_advice(const std::string& process, const PipeSettings& settings, double share) {
  return {
      fmt::format("give PostgreSQL or ClickHouse a machine of its own, or take a larger one: the run's "
                  "processes used all "
                  "{} CPUs of this one between them, so the {} got {:.0f} % of a core though it wanted more",
                  settings.cpu_count, process, share * 100)};
}

Sentences cpu_advice(const std::string& process, const PhaseReport& phase, const PipeSettings& settings,
                     const ProcessReport& report) {
  const double share = report.cpu_share.value_or(0);
  return is_crowded(phase) ? crowded_advice(process, settings, share)
                           : starvation_advice(process, settings, share, used_by_others(phase));
}

Sentences spill_advice(const PipeSettings& settings) {
  Sentences advice{
      "raise logical_decoding_work_mem (database.settings, or the server's own): what does not fit is "
      "written to disk and read again"};
  if (settings.consumer.streaming == config::Streaming::off) {
    advice.emplace_back(
        "set consumer.streaming to on with consumer.protoVersion 2 or more (now off): large transactions are "
        "sent while they run, instead of spilled");
  }
  if (settings.producer.batch_size > 1) {
    advice.push_back(fmt::format("lower producer.batchSize (now {}): smaller transactions fit into memory",
                                 settings.producer.batch_size));
  }
  return advice;
}

Sentences decoding_advice(const PipeSettings& settings) {
  Sentences advice;
  if (settings.producer.batch_size < kLargeTransaction) {
    advice.push_back(
        fmt::format("raise producer.batchSize (now {}): fewer transactions cost the walsender less, which "
                    "decodes them all on one core",
                    settings.producer.batch_size));
  }
  if (!settings.consumer.binary) {
    advice.emplace_back("set consumer.binary to true (now false): the walsender need not print values then");
  }
  advice.push_back(
      fmt::format("write less WAL per record: producer.payloadSizeKB (now {:.3g}), "
                  "database.replicaIdentity",
                  settings.producer.payload_size_kb));
  return advice;
}

Sentences disk_advice(const PipeSettings&) {
  return {
      "give PostgreSQL a faster disk, or keep the consumer closer to the head: WAL that is read at once is "
      "still in memory"};
}

Sentences network_advice(const PipeSettings& settings) {
  return {
      fmt::format("give the connection between PostgreSQL and the consumer more bandwidth, or send less "
                  "through it: producer.payloadSizeKB (now {:.3g}), database.replicaIdentity",
                  settings.producer.payload_size_kb)};
}

Sentences producer_advice(const PipeSettings& settings) {
  Sentences advice{fmt::format("raise producer.workerCount (now {}): a producer is one loop on one core",
                               settings.producer.worker_count)};
  if (settings.producer.write_mode != config::WriteMode::copy) {
    advice.emplace_back("set producer.writeMode to copy: it costs the producer less CPU per record");
  }
  if (settings.producer.batch_size < kLargeTransaction) {
    advice.push_back(fmt::format("raise producer.batchSize (now {}): fewer transactions for as many records",
                                 settings.producer.batch_size));
  }
  return advice;
}

Sentences write_advice(const PhaseReport& phase, const PipeSettings& settings) {
  const config::Producer& producer = settings.producer;
  return {fmt::format("raise producer.batchSize (now {}) or producer.connections (now {}){}",
                      producer.batch_size, producer.connections, write_limit_text(phase, settings))};
}

Sentences full_machine_advice(const PipeSettings& settings) {
  Sentences advice;
  if (settings.producer.write_mode != config::WriteMode::copy) {
    advice.emplace_back("set producer.writeMode to copy: a record costs PostgreSQL less CPU then");
  }
  if (settings.producer.batch_size < kLargeTransaction) {
    advice.push_back(fmt::format("raise producer.batchSize (now {}): fewer commits for as many records",
                                 settings.producer.batch_size));
  }
  advice.push_back(fmt::format(
      "give PostgreSQL a machine of its own: all {} CPUs that may be used here were in use, so more "
      "connections would only wait for one",
      settings.cpu_count));
  return advice;
}

}  // namespace walstorm::measure
