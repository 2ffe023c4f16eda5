#include "orchestrator/measure/bottleneck.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "orchestrator/measure/advice.h"
#include "orchestrator/measure/millis.h"
#include "orchestrator/measure/pipe_course.h"

namespace walstorm::measure {
namespace {

/// A loop, or a process that is always on a CPU or waiting for one, has no time left from here on.
constexpr double kBusyShare = 0.9;
constexpr double kCpuBoundShare = 0.85;
/// One that waits for a CPU for so much of the time has too little of it, whatever it used.
constexpr double kCpuDeniedShare = 0.4;
/// The kernel's own work and PostgreSQL's writers of WAL and pages take what is left.
constexpr double kMachineFullShare = 0.8;
/// Of the time in which it wanted a CPU a process should get this much; less, and others are in its way.
constexpr double kServedShare = 0.75;
/// The sink is blamed when all flushes were under way for at least this share of the load.
constexpr double kFlushesFullShareMin = 0.5;
constexpr double kBufferFullShare = 0.9;
/// So much of the connections' time spent in transactions says that they, and not the producer, were waited
/// for. Of a ramp only the second half may have been too much, so half of the whole is enough.
constexpr double kConnectionsBusyMin = 0.5;
/// From here on a walsender's waits, or what it spilled of what it sent, make up most of its work.
constexpr double kMostlyShare = 0.5;
constexpr double kDiskWaitShareMin = 0.3;
/// A connection that is too narrow is waited for at least so often, even if only in the end.
constexpr double kSendingShareMin = 0.2;
constexpr double kMillion = 1e6;

using Sentences = std::vector<std::string>;

std::string percent(double share) {
  return fmt::format("{:.0f} %", share * 100);
}

/// The process of that role; of "producer" and "consumer", the busiest one of them.
const ProcessReport& process_of(const PhaseReport& phase, std::string_view role) {
  static const ProcessReport kNone{};
  const ProcessReport* found = &kNone;
  for (const ProcessReport& process : phase.processes) {
    const bool is_it = process.role == role || process.role.starts_with(fmt::format("{}-", role));
    if (is_it && process.cpu_share.value_or(-1) > found->cpu_share.value_or(-1)) found = &process;
  }
  return *found;
}

/// How much of the time a process wanted a CPU, whether it got one or not.
std::optional<double> cpu_wanted(const ProcessReport& process) {
  if (!process.cpu_share) return std::nullopt;
  return *process.cpu_share + process.cpu_wait_share.value_or(0);
}

/// The kernel counts a wait when it ends, so one who waits long is seen to have waited less.
bool is_cpu_bound(const ProcessReport& process) {
  return cpu_wanted(process).value_or(0) >= kCpuBoundShare ||
         process.cpu_wait_share.value_or(0) >= kCpuDeniedShare;
}

std::string cpu_figure(const std::string& role) {
  return fmt::format("processes.{}.cpuShare", role);
}

std::string cpu_text(const std::string& who, const ProcessReport& process) {
  std::string text = fmt::format("{} used {} of a core", who, percent(process.cpu_share.value_or(0)));
  if (process.cpu_wait_share.value_or(0) >= 0.05) {
    text += fmt::format(" and waited for a CPU for {} of the time", percent(*process.cpu_wait_share));
  }
  return text;
}

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
  /// A process that has to wait for a CPU is busy even where its loop's own time does not show it.
  [[nodiscard]] bool consumer_is_busy() const {
    return loop_share() >= kBusyShare || is_cpu_bound(consumer_);
  }

  Blame consumer_cpu() {
    add("busy.consumerLoop", phase_.busy.consumer_loop, kBusyShare,
        fmt::format("the consumer's loop was at work for {} of the time", percent(loop_share())));
    if (!consumer_.cpu_share) return say(Bottleneck::consumer_cpu, consumer_advice(phase_, settings_));
    add(cpu_figure(consumer_.role), consumer_.cpu_share, 1, cpu_text("its process", consumer_));
    const double wanted = std::max(loop_share(), *cpu_wanted(consumer_));
    const bool starved = *consumer_.cpu_share < kServedShare * wanted;
    return say(Bottleneck::consumer_cpu, starved
                                             ? starvation_advice("consumer", settings_, *consumer_.cpu_share)
                                             : consumer_advice(phase_, settings_));
  }

