#include "tests/support/sabotage.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "tests/support/clickhouse_query.h"

namespace walstorm::tests {
namespace {

std::string quoted(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') literal += '\\';
    literal += c;
  }
  return literal + "'";
}

std::string live_rows(const LandedRun& run) {
  return fmt::format("{} FINAL WHERE _is_deleted = 0 AND _run_id = {}", run.table, run.run_number);
}

/// How often the row is there. Of all rows the count would not tell: others land meanwhile.
std::uint64_t copies(process::EventLoop& loop, const LandedRun& run, const std::string& id) {
  return std::stoull(ask_clickhouse(
      loop, run.url, fmt::format("SELECT count() FROM {} AND id = {}", live_rows(run), quoted(id))));
}

/// Inserts the row once more, a version later, with other values in some columns.
void insert_again(process::EventLoop& loop, const LandedRun& run, const std::string& id,
                  std::map<std::string, std::string> expressions) {
  expressions.emplace("_version", "_version + 1");
  std::istringstream described(ask_clickhouse(loop, run.url, "DESCRIBE TABLE " + run.table));
  std::string names;
  std::string values;
  for (std::string line; std::getline(described, line);) {
    const std::string name = line.substr(0, line.find('\t'));
    const auto other = expressions.find(name);
    names += fmt::format("{}`{}`", names.empty() ? "" : ", ", name);
    values += fmt::format("{}{}", values.empty() ? "" : ", ",
                          other == expressions.end() ? fmt::format("`{}`", name) : other->second);
  }
  ask_clickhouse(loop, run.url,
                 fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} AND id = {}", run.table, names, values,
                             live_rows(run), quoted(id)));
}

}  // namespace

std::string landed_id(process::EventLoop& loop, const LandedRun& run, std::uint64_t nth) {
  return ask_clickhouse(
      loop, run.url,
      fmt::format("SELECT id FROM {} ORDER BY id LIMIT {}, 1 FORMAT TabSeparatedRaw", live_rows(run), nth));
}

void alter_landed_value(process::EventLoop& loop, const LandedRun& run, const std::string& id,
                        const std::string& column, const std::string& expression) {
  insert_again(loop, run, id, {{column, expression}});
  ASSERT_EQ(copies(loop, run, id), 1);
}

void drop_landed_row(process::EventLoop& loop, const LandedRun& run, const std::string& id) {
  insert_again(loop, run, id, {{"_is_deleted", "1"}});
  ASSERT_EQ(copies(loop, run, id), 0);
}

void land_row_twice(process::EventLoop& loop, const LandedRun& run, const std::string& id) {
  // A DateTime64(3) and an Int64 of milliseconds alike: the former as its ticks.
  const std::string type = ask_clickhouse(
      loop, run.url, fmt::format("SELECT toTypeName(created_at) FROM {} LIMIT 1", live_rows(run)));
  const bool ticks = type.starts_with("Int64");
  insert_again(loop, run, id, {{"created_at", ticks ? "created_at + 1" : "addMilliseconds(created_at, 1)"}});
  ASSERT_EQ(copies(loop, run, id), 2);
}

}  // namespace walstorm::tests
