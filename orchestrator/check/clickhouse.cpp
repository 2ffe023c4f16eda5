#include "orchestrator/check/clickhouse.h"

#include <charconv>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "orchestrator/check/attempt.h"
#include "orchestrator/clickhouse/features.h"
#include "orchestrator/clickhouse/migrations.h"
#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/clickhouse/server_probe.h"
#include "orchestrator/clickhouse/session.h"
#include "orchestrator/clickhouse/task_runs.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/config/sink_kind.h"
#include "orchestrator/process/private_folder.h"

namespace walstorm::check {
namespace {

namespace fs = std::filesystem;
using clickhouse::quoted_name;
using clickhouse::quoted_text;
using clickhouse::Session;
using Findings = std::vector<config::Finding>;

/// A private server to ask. Its log stands in a folder of its own, as PostgreSQL's does (check.cpp).
class ClickhouseOnTrial final {
 public:
  explicit ClickhouseOnTrial(process::EventLoop& loop)
      : server_(loop, log_folder_.path() / "clickhouse.log") {}

  [[nodiscard]] const clickhouse::Address& address() const { return server_.address(); }
  [[nodiscard]] const fs::path& folder() const { return server_.folder(); }

 private:
  process::PrivateFolder log_folder_{process::FolderFor::check};
  clickhouse::PrivateServer server_;
};

bool there_is(Session& session, const std::string& what, const std::string& condition,
              int interrupts_tolerated = 0) {
  return !session
              .ask("look around",
                   {.sql = fmt::format("SELECT 1 FROM system.{} WHERE {} LIMIT 1", what, condition)},
                   kLookTimeout, interrupts_tolerated)
              .empty();
}

/// Version, what it lacks, and whether that is in the way of what the config asks for.
void ask_version(Session& session, const config::Consumer& consumer, Findings& findings) {
  const auto features = clickhouse::ask_features(session);
  findings.push_back({config::Level::ok, "version", features.version, ""});
  if (const auto lacks = clickhouse::shortcomings(features); !lacks.empty())
    findings.push_back({config::Level::note, "features", fmt::format("{}", fmt::join(lacks, "\n")), ""});
  attempt(findings, "format", [&] {
    (void)clickhouse::insert_format(consumer.insert_format, features);
    findings.push_back({config::Level::ok, "format", "the server reads it", ""});
  });
  attempt(findings, "compression", [&] {
    const bool none = clickhouse::compression(consumer.compression, features) == proto::COMPRESSION_NONE;
    findings.push_back({config::Level::ok, "compression", none ? "none" : "the server reads it", ""});
  });
}

/// Rights are not asked for: who may do what is told in too many ways. What a run does is done once, and
/// undone, for as far as it went.
class RightsTrial final {
 public:
  RightsTrial(process::EventLoop& loop, Session& session, const std::string& database)
      : session_(session),
        database_(database),
        table_(fmt::format("{}.walstorm_check_{}", quoted_name(database), ::getpid())),
        // What was made is not left there for a Ctrl-C.
        tolerate_all_(loop.interrupts() + 1000) {}

  void make() {
    if (!there_is(session_, "databases", "name = " + quoted_text(database_))) database_tried_ = true;
    execute("create the database", "CREATE DATABASE IF NOT EXISTS " + quoted_name(database_));
    table_tried_ = true;
    execute("create a table", fmt::format("CREATE TABLE {} (x UInt8) ENGINE = MergeTree ORDER BY x", table_));
    execute("insert", fmt::format("INSERT INTO {} SELECT 1", table_));
    (void)session_.ask("read", {.sql = "SELECT x FROM " + table_}, kLookTimeout, 0);
  }

  /// Also what the server may have made without its answer having come.
  [[nodiscard]] bool undo(Findings& findings) {
    const bool table_gone = attempt(findings, "rights", [&] {
      if (table_tried_) execute("drop the table", "DROP TABLE IF EXISTS " + table_, tolerate_all_);
    });
    const bool database_gone = attempt(findings, "rights", [&] {
      if (!database_tried_) return;
      // A run that starts at this moment may have made its tables in it.
      if (!there_is(session_, "tables", "database = " + quoted_text(database_), tolerate_all_))
        execute("drop the database", "DROP DATABASE IF EXISTS " + quoted_name(database_), tolerate_all_);
    });
    return table_gone && database_gone;
  }

 private:
  void execute(const std::string& what, const std::string& sql, int interrupts_tolerated = 0) {
    session_.execute(what, {.sql = sql}, kLookTimeout, interrupts_tolerated);
  }

