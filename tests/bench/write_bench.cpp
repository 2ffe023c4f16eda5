// How fast the producer writes when nothing holds it back, beside PostgreSQL's own programs writing rows of
// the same kind in transactions of the same size, over as many connections.

#include <cctype>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"
#include "tests/bench/options.h"
#include "tests/bench/rig.h"

namespace walstorm::bench {
namespace {

constexpr const char* kPublication = "bench_task_run";
constexpr std::uint64_t kRowsPerTransaction = 100;

/// What a mode is measured against.
enum class Reference {
  psql_copy,          ///< the very rows, one COPY in text form for each transaction
  pgbench_multi_row,  ///< one INSERT of all the transaction's rows, as text, as pgbench can send it
  pgbench_prepared,   ///< prepared INSERTs of one row in a pipeline, a parameter for each column
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
    {"prepared", Reference::pgbench_prepared, 600},
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

Command pgbench_command(Rig& rig, const Mode& mode, unsigned connections, const char* protocol,
                        const std::string& script, std::vector<std::string> more = {}) {
  const std::string clients = std::to_string(connections);
  std::vector<std::string> arguments = {"-n",    "-M",    protocol,
                                        "-c",    clients, "-j",
                                        clients, "-t",    std::to_string(mode.transactions / connections),
                                        "-f",    script};
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.push_back(rig.conninfo());
  return {"pgbench", arguments};
}

/// One INSERT of all the transaction's rows.
Command pgbench_multi_row(Rig& rig, const Mode& mode, unsigned connections) {
  const std::string path = path_in(rig, "multi-row", 0);
  std::ofstream script(path);
  script << "\\set n random(1, 9000000000000000)\n";
  script << fmt::format("INSERT INTO \"{}\" VALUES ", wire::kTaskRunTable);
  std::size_t number = 0;
  for (const std::string& row : literal_rows(rig)) {
    script << fmt::format("{}('run_' || :n::bigint || '_{}',{})", number == 0 ? "" : ",\n", number, row);
    ++number;
  }
  script << ";\n";
  script.close();
  return pgbench_command(rig, mode, connections, "simple", path);
}

/// A pipeline of prepared INSERTs that bind a parameter for each column, as the producer's do: pgbench's
/// variables. The values of a row of the table, but for the id.
Command pgbench_prepared(Rig& rig, const Mode& mode, unsigned connections) {
  std::string columns = "concat(:n::bigint, '_', :r::int)";  // two parameters in place of one
  std::vector<std::string> values;
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
    if (column.name == "id") continue;
    const std::string value =
        rig.ask(fmt::format("SELECT coalesce(\"{}\"::text, '') FROM \"TaskRun\" LIMIT 1", column.name));
    if (value.empty()) {  // pgbench has no variable without a value
      columns += ", NULL";
      continue;
    }
    columns += fmt::format(", :c{}", values.size() / 2);
    values.insert(values.end(), {"-D", fmt::format("c{}={}", values.size() / 2, value)});
  }
  const std::string path = path_in(rig, "row-by-row", 0);
  std::ofstream script(path);
  script << "\\set n random(1, 9000000000000000)\n\\startpipeline\nBEGIN;\n";
  for (std::uint64_t row = 0; row < kRowsPerTransaction; ++row) {
    script << fmt::format("\\set r {}\nINSERT INTO \"{}\" VALUES ({});\n", row, wire::kTaskRunTable, columns);
  }
  script << "COMMIT;\n\\endpipeline\n";
  script.close();
  return pgbench_command(rig, mode, connections, "prepared", path, values);
}

bool has_mode(const Mode& mode) {
  try {
    (void)Rig::config(producer_keys(mode, 1));
    return true;
  } catch (const wire::Error&) {
    return false;
  }
}

std::vector<Command> reference_commands(Rig& rig, const Mode& mode, unsigned connections) {
  switch (mode.reference) {
    case Reference::psql_copy:
      return psql_copy(rig, mode, connections);
    case Reference::pgbench_multi_row:
      return {pgbench_multi_row(rig, mode, connections)};
    case Reference::pgbench_prepared:
      return {pgbench_prepared(rig, mode, connections)};
  }
  return {};
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
  const std::vector<Command> commands = reference_commands(rig, mode, connections);
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
