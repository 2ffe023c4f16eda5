// How fast the consumer drains a backlog, and at what cost, beside PostgreSQL's own reader of the same WAL.

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"
#include "tests/bench/options.h"
#include "tests/bench/rig.h"

namespace walstorm::bench {
namespace {

constexpr const char* kTaskRunPublication = "bench_task_run";
constexpr const char* kEventPublication = "bench_event";
/// Where every reader starts: copied for each, so that none moves it.
constexpr const char* kTemplateSlot = "bench_template";
constexpr const char* kSlot = "bench";

struct Backlog {
  const char* name;
  std::uint64_t transactions;
  std::uint64_t rows_per_transaction;
  const char* publication;
};

constexpr Backlog kBacklogs[] = {
    {"~1 KB x 100-row transactions", 3'000, 100, kTaskRunPublication},
    {"~150 B x 10,000-row transactions", 60, 10'000, kEventPublication},
    {"~1 KB x single-row transactions", 120'000, 1, kTaskRunPublication},
};

/// Rows of some 150 bytes, which "TaskRun" is too wide for. The consumer reads any table with id and
/// row_hash.
void make_event_table(Rig& rig) {
  rig.execute(
      "CREATE TABLE \"Event\" (id text PRIMARY KEY, kind text NOT NULL, body text NOT NULL, amount bigint "
      "NOT "
      "NULL, at timestamptz NOT NULL, row_hash bigint NOT NULL)");
  rig.execute("ALTER TABLE \"Event\" REPLICA IDENTITY FULL");
  rig.execute(fmt::format("CREATE PUBLICATION {} FOR TABLE \"Event\"", kEventPublication));
  rig.execute(
      "CREATE PROCEDURE write_events(transactions int, row_count int) LANGUAGE plpgsql AS $$ BEGIN "
      "FOR t IN 1..transactions LOOP INSERT INTO \"Event\" SELECT 'event_' || t || '_' || r, 'kind_' || r % "
      "10, "
      "md5(t::text || r) || md5(r::text || t), r, '2024-01-01'::timestamptz + r * interval '1 s', "
      "t::bigint * 1000000007 + r FROM generate_series(1, row_count) r; COMMIT; END LOOP; END $$");
}

void write_backlog(Rig& rig, const Backlog& backlog) {
  const std::uint64_t rows = backlog.transactions * backlog.rows_per_transaction;
  if (backlog.publication == std::string(kEventPublication)) {
    rig.execute("TRUNCATE \"Event\"");
  } else {
    rig.execute(fmt::format("TRUNCATE \"{}\"", wire::kTaskRunTable));
  }
  rig.execute(fmt::format("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", kTemplateSlot));
  if (backlog.publication == std::string(kEventPublication)) {
    rig.execute(fmt::format("CALL write_events({}, {})", backlog.transactions, backlog.rows_per_transaction));
    return;
  }
  const Take take = rig.produce(
      Rig::config({{"phases.0.records", std::to_string(rows)},
                   {"phases.0.durationSec", "100"},
                   {"phases.0.targetThroughput", "max"},
                   {"producer.batchSize", std::to_string(backlog.rows_per_transaction)},
                   {"producer.insertUpdateRatio", "1"},
                   {"producer.payloadSizeKB", "0.6"},  // and 400 bytes of other columns
                   {"producer.writeMode", backlog.rows_per_transaction > 1 ? "copy" : "insert"}}));
  if (take.records != rows) {
    throw wire::Error(wire::ErrorKind::unavailable,
                      fmt::format("write a backlog of {} rows: only {} in time", rows, take.records));
  }
}

void bench(Rig& rig, const char* transport, const Backlog& backlog, const Options& options) {
  write_backlog(rig, backlog);
  const std::string end = rig.ask(fmt::format("SELECT pg_logical_emit_message(true, '{}', '{}')",
                                              wire::kMarkerPrefix, wire::phase_end_marker(Rig::kRunId, 0)));
  const std::uint64_t rows = backlog.transactions * backlog.rows_per_transaction;
  const auto on_fresh_slot = [&](const std::function<Take()>& run) {
    rig.execute(fmt::format("SELECT pg_copy_logical_replication_slot('{}', '{}')", kTemplateSlot, kSlot));
    const Take take = run();
    rig.drop_slot(kSlot);
    if (take.records != rows) {
      throw wire::Error(wire::ErrorKind::data, fmt::format("{} of {} rows were drained", take.records, rows));
    }
    return take;
  };
  const auto walstorm = [&](const char* compression) {
    return [&, compression] {
      return on_fresh_slot([&] {
        return rig.drain(
            Rig::config({{"consumer.slotName", kSlot},
                         {"consumer.publicationName", backlog.publication},
                         {"consumer.ackPolicy", "never"},
                         {"consumer.compression", compression},
                         {"consumer.flushBatchSize", std::to_string(options.flush_batch_size)}}));
      });
    };
  };
  const Command pg_recvlogical{"pg_recvlogical",
                               {"--start",
                                "--dbname",
                                rig.conninfo(),
                                "--slot",
                                kSlot,
                                "--file",
                                "/dev/null",
                                "--endpos",
                                end,
                                "--no-loop",
                                "--status-interval",
                                "0",
                                "--fsync-interval",
                                "0",
                                "--option",
                                "proto_version=1",
                                "--option",
                                fmt::format("publication_names={}", backlog.publication),
                                "--option",
                                "binary=true",
                                "--option",
                                "messages=true"}};
  const Command plain_reader{
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "walstorm-bench-plain-reader",
      {rig.host(), std::to_string(rig.port()), kSlot, backlog.publication}};
  run_paired(fmt::format("{}, {}: {} rows", transport, backlog.name, rows),
             {{"pg_recvlogical -f /dev/null",
               [&] { return on_fresh_slot([&] { return rig.run({pg_recvlogical}, rows); }); }},
              {"plain reader (recv, parse, drop)",
               [&] { return on_fresh_slot([&] { return rig.run({plain_reader}, rows); }); }},
              {"walstorm-consumer, lz4", walstorm("lz4")},
              {"walstorm-consumer, none", walstorm("none")}},
             options.rounds);
  rig.drop_slot(kTemplateSlot);
}

void bench_over(Transport transport, const char* name, const Options& options) {
  Rig rig({{"synchronous_commit", "off"}}, transport);
  rig.make_task_run(kTaskRunPublication);
  make_event_table(rig);
  for (const Backlog& backlog : kBacklogs) bench(rig, name, backlog, options);
}

void bench_all(const Options& options) {
  print_heading(
      fmt::format("drain: the same backlog, each reader as a whole process from its start to the last row; "
                  "{} rounds, median "
                  "(least-most)\nbinary, proto_version 1; walstorm: ackPolicy never, mock sink encoding "
                  "native, metrics on, "
                  "flushBatchSize {}; auto compression is lz4",
                  options.rounds, options.flush_batch_size));
  bench_over(Transport::tcp, "TCP", options);
  bench_over(Transport::unix_socket, "unix socket", options);
}

}  // namespace
}  // namespace walstorm::bench

int main(int argc, char** argv) {
  return walstorm::bench::run_bench(argc, argv, walstorm::bench::bench_all);
}
