#include "orchestrator/postgres/schema_copy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/program_path.h"
#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

namespace fs = std::filesystem;
using process::Waited;
using wire::Error;
using wire::ErrorKind;

constexpr std::chrono::seconds kVersionTimeout{10};
constexpr std::chrono::seconds kCopyTimeout{300};
constexpr int kLinesShown = 8;
constexpr const char* kArchive = "schema.dump";
constexpr const char* kListFile = "schema.list";
constexpr const char* kScript = "schema.sql";

/// As pg_restore's list names them.
constexpr std::array<std::string_view, 4> kNotCopied{"POLICY", "ROW SECURITY", "USER MAPPING",
                                                     "EVENT TRIGGER"};

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  fs::permissions(path,
                  fs::perms::owner_read | fs::perms::owner_write);  // libpq ignores a password file of others
  out << text;
  out.close();
  if (!out)
    throw Error(ErrorKind::unavailable, fmt::format("write {}: the disk is full, or gone", path.string()));
}

/// Runs a program of PostgreSQL's to its end; its password, if any, stands in a file. Throws
/// Error{unavailable} that begins with `what` and ends with what the program said.
void run(process::EventLoop& loop, const std::string& what, const fs::path& program,
         std::vector<std::string> arguments, const fs::path& log) {
  process::ChildOptions options;
  options.program = program;
  options.arguments = std::move(arguments);
  options.log_file = log;
  options.variables = process::Variables::libpq;
  process::ChildProcess child(loop, options);
  const Waited waited = loop.wait(kCopyTimeout, 0, [&] { return child.ended().has_value(); });
  if (waited == Waited::interrupted) throw process::Interrupted{};
  if (waited == Waited::done && child.ended()->ok()) return;
  throw Error(ErrorKind::unavailable,
              fmt::format("{}: {}: {}\n{}", what, program.string(),
                          waited == Waited::done ? process::to_string(*child.ended())
                                                 : fmt::format("not done within {} s", kCopyTimeout.count()),
                          process::last_lines(log, kLinesShown)));
}

/// Of a folder that has all of them: "pg_dump (PostgreSQL) 15.18 (Debian ...)" -> 15; 0 where there is none.
int major_of(process::EventLoop& loop, const fs::path& folder, const fs::path& log) {
  for (const char* program : {"pg_dump", "pg_restore", "psql"}) {
    if (::access((folder / program).c_str(), X_OK) != 0) return 0;
  }
  std::error_code ignored;
  fs::remove(log, ignored);
  process::ChildOptions options;
  options.program = folder / "pg_dump";
  options.arguments = {"--version"};
  options.log_file = log;
  try {
    process::run_to_end(loop, options, kVersionTimeout);
  } catch (const Error&) {
    return 0;  // one that does not run is none
  }
  const std::string said = read_file(log);
  const auto after_name = said.find(") ");
  return after_name == std::string::npos ? 0 : std::atoi(said.c_str() + after_name + 2);
}

std::vector<fs::path> folders_with_programs() {
  std::vector<fs::path> folders;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none))
    folders.push_back(entry.path() / "bin");
  const std::vector<fs::path> in_path = process::path_folders();
  folders.insert(folders.end(), in_path.begin(), in_path.end());
  return folders;
}

/// The name that a line of a dump's preamble sets; empty for other lines.
std::string set_by(std::string_view line) {
  constexpr std::string_view kSet = "SET ";
  const auto equals = line.find(" = ");
  if (!line.starts_with(kSet) || equals == std::string_view::npos) return {};
  return std::string(line.substr(kSet.size(), equals - kSet.size()));
}

}  // namespace

std::string DatabaseAt::shown() const {
  return fmt::format("\"{}\" at {}", database, address.shown());
}

std::optional<DatabaseAt> schema_source(const config::Database& settings, const Address& address) {
  if (!settings.copy_schema_from) return std::nullopt;
  const std::string& from = *settings.copy_schema_from;
  if (from.find("://") == std::string::npos) return DatabaseAt{address, from};
  const std::string key = "database.copySchemaFrom";
  const Address source = Address::parse(from, key);
  if (source.database().empty())
    throw Error(ErrorKind::config, fmt::format("{}: the URL of {} names no database", key, source.shown()));
  return DatabaseAt{source, source.database()};
}