  [[nodiscard]] bool buffer_is_full() const {
    const double bytes_max = static_cast<double>(settings_.consumer.max_buffered_mb) * kMillion;
    return bytes_max > 0 &&
           static_cast<double>(phase_.consumer.buffered_bytes_max.value_or(0)) > kBufferFullShare * bytes_max;
  }

  bool sink_is_full() {
    bool full = false;
    if (phase_.busy.flushes_full.value_or(0) >= kFlushesFullShareMin) {
      add("busy.flushesFull", phase_.busy.flushes_full, kFlushesFullShareMin,
          fmt::format("every flush allowed was under way in {} of the Samples{}",
                      percent(*phase_.busy.flushes_full), since_it_fell_behind()));
      full = true;
    } else if (buffer_is_full()) {
      add("consumer.bufferedBytesMax", static_cast<double>(*phase_.consumer.buffered_bytes_max),
          static_cast<double>(settings_.consumer.max_buffered_mb) * kMillion,
          "the consumer's buffer was full of records that the sink had not taken yet");
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
    const PipeCourse& course = phase_.course;
    const auto& still = course.standstill;
    const bool stalled =
        still && still->seconds() >= stall_sec(phase_.duration_sec.value_or(0), still->to_the_end);
    return course.saturated_from_sec || stalled ? " since it fell behind" : "";
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
      if (is_cpu_bound(walsender_)) add_walsender("the walsender");
      return say(Bottleneck::walsender, spill_advice(settings_));
    }
    if (is_cpu_bound(walsender_)) return busy_walsender();
    if (const double disk = waits("IO:"); disk >= kDiskWaitShareMin) {
      add("postgres.walsenderWaits.IO:*", disk, {},
          fmt::format("the walsender waited for its disk in {} of the looks", percent(disk)));
      return say(Bottleneck::walsender, disk_advice(settings_));
    }
    return between();
  }

  Blame busy_walsender() {
    add_walsender("the walsender");
    const bool starved = *walsender_.cpu_share < kServedShare * *cpu_wanted(walsender_);
    return say(Bottleneck::walsender, starved
                                          ? starvation_advice("walsender", settings_, *walsender_.cpu_share)
                                          : decoding_advice(settings_));
  }

