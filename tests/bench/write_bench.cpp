// How fast the producer writes when nothing holds it back, beside PostgreSQL's own programs writing rows of
// the same kind in transactions of the same size, over as many connections.

#include <cctype>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "proto/wire/error.h"
#include "proto/wire/task_run_table.h"
#include "tests/bench/options.h"
#include "tests/bench/rig.h"

namespace walstorm::bench {
namespace {

constexpr const char* kPublication = "bench_task_run";
constexpr std::uint64_t kRowsPerTransaction = 100;

/// What a mode is measured against.
enum class Reference {
  psql_copy,           ///< the very rows, one COPY in text form for each transaction
  pgbench_multi_row,   ///< one INSERT of all the transaction's rows, as text, as pgbench can send it
  pgbench_row_by_row,  ///< prepared INSERTs of one row in a pipeline
};

struct Mode {
  const char* name;  ///< as producer.writeMode has it
  Reference reference;
  std::uint64_t transactions;
};

/// A mode that this build does not have is named and left out.
constexpr Mode kModes[] = {
    {"copy", Reference::psql_copy, 2'000},
    {"insert", Reference::pgbench_multi_row, 600},
    {"unnest", Reference::pgbench_multi_row, 600},
    {"prepared", Reference::pgbench_row_by_row, 600},
};

std::map<std::string, std::string> producer_keys(const Mode& mode, unsigned connections) {
  return {{"phases.0.records", std::to_string(mode.transactions * kRowsPerTransaction)},
          {"phases.0.durationSec", "100"},
          {"phases.0.targetThroughput", "max"},
          {"producer.batchSize", std::to_string(kRowsPerTransaction)},
          {"producer.insertUpdateRatio", "1"},
          {"producer.payloadSizeKB", "0.6"},  // and 400 bytes of other columns
          {"producer.connections", std::to_string(connections)},
          {"producer.writeMode", mode.name}};
}

void empty_table(Rig& rig) {
  rig.execute(fmt::format("TRUNCATE \"{}\"", wire::kTaskRunTable));
  rig.execute("CHECKPOINT");
}

std::string path_in(const Rig& rig, const char* what, unsigned number) {
  return (rig.folder() / fmt::format("{}-{}.sql", what, number)).string();
}

/// The rows in the table, as COPY's text form has them, one a line.
std::ifstream exported_rows(Rig& rig, const char* sql) {
  const std::string path = (rig.folder() / "rows.txt").string();
  (void)rig.run(
      {{"psql", {"-X", "-q", "-d", rig.conninfo(), "-c", fmt::format("\\copy ({}) TO '{}'", sql, path)}}}, 1);
  return std::ifstream(path);
}

/// For each connection a script with its share of the rows in the table, a COPY for each transaction.
std::vector<Command> psql_copy(Rig& rig, const Mode& mode, unsigned connections) {
  std::vector<Command> commands;
  std::vector<std::ofstream> scripts;
  for (unsigned i = 0; i < connections; ++i) {
    const std::string path = path_in(rig, "copy", i);
    scripts.emplace_back(path);
    commands.push_back({"psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", rig.conninfo(), "-f", path}});
  }
  std::ifstream rows = exported_rows(rig, "SELECT * FROM \"TaskRun\"");
  std::string row;
  for (std::uint64_t t = 0; t < mode.transactions; ++t) {
    std::ofstream& script = scripts[t % connections];
    script << "COPY \"" << wire::kTaskRunTable << "\" FROM STDIN;\n";
    for (std::uint64_t r = 0; r < kRowsPerTransaction && std::getline(rows, row); ++r) script << row << '\n';
    script << "\\.\n";
  }
  return commands;
}

/// Text in which pgbench sees no variable.
std::string without_variables(std::string text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if (text[i] == ':' && (std::isalpha(next) != 0 || next == '_' || next >= 0x80)) text[i] = ';';
  }
  return text;
}

/// COPY's text form writes each backslash twice, and these rows hold nothing else that it escapes.
std::string with_single_backslashes(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    plain += text[i];
  }
  return plain;
}

