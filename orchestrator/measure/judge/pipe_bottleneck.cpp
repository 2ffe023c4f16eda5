#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "orchestrator/measure/judge/advice.h"
#include "orchestrator/measure/judge/backlog_trend.h"
#include "orchestrator/measure/judge/bottleneck.h"
#include "orchestrator/measure/judge/cpu_need.h"
#include "orchestrator/measure/judge/load_evidence.h"
#include "orchestrator/text/figure_text.h"

namespace walstorm::measure {
namespace {

/// A loop has no time left from here on.
constexpr double kBusyShare = 0.9;
/// The sink is blamed when all flushes were under way for at least this share of the load.
constexpr double kFlushesFullShareMin = 0.5;
constexpr double kBufferFullShare = 0.9;
/// From here on a walsender's waits, or what it spilled of what it sent, make up most of its work.
constexpr double kMostlyShare = 0.5;
constexpr double kDiskWaitShareMin = 0.3;
/// A connection that is too narrow is waited for at least so often, even if only in the end.
constexpr double kSendingShareMin = 0.2;
constexpr double kMebibyte = 1 << 20;
constexpr const char* kForTheConnection = "Client:WalSenderWriteData";

using Sentences = std::vector<std::string>;

/// Finds who held up the pipe, from downstream up.
class PipeInquiry final {
 public:
  PipeInquiry(const PhaseReport& phase, const PipeSettings& settings)
      : phase_(phase),
        settings_(settings),
        consumer_(process_of(phase, "consumer")),
        walsender_(process_of(phase, "postgres-walsender")) {}

  Blame blame() {
    if (consumer_is_busy()) return consumer_cpu();
    if (sink_is_full() || sink_never_answered()) return sink();
    if (!reader_is_starved()) return of_the_longest_stage();
    return upstream();
  }

 private:
  Blame say(Bottleneck bottleneck, Sentences advice) {
    return {bottleneck, std::move(evidence_), std::move(advice)};
  }
  void add(std::string figure, std::optional<double> value, std::optional<double> limit, std::string says) {
    evidence_.push_back({std::move(figure), value, limit, std::move(says)});
  }

  [[nodiscard]] double loop_share() const { return phase_.busy.consumer_loop.value_or(0); }
  /// A process that has to wait for a CPU is busy even where its loop's own time does not show it, if it
  /// reads too little for that.
  [[nodiscard]] bool consumer_is_busy() const {
    return loop_share() >= kBusyShare || fills_a_cpu(consumer_) ||
           (may_lack_cpu(consumer_) && waits_for_the_reader());
  }

  /// Whether WAL, or what was read of it, stands before the consumer, and not before the walsender.
  [[nodiscard]] bool waits_for_the_reader() const {
    const ConsumerReport& consumer = phase_.consumer;
    const double queue = consumer.queue_ms.mean.value_or(0);
    if (queue > std::max(consumer.receive_ms.mean.value_or(0), consumer.flush_ms.mean.value_or(0)))
      return true;
    if (waits(kForTheConnection) >= kSendingShareMin) return true;
    const auto& sent = phase_.ladder.sent_to_received.bytes.max;
    const auto& unsent = phase_.ladder.head_to_sent.bytes.max;
    if (sent && unsent) return *sent >= *unsent;
    return phase_.postgres.walsender_waits.empty();  // then nothing speaks against it
  }

  Blame consumer_cpu() {
    add("busy.consumerLoop", phase_.busy.consumer_loop, kBusyShare,
        fmt::format("the consumer's loop was at work for {} of the time", percent(loop_share())));
    if (!consumer_.cpu_share) return say(Bottleneck::consumer_cpu, consumer_advice(phase_, settings_));
    const bool starved = is_starved(consumer_, loop_share());
    if (starved && phase_.busy.cpus) evidence_.push_back(machine_evidence(phase_, settings_.cpu_count));
    add(cpu_figure(consumer_.role), consumer_.cpu_share, 1, cpu_text("its process", consumer_));
    return say(Bottleneck::consumer_cpu, starved ? cpu_advice("consumer", phase_, settings_, consumer_)
                                                 : consumer_advice(phase_, settings_));
  }