  /// Neither side of the connection is busy: what lies between them is.
  Blame between() {
    if (!walsender_.cpu_share && phase_.postgres.walsender_waits.empty()) {
      add(cpu_figure("postgres-walsender"), {}, {},
          "what the walsender did is not known: it runs on another machine");
      return say(Bottleneck::unknown, {});
    }
    if (!phase_.postgres.walsender_waits.empty()) {
      const std::string for_the_connection = "Client:WalSenderWriteData";
      const double sending = waits(for_the_connection);
      add("postgres.walsenderWaits." + for_the_connection, sending, {},
          fmt::format("the walsender waited for the connection to take more in {} of the looks",
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

  void add_ladder() {
    const auto& gap = phase_.ladder.sent_to_received.bytes.max;
    if (!gap) return;
    add("ladder.sentToReceived.bytes.max", gap, {},
        fmt::format("sent and received were up to {:.1f} MB of WAL apart", *gap / kMillion));
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

void add_writers(const PhaseReport& phase, bool were_idle, std::vector<Evidence>& evidence) {
  const ProcessReport& backends = process_of(phase, "postgres-backends");
  if (backends.cpu_share) {
    evidence.push_back({cpu_figure(backends.role),
                        backends.cpu_share,
                        {},
                        cpu_text("the writing backends together", backends)});
  }
  if (were_idle) return;  // and that has been said
  const auto most =
      std::max_element(phase.postgres.writer_waits.begin(), phase.postgres.writer_waits.end(),
                       [](const auto& one, const auto& other) { return one.second < other.second; });
  if (most == phase.postgres.writer_waits.end()) return;
  evidence.push_back(
      {"postgres.writerWaits." + most->first,
       most->second,
       {},
       fmt::format("the writing backends were mostly {}{}",
                   most->first.find(':') == std::string::npos ? "" : "waiting for ", most->first)});
}

}  // namespace

Blame blame_pipe(const PhaseReport& phase, const PipeSettings& settings) {
  return PipeInquiry(phase, settings).blame();
}

Blame blame_generator(const PhaseReport& phase, const PipeSettings& settings) {
  Blame blame;
  const auto& connections = phase.busy.connections;
  const ProcessReport& producer = process_of(phase, "producer");
  if (producer.cpu_share) {
    blame.evidence.push_back(
        {cpu_figure(producer.role), producer.cpu_share, 1, cpu_text("the busiest producer", producer)});
  }
  if (is_cpu_bound(producer)) {
    blame.bottleneck = Bottleneck::producer;
    const bool starved = *producer.cpu_share < kServedShare * *cpu_wanted(producer);
    blame.try_next =
        starved ? starvation_advice("producer", settings, *producer.cpu_share) : producer_advice(settings);
    return blame;
  }
  if (connections) {
    blame.evidence.push_back(
        {"busy.connections",
         connections,
         {},
         fmt::format("{:.0f} connections were in transactions of {} for {} of the time",
                     connections_of(settings), millis(phase.producer.service_time_ms.mean.value_or(0)),
                     percent(std::min(*connections, 1.0)))});
  }
  if (!connections && !producer.cpu_share) return blame;  // neither is known
  const auto idle = phase.postgres.writer_waits.find("idle");
  const bool writers_idle =
      idle != phase.postgres.writer_waits.end() && idle->second >= kMostlyShare * connections_of(settings);
  // Of a server on this machine: an answer from elsewhere is under way for longer than it took to make.
  const bool server_is_here = process_of(phase, "postgres-backends").cpu_share.has_value();
  if (writers_idle) {
    blame.evidence.push_back({"postgres.writerWaits.idle",
                              idle->second,
                              {},
                              fmt::format("{:.1f} of the writing backends had nothing to do{}", idle->second,
                                          server_is_here ? "" : ": the time went in round trips")});
  }
  if ((writers_idle && server_is_here) || connections.value_or(0) < kConnectionsBusyMin) {
    blame.bottleneck = Bottleneck::producer;
    blame.try_next = {"look at the producers' logs: they fell late with CPU and connections to spare"};
    return blame;
  }
  blame.bottleneck = Bottleneck::postgres_write;
  add_writers(phase, writers_idle, blame.evidence);
  if (phase.busy.cpus.value_or(0) >= kMachineFullShare) {
    blame.evidence.push_back({"busy.cpus", phase.busy.cpus, kMachineFullShare,
                              fmt::format("the run's processes used {} of the {} CPUs that may be used here",
                                          percent(*phase.busy.cpus), settings.cpu_count)});
    blame.try_next = full_machine_advice(settings);
  } else {
    blame.try_next = write_advice(phase, settings);
  }
  return blame;
}

Blame headroom(const PhaseReport& phase) {
  struct Part {
    const char* name;
    std::string figure;
    std::optional<double> busy;
    const char* how = "of the time";
  };
  const ProcessReport& walsender = process_of(phase, "postgres-walsender");
  const ProcessReport& producer = process_of(phase, "producer");
  const std::array parts{Part{"the consumer's loop", "busy.consumerLoop", phase.busy.consumer_loop},
                         Part{"the walsender", cpu_figure(walsender.role), walsender.cpu_share},
                         Part{"the busiest producer's core", cpu_figure(producer.role), producer.cpu_share},
                         Part{"the connections to PostgreSQL", "busy.connections", phase.busy.connections},
                         Part{"the flushes allowed", "busy.flushes", phase.busy.flushes},
                         Part{"this machine's CPUs together", "busy.cpus", phase.busy.cpus, "in use"}};
  const auto busiest = std::max_element(parts.begin(), parts.end(), [](const Part& one, const Part& other) {
    return one.busy.value_or(-1) < other.busy.value_or(-1);
  });
  Blame blame{Bottleneck::none, {}, {}};
  if (!busiest->busy) return blame;
  blame.evidence.push_back(
      {busiest->figure, busiest->busy, 1,
       fmt::format("the busiest part was {}, {} {}", busiest->name, percent(*busiest->busy), busiest->how)});
  return blame;
}

}  // namespace walstorm::measure
