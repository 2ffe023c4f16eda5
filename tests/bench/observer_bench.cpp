// What it costs the consumer and the producer to be observed.

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <string>

#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"
#include "tests/bench/options.h"
#include "tests/bench/rig.h"

namespace walstorm::bench {
namespace {

constexpr const char* kPublication = "bench_task_run";
/// Where every drain starts: copied for each, so that none moves it.
constexpr const char* kTemplateSlot = "bench_template";
constexpr const char* kSlot = "bench";
/// Some seconds' work for either worker: Samples and looks come once a second.
constexpr std::uint64_t kRows = 600'000;
/// As a run watches its workers, and so much closer that what it costs stands out from what two phases differ
/// by anyway: every Sample and every look costs what the one before it did.
constexpr Watching kOff{0, 0};
constexpr Watching kOn{1, 1};
constexpr unsigned kCloser = 20;
constexpr Watching kManifold{kCloser, kCloser};
/// A process's phases: one to get warm, and rounds in which each way of watching has its turn.
constexpr unsigned kRoundsEach = 2;
constexpr unsigned kPhases = 1 + 3 * kRoundsEach;
constexpr int kProcessesEach = 2;

config::Config write_config() {
  return Rig::config({{"phases.0.records", std::to_string(kRows)},
                      {"phases.0.durationSec", "100"},
                      {"phases.0.targetThroughput", "max"},
                      {"producer.insertUpdateRatio", "1"},
                      {"producer.payloadSizeKB", "0.6"},  // and 400 bytes of other columns
                      {"producer.writeMode", "copy"}});
}

std::uint64_t inserted(const proto::PhaseResult& result) {
  return result.has_producer() ? result.producer().produced().inserts()
                               : result.consumer().acknowledged().inserts();
}

/// Phases of one process that are watched in different ways, so that all else is the same: what they are told
/// differs by a few percent from process to process.
class Rounds final {
 public:
  /// Starts and ends phase `index` of `worker`.
  using RunPhase =
      std::function<proto::PhaseResult(ObservedWorker& worker, unsigned index, const Watching& watching)>;

  void add(ObservedWorker& worker, const RunPhase& run_phase) {
    unsigned phase = 0;
    require(run_phase(worker, phase++, kOn));
    for (unsigned round = 0; round < kRoundsEach; ++round, ++rounds_) {
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        const std::size_t at = (rounds_ % 2 == 0 ? i : rows_.size() - 1 - i) + rounds_ / 2;
        take(worker, at % rows_.size(),
             [&](const Watching& watching) { require(run_phase(worker, phase++, watching)); });
      }
    }
    worker.stop();
  }

  void print(const std::string& title) const {
    print_paired(title, rows_);
    const Ratio rate = rate_ratio(rows_.back(), rows_.front()), cpu = cpu_ratio(rows_.back(), rows_.front());
    const auto once = [](double ratio) { return (ratio - 1) * 100 / kCloser; };
    print_heading(fmt::format(
        "  so once: rate {:+.2f} % ({:+.2f} to {:+.2f}), CPU per record {:+.2f} % ({:+.2f} to {:+.2f})",
        once(rate.median), once(rate.low), once(rate.high), once(cpu.median), once(cpu.low), once(cpu.high)));
    print_heading(
        fmt::format("  over the pipe, metrics on: {:.1f} kB/s at most", pipe_bytes_per_sec_max_ / 1000));
  }

 private:
  static void require(const proto::PhaseResult& result) {
    if (inserted(result) == kRows) return;
    throw wire::Error(wire::ErrorKind::data,
                      fmt::format("{} of {} rows went through", inserted(result), kRows));
  }

  void take(const ObservedWorker& worker, std::size_t at, const std::function<void(const Watching&)>& phase) {
    const double cpu_before = worker.cpu_sec();
    const std::size_t bytes_before = worker.pipe_bytes();
    const auto start = std::chrono::steady_clock::now();
    phase(kWatchings[at]);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    rows_[at].takes.push_back({took.count(), worker.cpu_sec() - cpu_before, kRows});
    if (at != kOnRow) return;
    pipe_bytes_per_sec_max_ = std::max(
        pipe_bytes_per_sec_max_, static_cast<double>(worker.pipe_bytes() - bytes_before) / took.count());
  }

  static constexpr std::array<Watching, 3> kWatchings{kOff, kOn, kManifold};
  static constexpr std::size_t kOnRow = 1;
  std::vector<Row> rows_{
      {"the final figures alone", {}}, {"metrics on", {}}, {fmt::format("metrics on, {}-fold", kCloser), {}}};
  unsigned rounds_ = 0;
  double pipe_bytes_per_sec_max_ = 0;
};

/// A backlog of kPhases times kRows, each up to its marker. The consumer reads on while it is told of the
/// next phase, so that a phase is what lies between two markers.
void bench_drain(Rig& rig, int processes) {
  rig.execute(fmt::format("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", kTemplateSlot));
  const auto producer = rig.start_producer(write_config());
  for (unsigned phase = 0; phase < kPhases; ++phase) {
    producer->start_phase(phase, kOn);
    producer->await_load();
    (void)producer->end_phase();
    rig.execute(fmt::format("SELECT pg_logical_emit_message(true, '{}', '{}')", wire::kMarkerPrefix,
                            wire::phase_end_marker(Rig::kRunId, phase)));
  }
  producer->stop();
  const config::Config config = Rig::config({{"consumer.slotName", kSlot},
                                             {"consumer.publicationName", kPublication},
                                             {"consumer.ackPolicy", "never"},
                                             {"consumer.flushBatchSize", "1000"}});
  Rounds rounds;
  for (int process = 0; process < processes; ++process) {
    rig.execute(fmt::format("SELECT pg_copy_logical_replication_slot('{}', '{}')", kTemplateSlot, kSlot));
    const auto consumer = rig.start_consumer(config);
    rounds.add(*consumer, [](ObservedWorker& worker, unsigned index, const Watching& watching) {
      worker.start_phase(index, watching);
      return worker.end_phase();
    });
    rig.drop_slot(kSlot);
  }
  rounds.print(fmt::format("drain: {} rows of ~1 KB a phase", kRows));
  rig.drop_slot(kTemplateSlot);
}

void bench_write(Rig& rig, int processes) {
  Rounds rounds;
  for (int process = 0; process < processes; ++process) {
    rig.execute(fmt::format("TRUNCATE \"{}\"", wire::kTaskRunTable));
    rig.execute("CHECKPOINT");
    const auto producer = rig.start_producer(write_config());
    rounds.add(*producer, [](ObservedWorker& worker, unsigned index, const Watching& watching) {
      worker.start_phase(index, watching);
      worker.await_load();
      return worker.end_phase();
    });
  }
  rounds.print(fmt::format("write: {} rows of ~1 KB a phase, COPY", kRows));
}

void bench_all(const Options& options) {
  Rig rig(std::map<std::string, std::string>{{"synchronous_commit", "off"}});
  rig.make_task_run(kPublication);
  const int processes = options.rounds * kProcessesEach;
  print_heading(fmt::format(
      "observer: phases of one worker, in turn with its final figures alone, with metrics on (a Sample each "
      "second, the server looked at once a second, all of it folded), and with {} times all that; {} rounds, "
      "median (95 % confidence)",
      kCloser, processes * static_cast<int>(kRoundsEach)));
  bench_drain(rig, processes);
  bench_write(rig, processes);
}

}  // namespace
}  // namespace walstorm::bench

int main(int argc, char** argv) {
  return walstorm::bench::run_bench(argc, argv, walstorm::bench::bench_all);
}