  /// The reader stops when batches have their part of the bound.
  [[nodiscard]] bool buffer_is_full() const {
    const auto bytes_max = static_cast<double>(config::batch_bytes_max(settings_.consumer));
    return bytes_max > 0 &&
           static_cast<double>(phase_.consumer.batch_bytes_max.value_or(0)) > kBufferFullShare * bytes_max;
  }

  bool sink_is_full() {
    bool full = false;
    if (phase_.busy.flushes_full.value_or(0) >= kFlushesFullShareMin) {
      add("busy.flushesFull", phase_.busy.flushes_full, kFlushesFullShareMin,
          fmt::format("every flush allowed was under way in {} of the Samples{}",
                      percent(*phase_.busy.flushes_full), since_it_fell_behind()));
      full = true;
    } else if (buffer_is_full()) {
      const auto bytes_max = static_cast<double>(config::batch_bytes_max(settings_.consumer));
      add("consumer.batchBytesMax", static_cast<double>(*phase_.consumer.batch_bytes_max), bytes_max,
          fmt::format(
              "the consumer's buffer was full of records that the sink had not taken yet: batches may "
              "hold {:g} MiB of consumer.maxBufferedMB (now {})",
              bytes_max / kMebibyte, settings_.consumer.max_buffered_mb));
      full = true;
    }
    return full;
  }

  /// What such a sink does to the stages is not seen: no record has been through all of them.
  bool sink_never_answered() {
    if (phase_.consumer.records > 0 || phase_.busy.flushes.value_or(0) <= 0) return false;
    add("busy.flushes", phase_.busy.flushes, {}, "flushes were under way, and none was answered");
    return true;
  }

  [[nodiscard]] std::string since_it_fell_behind() const {
    const BacklogTrend& backlog = phase_.backlog;
    const auto& still = backlog.standstill;
    const bool stalled =
        still && still->seconds() >= stall_sec(phase_.duration_sec.value_or(0), still->to_the_end);
    return backlog.saturated_from_sec || stalled ? " since it fell behind" : "";
  }

  Blame sink() {
    if (const auto cores = process_of(phase_, "clickhouse").cpu_share) {
      add(cpu_figure("clickhouse"), cores,
          settings_.cpu_count > 0 ? std::optional(static_cast<double>(settings_.cpu_count)) : std::nullopt,
          fmt::format("ClickHouse used {:.1f} cores", *cores));
    }
    return say(Bottleneck::sink, sink_advice(phase_, settings_));
  }

  /// Records wait longest to be read, though the reader has time: what feeds it is slow.
  [[nodiscard]] bool reader_is_starved() const {
    const ConsumerReport& consumer = phase_.consumer;
    return consumer.receive_ms.mean.value_or(0) >=
           std::max(consumer.queue_ms.mean.value_or(0), consumer.flush_ms.mean.value_or(0));
  }

  Blame of_the_longest_stage() {
    const ConsumerReport& consumer = phase_.consumer;
    const bool queued = consumer.queue_ms.mean.value_or(0) > consumer.flush_ms.mean.value_or(0);
    add(queued ? "consumer.queueMs.mean" : "consumer.flushMs.mean",
        queued ? consumer.queue_ms.mean : consumer.flush_ms.mean, consumer.receive_ms.mean,
        queued ? "records waited longest for a flush to start, while the loop had time"
               : "records waited longest for the sink to answer, while the loop had time");
    return sink();
  }

  Blame upstream() {
    const ConsumerReport& consumer = phase_.consumer;
    if (!consumer.receive_ms.mean) {
      add("consumer.receiveMs.mean", {}, {}, "nothing was acknowledged that could tell where records waited");
      return say(Bottleneck::unknown, {});
    }
    add("consumer.receiveMs.mean", consumer.receive_ms.mean, consumer.flush_ms.mean,
        "records waited longest in PostgreSQL, while the consumer had time to read");
    add_ladder();
    if (const double spilled = spilled_share(); spilled >= kMostlyShare) {
      add("postgres.spilledBytes", static_cast<double>(*phase_.postgres.spilled_bytes), {},
          fmt::format("the walsender wrote {} of what it sent to disk first", percent(spilled)));
      if (walsender_is_busy()) add_walsender("the walsender");
      return say(Bottleneck::walsender, spill_advice(settings_));
    }
    if (walsender_is_busy()) return busy_walsender();
    if (const double disk = waits("IO:"); disk >= kDiskWaitShareMin) {
      add("postgres.walsenderWaits.IO:*", disk, {},
          fmt::format("the walsender waited for its disk in {} of the samples", percent(disk)));
      return say(Bottleneck::walsender, disk_advice(settings_));
    }
    return between();
  }