/// A transaction's worth of the table's rows as "'literal', 'literal', ..." without their ids.
std::vector<std::string> literal_rows(Rig& rig) {
  std::string list;
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
    if (column.name == "id") continue;
    list += fmt::format("{}quote_nullable(\"{}\")", list.empty() ? "" : " || ',' || ", column.name);
  }
  std::ifstream rows = exported_rows(
      rig, fmt::format("SELECT {} FROM \"TaskRun\" LIMIT {}", list, kRowsPerTransaction).c_str());
  std::vector<std::string> literals;
  for (std::string row; std::getline(rows, row);) {
    literals.push_back(without_variables(with_single_backslashes(row)));
  }
  return literals;
}

std::vector<Command> pgbench(Rig& rig, const Mode& mode, unsigned connections) {
  const bool multi_row = mode.reference == Reference::pgbench_multi_row;
  const std::string path = path_in(rig, multi_row ? "multi-row" : "row-by-row", 0);
  std::ofstream script(path);
  script << "\\set n random(1, 9000000000000000)\n";
  if (!multi_row) script << "\\startpipeline\nBEGIN;\n";
  std::size_t number = 0;
  for (const std::string& row : literal_rows(rig)) {
    const bool first = number == 0;
    if (!multi_row || first) script << "INSERT INTO \"" << wire::kTaskRunTable << "\" VALUES ";
    script << (multi_row && !first ? ",\n" : "") << "('run_' || "
           << ":n::bigint || '_" << ++number << "'," << row << ")";
    if (!multi_row) script << ";\n";
  }
  script << (multi_row ? ";\n" : "COMMIT;\n\\endpipeline\n");
  const std::string each = std::to_string(mode.transactions / connections);
  const std::string clients = std::to_string(connections);
  return {{"pgbench",
           {"-n", "-M", multi_row ? "simple" : "prepared", "-c", clients, "-j", clients, "-t", each, "-f",
            path, rig.conninfo()}}};
}

bool has_mode(const Mode& mode) {
  try {
    (void)Rig::config(producer_keys(mode, 1));
    return true;
  } catch (const wire::Error&) {
    return false;
  }
}

void bench(Rig& rig, const Mode& mode, unsigned connections, int rounds) {
  const std::uint64_t rows = mode.transactions * kRowsPerTransaction;
  const config::Config config = Rig::config(producer_keys(mode, connections));
  const auto produce = [&] {
    empty_table(rig);
    const Take take = rig.produce(config);
    if (take.records != rows) throw wire::Error(wire::ErrorKind::data, "the producer did not write all rows");
    return take;
  };
  (void)produce();  // the rows that the reference writes
  const std::vector<Command> commands = mode.reference == Reference::psql_copy
                                            ? psql_copy(rig, mode, connections)
                                            : pgbench(rig, mode, connections);
  const auto reference = [&] {
    empty_table(rig);
    const Take take = rig.run(commands, rows);
    const std::string written = rig.ask("SELECT count(*)::text FROM \"TaskRun\"");
    if (written != std::to_string(rows)) {
      throw wire::Error(wire::ErrorKind::data,
                        fmt::format("the reference wrote {} rows, not {}", written, rows));
    }
    return take;
  };
  const char* const name = mode.reference == Reference::psql_copy           ? "psql COPY"
                           : mode.reference == Reference::pgbench_multi_row ? "pgbench INSERT of 100 rows"
                                                                            : "pgbench prepared INSERTs";
  run_paired(
      fmt::format("{}, {} connection{}: {} rows", mode.name, connections, connections == 1 ? "" : "s", rows),
      {{name, reference}, {fmt::format("walstorm-producer, {}", mode.name), produce}}, rounds);
}

void bench_all(const Options& options) {
  Rig rig(std::map<std::string, std::string>{});
  rig.make_task_run(kPublication);
  print_heading(
      fmt::format("write: ~1 KB rows in transactions of {}, each writer as a whole process from its start to "
                  "its last commit; "
                  "{} rounds, median (least-most)",
                  kRowsPerTransaction, options.rounds));
  for (const Mode& mode : kModes) {
    if (!has_mode(mode)) {
      print_heading(fmt::format("\n{}: not in this build", mode.name));
      continue;
    }
    for (const unsigned connections : {1U, 2U}) bench(rig, mode, connections, options.rounds);
  }
}

}  // namespace
}  // namespace walstorm::bench

int main(int argc, char** argv) {
  return walstorm::bench::run_bench(argc, argv, walstorm::bench::bench_all);
}
