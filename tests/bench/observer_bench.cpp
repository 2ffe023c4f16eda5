// What it costs the consumer and the producer to be observed.

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <string>

#include "proto/wire/error.h"
#include "proto/wire/task_run_table.h"
#include "tests/bench/options.h"
#include "tests/bench/rig.h"

namespace walstorm::bench {
namespace {

constexpr const char* kPublication = "bench_task_run";
/// Where every drain starts: copied for each, so that none moves it.
constexpr const char* kTemplateSlot = "bench_template";
constexpr const char* kSlot = "bench";
/// Some seconds' work for either worker: Samples and looks come once a second.
constexpr std::uint64_t kDrainedRows = 600'000;
constexpr std::uint64_t kWrittenRows = 200'000;
/// A difference of a percent is less than what two rounds differ by.
constexpr int kRoundsEach = 3;

config::Config write_config(std::uint64_t rows) {
  return Rig::config({{"phases.0.records", std::to_string(rows)},
                      {"phases.0.durationSec", "100"},
                      {"phases.0.targetThroughput", "max"},
                      {"producer.insertUpdateRatio", "1"},
                      {"producer.payloadSizeKB", "0.6"},  // and 400 bytes of other columns
                      {"producer.writeMode", "copy"}});
}

void require(std::uint64_t rows, const Take& take) {
  if (take.records == rows) return;
  throw wire::Error(wire::ErrorKind::data, fmt::format("{} of {} rows went through", take.records, rows));
}

/// Both sides of a table, and what went over the pipe.
void compare(const std::string& title, const std::function<Take(Metrics)>& run, int rounds) {
  double bytes_per_sec_max = 0;
  const auto observed = [&] {
    const Take take = run(Metrics::all);
    bytes_per_sec_max = std::max(bytes_per_sec_max, take.pipe_bytes_per_sec);
    return take;
  };
  run_paired(
      title,
      {{"the final figures alone", [&] { return run(Metrics::once_at_end); }}, {"metrics on", observed}},
      rounds);
  print_heading(fmt::format("  over the pipe, metrics on: {:.1f} kB/s at most", bytes_per_sec_max / 1000));
}

void bench_drain(Rig& rig, int rounds) {
  rig.execute(fmt::format("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", kTemplateSlot));
  require(kDrainedRows, rig.produce(write_config(kDrainedRows)));
  rig.execute(fmt::format("SELECT pg_logical_emit_message(true, '{}', '{}')", wire::kMarkerPrefix,
                          wire::phase_end_marker(Rig::kRunId, 0)));
  const config::Config config = Rig::config({{"consumer.slotName", kSlot},
                                             {"consumer.publicationName", kPublication},
                                             {"consumer.ackPolicy", "never"},
                                             {"consumer.flushBatchSize", "1000"}});
  compare(
      fmt::format("drain: {} rows of ~1 KB", kDrainedRows),
      [&](Metrics metrics) {
        rig.execute(fmt::format("SELECT pg_copy_logical_replication_slot('{}', '{}')", kTemplateSlot, kSlot));
        const Take take = rig.drain(config, metrics);
        rig.drop_slot(kSlot);
        require(kDrainedRows, take);
        return take;
      },
      rounds);
  rig.drop_slot(kTemplateSlot);
}

void bench_write(Rig& rig, int rounds) {
  compare(
      fmt::format("write: {} rows of ~1 KB, COPY", kWrittenRows),
      [&](Metrics metrics) {
        rig.execute(fmt::format("TRUNCATE \"{}\"", wire::kTaskRunTable));
        rig.execute("CHECKPOINT");
        const Take take = rig.produce(write_config(kWrittenRows), metrics);
        require(kWrittenRows, take);
        return take;
      },
      rounds);
}

void bench_all(const Options& options) {
  Rig rig(std::map<std::string, std::string>{{"synchronous_commit", "off"}});
  rig.make_task_run(kPublication);
  const int rounds = options.rounds * kRoundsEach;
  print_heading(
      fmt::format("observer: each worker as a whole process, with metrics on (a Sample each second, the "
                  "server looked at once a second, all of it folded) and with its final figures alone; {} "
                  "rounds in alternating order, median (least-most)",
                  rounds));
  bench_drain(rig, rounds);
  bench_write(rig, rounds);
}

}  // namespace
}  // namespace walstorm::bench

int main(int argc, char** argv) {
  return walstorm::bench::run_bench(argc, argv, walstorm::bench::bench_all);
}