  Blame busy_walsender() {
    add_walsender("the walsender");
    if (!is_starved(walsender_)) return say(Bottleneck::walsender, decoding_advice(settings_));
    if (phase_.busy.cpus) evidence_.push_back(machine_evidence(phase_, settings_.cpu_count));
    return say(Bottleneck::walsender, cpu_advice("walsender", phase_, settings_, walsender_));
  }

  /// One that waits for the connection is in no want of a CPU, however long it waits for one in between.
  [[nodiscard]] bool walsender_is_busy() const {
    return fills_a_cpu(walsender_) ||
           (may_lack_cpu(walsender_) && waits(kForTheConnection) < kSendingShareMin);
  }

  /// Neither side of the connection is busy: what lies between them is.
  Blame between() {
    if (!walsender_.cpu_share && phase_.postgres.walsender_waits.empty()) {
      add(cpu_figure("postgres-walsender"), {}, {},
          "what the walsender did is not known: it runs on another machine");
      return say(Bottleneck::unknown, {});
    }
    if (!phase_.postgres.walsender_waits.empty()) {
      const double sending = waits(kForTheConnection);
      add(fmt::format("postgres.walsenderWaits.{}", kForTheConnection), sending, {},
          fmt::format("the walsender waited for the connection to take more in {} of the samples",
                      percent(sending)));
      const auto running = phase_.postgres.walsender_waits.find("running");
      if (running != phase_.postgres.walsender_waits.end() && running->second >= kMostlyShare) {
        return say(Bottleneck::walsender, decoding_advice(settings_));
      }
      if (sending < kSendingShareMin) return say(Bottleneck::unknown, {});
    }
    if (walsender_.cpu_share) add_walsender("the walsender had time too: it");
    return say(Bottleneck::network, network_advice(settings_));
  }

  void add_walsender(const std::string& who) {
    add(cpu_figure(walsender_.role), walsender_.cpu_share, 1, cpu_text(who, walsender_));
  }

  /// Where the WAL stood.
  void add_ladder() {
    if (const auto& unsent = phase_.ladder.head_to_sent.bytes.max) {
      add("ladder.headToSent.bytes.max", unsent, {},
          fmt::format("up to {} of WAL had not been sent yet", text::figure_text(text::Unit::bytes, unsent)));
    }
    if (const auto& sent = phase_.ladder.sent_to_received.bytes.max) {
      add("ladder.sentToReceived.bytes.max", sent, {},
          fmt::format("sent and received were up to {} of WAL apart",
                      text::figure_text(text::Unit::bytes, sent)));
    }
  }

  /// Of the bytes that the consumer read, how many the walsender had written to disk before.
  [[nodiscard]] double spilled_share() const {
    if (!phase_.postgres.spilled_bytes || phase_.consumer.bytes == 0) return 0;
    return static_cast<double>(*phase_.postgres.spilled_bytes) / static_cast<double>(phase_.consumer.bytes);
  }

  /// Share of the looks at which the walsender waited for something that begins like this.
  [[nodiscard]] double waits(const std::string& kind) const {
    double share = 0;
    for (const auto& [wait, part] : phase_.postgres.walsender_waits) {
      if (wait.starts_with(kind)) share += part;
    }
    return share;
  }

  const PhaseReport& phase_;
  const PipeSettings& settings_;
  const ProcessReport& consumer_;
  const ProcessReport& walsender_;
  std::vector<Evidence> evidence_;
};

}  // namespace

Blame blame_pipe(const PhaseReport& phase, const PipeSettings& settings) {
  return PipeInquiry(phase, settings).blame();
}

}  // namespace walstorm::measure
