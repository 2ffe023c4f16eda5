#include "orchestrator/cli/help.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>
#include <vector>

namespace walstorm {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kTermColumns = 30;

/// "  term      what it means", broken into lines that stay in their column.
std::string entry(const std::string& term, const std::string& meaning, std::size_t term_columns) {
  std::string text;
  std::string line = fmt::format("  {:{}}", term, term_columns);
  if (term.size() >= term_columns) {
    text = line + "\n";
    line = std::string(term_columns + 2, ' ');
  }
  const std::size_t margin = line.size();
  std::istringstream words(meaning);
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kColumns) {
      text += line + "\n";
      line = std::string(margin, ' ');
    }
    if (line.size() > margin) line += ' ';
    line += word;
  }
  return text + line + "\n";
}

/// "-t, --throughput N", or a positional's name.
std::string term_of(const CLI::Option& option) {
  if (option.get_lnames().empty()) return option.get_name(true);
  std::string term = option.get_snames().empty() ? "    " : fmt::format("-{}, ", option.get_snames().front());
  term += "--" + option.get_lnames().front();
  if (const std::string type = option.get_type_name(); !type.empty()) term += " " + type;
  return term;
}

std::string option_entries(const std::vector<const CLI::Option*>& options) {
  std::string text;
  for (const CLI::Option* option : options)
    text += entry(term_of(*option), option->get_description(), kTermColumns);
  return text;
}

/// Those of the whole program with these long names.
std::vector<const CLI::Option*> shared_options(const CLI::App& app, const std::vector<std::string>& names) {
  std::vector<const CLI::Option*> options;
  options.reserve(names.size());
  for (const std::string& name : names)
    options.push_back(app.get_option(name == "CONFIG" ? name : "--" + name));
  return options;
}

std::vector<const CLI::Option*> own_options(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* option) { return option->get_lnames() != std::vector<std::string>{"help"}; });
}

}  // namespace

std::string program_help(const CLI::App& app) {
  std::string commands;
  for (const CommandPage& page : command_pages()) commands += entry(page.name, page.says, 14);
  return fmt::format(
      R"(walstorm load-tests PostgreSQL -> ClickHouse replication. It writes rows to PostgreSQL at a rate
that you set, reads them back by logical replication, and flushes them into ClickHouse or a mock of
it. It tells whether replication kept up, how large the replication lag was and what the bottleneck
was, and it accounts for every row.

usage: walstorm [COMMAND] [CONFIG] [options]

Commands:
{}
walstorm COMMAND --help explains a command and all its options.

Options used most:
{}
Examples:
  walstorm run configs/quickstart.json               with a private PostgreSQL and the mock
  walstorm -t 10000 -d 2m --mock-clickhouse          one phase, without a config
  walstorm run configs/stress.json --dry-run         what it would do, and the resolved config

Exit codes:
  0 passed   1 run failed   2 bad config or usage   3 environment not ready
  99 threshold crossed   130 interrupted; the report is written
)",
      commands,
      option_entries(shared_options(app, {"CONFIG", "throughput", "duration", "mock-clickhouse", "set",
                                          "output", "dry-run", "help", "version"})));
}

std::string command_help(const CLI::App& app, const CommandPage& page) {
  std::string text = fmt::format("walstorm {}: {}.\n\n{}\n\nusage: walstorm {} {}\n", page.name, page.says,
                                 page.about, page.name, page.usage);
  const auto own = own_options(*app.get_subcommand(page.name));
  if (!own.empty()) text += fmt::format("\nOptions of {} alone:\n{}", page.name, option_entries(own));
  auto shared = page.options;
  shared.emplace_back("help");
  text += fmt::format("\n{}:\n{}", own.empty() ? "Options" : "Other options",
                      option_entries(shared_options(app, shared)));
  text += fmt::format("\nExamples:\n{}\n", page.examples);
  if (*page.exit_codes != '\0') text += fmt::format("\nExit codes:\n{}\n", page.exit_codes);
  return text;
}

}  // namespace walstorm