  Session& session_;
  const std::string database_, table_;
  const int tolerate_all_;
  bool database_tried_ = false;
  bool table_tried_ = false;
};

void try_rights(process::EventLoop& loop, Session& session, const std::string& database, Findings& findings) {
  RightsTrial trial(loop, session, database);
  bool made = false;
  std::exception_ptr broken_off;
  try {
    made = attempt(findings, "rights", [&] { trial.make(); });
  } catch (...) {
    broken_off = std::current_exception();
  }
  const bool undone = trial.undo(findings);
  if (broken_off) std::rethrow_exception(broken_off);
  if (made && undone)
    findings.push_back({config::Level::ok, "rights", "to create, write, read and drop in it", ""});
}

void ask_database(Session& session, const std::string& database, Findings& findings) {
  if (!there_is(session, "databases", "name = " + quoted_text(database))) {
    findings.push_back({config::Level::ok, "database", fmt::format("\"{}\" will be created", database), ""});
    return;
  }
  if (clickhouse::require_ours_or_free(session, database))
    (void)clickhouse::outstanding(clickhouse::embedded_migrations(),
                                  clickhouse::applied_migrations(session, database), database);
  if (const auto columns = clickhouse::task_runs_columns(session, database); !columns.empty())
    clickhouse::require_fitting_table(session, database, columns);
  findings.push_back({config::Level::ok, "database",
                      fmt::format("\"{}\" is there; rows of earlier runs stay in it", database), ""});
}

/// What is free on the server's own disks; nullopt where it has no table that says so.
std::optional<std::uint64_t> free_bytes(Session& session) {
  if (!there_is(session, "tables", "database = 'system' AND name = 'disks'")) return std::nullopt;
  const auto rows =
      session.ask("ask for its disks", {.sql = "SELECT min(free_space) FROM system.disks"}, kLookTimeout, 0);
  std::uint64_t bytes = 0;
  const std::string text = rows.at(0).at(0).value_or("");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return error == std::errc() ? std::optional(bytes) : std::nullopt;
}

void ask_named_server(process::EventLoop& loop, const config::Config& config, Section& section) {
  clickhouse::Address address;
  Findings& findings = section.findings;
  const bool known =
      attempt(findings, "server", [&] { address = clickhouse::server_address(config.clickhouse); });
  if (!known) return;
  section.title = "ClickHouse at " + address.shown();
  Session session(loop, address, "check");
  if (!attempt(findings, "connection", [&] { ask_version(session, config.consumer, findings); })) return;
  attempt(findings, "database", [&] { ask_database(session, config.clickhouse.database, findings); });
  try_rights(loop, session, config.clickhouse.database, findings);
  attempt(findings, "disk space", [&] {
    findings.push_back(
        judge_sink_disk(free_bytes(session), config::sink_bytes(config, config::plan_phases(config))));
  });
}

void ask_private_server(process::EventLoop& loop, const config::Config& config, Section& section) {
  section.title = "ClickHouse, private";
  attempt(section.findings, "server", [&] {
    const auto program = clickhouse::find_clickhouse_server();
    const ClickhouseOnTrial trial(loop);
    section.findings.push_back(
        {config::Level::ok, "server", fmt::format("{} starts", program.path.string()), ""});
    Session session(loop, trial.address(), "check");
    ask_version(session, config.consumer, section.findings);
    std::error_code unknown;
    const auto space = fs::space(trial.folder(), unknown);
    section.findings.push_back(
        judge_sink_disk(unknown ? std::nullopt : std::optional<std::uint64_t>(space.available),
                        config::sink_bytes(config, config::plan_phases(config))));
  });
}

}  // namespace

config::Finding judge_sink_disk(std::optional<std::uint64_t> available, std::uint64_t needed) {
  const std::string plan = fmt::format("the plan's rows are about {} before compression", size_text(needed));
  if (!available) {
    return {config::Level::unknown, "disk space", plan + "; the server's disk cannot be seen from here",
            "make sure by hand that it has room for them"};
  }
  const std::string says = fmt::format("{}, {} are free", plan, size_text(*available));
  if (*available > needed) return {config::Level::ok, "disk space", says, ""};
  return {config::Level::warning, "disk space", says,
          "make sure by hand that they compress well enough, or shorten the phases"};
}

Section look_at_clickhouse(process::EventLoop& loop, const config::Config& config) {
  Section section{"Sink", {}};
  switch (config::sink_kind(config)) {
    case config::SinkKind::mock:
      section.findings.push_back({config::Level::ok, "ClickHouse", "the mock stands in for it", ""});
      break;
    case config::SinkKind::named_clickhouse:
      ask_named_server(loop, config, section);
      break;
    case config::SinkKind::private_clickhouse:
      ask_private_server(loop, config, section);
      break;
    case config::SinkKind::unnamed:
      section.findings.push_back(
          {config::Level::problem, "ClickHouse", "none is named",
           "set CLICKHOUSE_URL or clickhouse.url to a server, or use --private-clickhouse or "
           "--mock-clickhouse"});
      break;
  }
  return section;
}

}  // namespace walstorm::check
