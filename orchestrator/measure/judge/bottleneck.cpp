#include "orchestrator/measure/judge/bottleneck.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "orchestrator/measure/judge/advice.h"
#include "orchestrator/measure/judge/cpu_need.h"
#include "orchestrator/measure/judge/load_evidence.h"
#include "orchestrator/text/format.h"

namespace walstorm::measure {
namespace {

/// So much of the connections' time spent in transactions says that they, and not the producer, were waited
/// for. Of a ramp only the second half may have been too much, so half of the whole is enough.
constexpr double kConnectionsBusyMin = 0.5;
/// Of the writing backends, from here on most had nothing to do.
constexpr double kMostlyIdle = 0.5;

void add_machine(const PhaseReport& phase, const PipeSettings& settings, std::vector<Evidence>& evidence) {
  if (phase.busy.cpus) evidence.push_back(machine_evidence(phase, settings.cpu_count));
}

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

/// Of producers without time. On a machine that the run itself uses up, that is not theirs alone: the side
/// that used more of it is named then.
Blame blame_for_cpu(const PhaseReport& phase, const PipeSettings& settings, const ProcessReport& producer,
                    std::vector<Evidence> evidence) {
  if (!is_starved(producer)) return {Bottleneck::producer, std::move(evidence), producer_advice(settings)};
  add_machine(phase, settings, evidence);
  const ProcessReport& backends = process_of(phase, "postgres-backends");
  if (is_crowded(phase) && backends.cpu_share.value_or(0) > *producer.cpu_share) {
    evidence.push_back({cpu_figure(backends.role),
                        backends.cpu_share,
                        {},
                        cpu_text("the writing backends together", backends)});
    return {Bottleneck::postgres_write, std::move(evidence), full_machine_advice(settings)};
  }
  return {Bottleneck::producer, std::move(evidence), cpu_advice("producer", phase, settings, producer)};
}

}  // namespace

Blame blame_generator(const PhaseReport& phase, const PipeSettings& settings) {
  Blame blame;
  const auto& connections = phase.busy.connections;
  const ProcessReport& producer = process_of(phase, "producer");
  if (producer.cpu_share) {
    blame.evidence.push_back(
        {cpu_figure(producer.role), producer.cpu_share, 1, cpu_text("the busiest producer", producer)});
  }
  if (fills_a_cpu(producer) ||
      (may_lack_cpu(producer) && backends_wait_for_the_producer(phase, settings).value_or(true))) {
    return blame_for_cpu(phase, settings, producer, std::move(blame.evidence));
  }
  if (connections) {
    blame.evidence.push_back(
        {"busy.connections",
         connections,
         {},
         fmt::format("{:.0f} connections were in transactions of {} for {} of the time",
                     connections_of(settings), text::ms_text(phase.producer.service_time_ms.mean.value_or(0)),
                     percent(std::min(*connections, 1.0)))});
  }
  if (!connections && !producer.cpu_share) return blame;  // neither is known
  const auto idle = phase.postgres.writer_waits.find("idle");
  const bool writers_idle =
      idle != phase.postgres.writer_waits.end() && idle->second >= kMostlyIdle * connections_of(settings);
  // Of a server on this machine: an answer from elsewhere is under way for longer than it took to make.
  const bool server_is_here = process_of(phase, "postgres-backends").cpu_share.has_value();
  if (writers_idle) {
    blame.evidence.push_back({"postgres.writerWaits.idle",
                              idle->second,
                              {},
                              fmt::format("{:.1f} of the writing backends had nothing to do{}", idle->second,
                                          server_is_here ? "" : ": the time went in round trips")});
  }
  const bool had_time = (writers_idle && server_is_here) || connections.value_or(0) < kConnectionsBusyMin;
  if (blame_load(phase, settings, had_time, blame)) return blame;
  if (had_time) {
    blame.bottleneck = Bottleneck::producer;
    blame.try_next = {"look at the producers' logs: they fell late with CPU and connections to spare"};
    return blame;
  }
  blame.bottleneck = Bottleneck::postgres_write;
  add_writers(phase, writers_idle, blame.evidence);
  if (is_crowded(phase)) {
    add_machine(phase, settings, blame.evidence);
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