DumpTools find_dump_tools(process::EventLoop& loop, int server_major) {
  const process::PrivateFolder scratch(process::FolderFor::schema_copy);
  DumpTools best;
  int newest = 0;
  for (const fs::path& folder : folders_with_programs()) {
    const int major = major_of(loop, folder, scratch.path() / "version.txt");
    newest = std::max(newest, major);
    if (major < server_major || (best.major != 0 && major >= best.major)) continue;
    best = {folder / "pg_dump", folder / "pg_restore", folder / "psql", major};
  }
  if (loop.interrupts() > 0) throw process::Interrupted{};
  if (best.major != 0) return best;
  throw Error(
      ErrorKind::unavailable,
      fmt::format("copy a schema from PostgreSQL {0}: {1}; install postgresql-client-{0} or a newer one",
                  server_major,
                  newest == 0 ? "found no pg_dump, pg_restore and psql in /usr/lib/postgresql/*/bin or PATH"
                              : fmt::format("pg_dump is {} at most, and refuses newer servers", newest)));
}

ArchiveList split_archive_list(const std::string& list) {
  // "3245; 3256 16400 POLICY public TaskRun tenant owner"
  constexpr int kNumbers = 3;
  std::istringstream lines(list);
  ArchiveList split;
  for (std::string line; std::getline(lines, line);) {
    std::string_view kind = line;
    for (int i = 0; i < kNumbers; ++i) kind.remove_prefix(std::min(kind.size(), kind.find(' ') + 1));
    const auto* const found = std::find_if(kNotCopied.begin(), kNotCopied.end(), [&](std::string_view each) {
      return kind.starts_with(fmt::format("{} ", each));
    });
    if (!line.starts_with(';') && found != kNotCopied.end()) {
      ++split.left_out[std::string(*found)];
    } else {
      split.copied += line + "\n";
    }
  }
  return split;
}

std::string without_unknown_settings(const std::string& dump, const std::set<std::string>& settings) {
  std::istringstream lines(dump);
  std::string kept;
  kept.reserve(dump.size());
  bool preamble = true;
  for (std::string line; std::getline(lines, line);) {
    preamble = preamble && !line.starts_with("CREATE ") && !line.starts_with("ALTER ");
    const std::string name = preamble ? set_by(line) : "";
    if (name.empty() || settings.contains(name)) kept += line + "\n";
  }
  return kept;
}

SchemaDump::SchemaDump(process::EventLoop& loop, DumpTools tools, const DatabaseAt& source)
    : loop_(loop),
      tools_(std::move(tools)),
      source_(source.shown()),
      folder_(process::FolderFor::schema_copy) {
  const fs::path passwords = password_file(source.address);
  run(loop_, "copy the schema of " + source_, tools_.pg_dump,
      {"--schema-only", "--no-privileges", "--no-publications", "--no-subscriptions", "--no-security-labels",
       "--no-comments", "--no-password", "--format=custom", "--lock-wait-timeout=10s",
       "--file=" + (folder_.path() / kArchive).string(),
       "--dbname=" + source.address.conninfo_with_passfile(source.database, passwords)},
      folder_.path() / "pg_dump.log");
  const fs::path list = folder_.path() / kListFile;
  make_of_archive({"--list", "--file=" + list.string()});
  const ArchiveList split = split_archive_list(read_file(list));
  write_file(list, split.copied);
  for (const auto& [kind, count] : split.left_out)
    left_out_ += fmt::format("{}{} x {}", left_out_.empty() ? "" : ", ", count, kind);
  // An archive has owners and tablespaces in it, whatever pg_dump was told.
  make_of_archive({"--use-list=" + list.string(), "--no-owner", "--no-privileges", "--no-tablespaces",
                   "--file=" + (folder_.path() / kScript).string()});
}

void SchemaDump::make_of_archive(std::vector<std::string> arguments) {
  arguments.push_back((folder_.path() / kArchive).string());
  run(loop_, "copy the schema of " + source_, tools_.pg_restore, std::move(arguments),
      folder_.path() / "pg_restore.log");
}

void SchemaDump::restore_into(const DatabaseAt& target, const std::set<std::string>& target_settings) {
  const fs::path dump = folder_.path() / kScript;
  write_file(dump, without_unknown_settings(read_file(dump), target_settings));
  const fs::path passwords = password_file(target.address);
  run(loop_, fmt::format("restore the schema of {} into {}", source_, target.shown()), tools_.psql,
      {"--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--single-transaction",
       "--output=/dev/null", "--file=" + dump.string(),
       "--dbname=" + target.address.conninfo_with_passfile(target.database, passwords)},
      folder_.path() / "psql.log");
}

/// Empty when the address has no password, and libpq finds it as it always does.
fs::path SchemaDump::password_file(const Address& address) const {
  address.require_passfile_is_enough();
  const std::string line = address.passfile_line();
  if (line.empty()) return {};
  write_file(folder_.path() / "pgpass", line);
  return folder_.path() / "pgpass";
}

}  // namespace walstorm::postgres
