#include "orchestrator/clickhouse/clickhouse_target.h"

#include <algorithm>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <utility>

#include "orchestrator/clickhouse/features.h"
#include "orchestrator/clickhouse/heartbeat.h"
#include "orchestrator/clickhouse/migrations.h"
#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/clickhouse/server_probe.h"
#include "orchestrator/clickhouse/session.h"
#include "orchestrator/clickhouse/task_runs.h"
#include "orchestrator/measure/ledger/count_limit.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"
#include "proto/wire/host_name.h"
#include "proto/wire/version.h"

namespace walstorm::clickhouse {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// For a count of what a failed run has landed.
constexpr seconds kFailedTimeout{60};
/// Runs that start in the same millisecond: each takes another number and looks again.
constexpr int kRunNumbersTried = 20;

/// When the run began, readable as a number: YYYYMMDDhhmmss and milliseconds, UTC.
std::uint64_t run_number_at(std::int64_t unix_us) {
  const std::time_t second = unix_us / 1'000'000;
  const std::uint64_t ms = static_cast<std::uint64_t>(unix_us) / 1000 % 1000;
  return std::stoull(fmt::format("{:%Y%m%d%H%M%S}", fmt::gmtime(second))) * 1000 + ms;
}

milliseconds to_ms(double sec) {
  return milliseconds(static_cast<std::int64_t>(sec * 1000));
}

}  // namespace

struct ClickhouseTarget::Prepared {
  Prepared(process::EventLoop& loop_used, const config::Config& config, const std::filesystem::path& log_dir)
      : loop(loop_used),
        insert_format(config.consumer.insert_format),
        compression(config.consumer.compression),
        shared_pid(config.clickhouse.private_pid) {
    runs.database = config.clickhouse.database;
    if (config.clickhouse.url) {
      address = server_address(config.clickhouse);
    } else {
      server = std::make_unique<PrivateServer>(loop, log_dir / "clickhouse.log");
      address = server->address();
    }
    // A private server that is gone does not come back.
    const milliseconds give_up = server ? milliseconds(0) : to_ms(config.clickhouse.give_up_sec);
    session = std::make_unique<Session>(loop, address, "prepare ClickHouse at " + address.shown(), give_up);
    probe = std::make_unique<Session>(loop, address, "watch ClickHouse at " + address.shown());
  }

  void prepare(const config::Config& config, std::vector<std::string>& notes);
  void take_number(const std::string& run_name);
  [[nodiscard]] bool number_is_free();

  process::EventLoop& loop;
  const config::InsertFormat insert_format;
  const config::Compression compression;
  const std::optional<std::int64_t> shared_pid;  // of a private server that serves other runs too
  std::unique_ptr<PrivateServer> server;         // null: the user's
  Address address;
  std::unique_ptr<Session> session, probe;
  bool given_up = false;  // the run has failed: a server that hangs is not waited for as for a count
  std::unique_ptr<Heartbeat> heartbeat;  // null on a private server, where there is nobody to tell
  Features features;
  TaskRuns runs;
};

void ClickhouseTarget::Prepared::prepare(const config::Config& config, std::vector<std::string>& notes) {
  features = ask_features(*session);
  probe->pin(features.pinned_settings);
  // What the configuration asks for and the server cannot is told before anything is made.
  (void)clickhouse::insert_format(insert_format, features);
  (void)clickhouse::compression(compression, features);
  if (const auto lacks = shortcomings(features); !lacks.empty())
    notes.push_back(fmt::format("ClickHouse {}: {}", features.version, fmt::join(lacks, "; ")));
  migrate(*session, features, runs.database);
  const TableColumns columns = task_runs_columns(*session, runs.database);
  require_fitting_table(*session, runs.database, columns);
  runs.times_as_int64 = times_are_int64(columns);
  runs.final_by_partition = features.final_by_partition;
  take_number(config.name);
  if (!server && !shared_pid)
    heartbeat = std::make_unique<Heartbeat>(loop, address, runs.database, runs.run_number);
}

/// Finds a number that no run has, and enters this run under it. Two runs that take the same one at the same
/// time see each other's entry, and both take another.
void ClickhouseTarget::Prepared::take_number(const std::string& run_name) {
  for (int i = 0; i < kRunNumbersTried; ++i) {
    const std::int64_t now_us = wire::SystemClock().unix_us();
    // Apart by the process's number, so that two do not stay together.
    const std::int64_t apart_us = std::int64_t{i} * 1000 * (::getpid() % 997);
    runs.run_number = run_number_at(now_us + apart_us);
    if (!number_is_free()) continue;
    const std::string started = runs.times_as_int64
                                    ? fmt::to_string(now_us / 1000)
                                    : fmt::format("fromUnixTimestamp64Milli(toInt64({}))", now_us / 1000);
    session->execute(
        "enter the run",
        {.sql = fmt::format("INSERT INTO {}.runs SELECT {}, {}, {}, {}, {}", quoted_name(runs.database),
                            runs.run_number, quoted_text(run_name), started, quoted_text(wire::host_name()),
                            quoted_text(wire::kToolVersion))},
        kStepTimeout, 0);
    const Rows entered = session->ask("enter the run",
                                      {.sql = fmt::format("SELECT count() FROM {}.runs WHERE run_id = {}",
                                                          quoted_name(runs.database), runs.run_number)},
                                      kStepTimeout, 0);
    if (entered.at(0).at(0) == "1") return;
  }
  throw wire::Error(
      wire::ErrorKind::unavailable,
      fmt::format("ClickHouse's database \"{}\": found no number for this run that no other has",
                  runs.database));
}

bool ClickhouseTarget::Prepared::number_is_free() {
  const Rows rows = session->ask(
      "look for a run of this number",
      {.sql = fmt::format(
           "SELECT count() FROM (SELECT run_id FROM {0}.runs WHERE run_id = {1} UNION ALL SELECT _run_id "
           "FROM {2} WHERE _run_id = {1} LIMIT 1)",
           quoted_name(runs.database), runs.run_number, task_runs_table(runs.database))},
      kStepTimeout, 0);
  return rows.at(0).at(0) == "0";
}

ClickhouseTarget::ClickhouseTarget(process::EventLoop& loop, config::Config config,
                                   std::filesystem::path log_dir)
    : loop_(loop), config_(std::move(config)), log_dir_(std::move(log_dir)) {}

ClickhouseTarget::~ClickhouseTarget() {
  (void)ClickhouseTarget::release();
}

std::optional<std::uint64_t> ClickhouseTarget::disk_bytes(const std::vector<config::PhasePlan>& plan) const {
  if (config_.clickhouse.url) return std::nullopt;
  return config::sink_bytes(config_, plan);
}

void ClickhouseTarget::prepare(std::vector<std::string>& notes) {
  auto prepared = std::make_unique<Prepared>(loop_, config_, log_dir_);
  prepared->prepare(config_, notes);  // a private server goes with it when this throws
  prepared_ = std::move(prepared);
}

std::string ClickhouseTarget::version() const {
  return prepared_->features.version;
}

void ClickhouseTarget::describe(proto::ConsumerSetup& setup) const {
  const Prepared& prepared = *prepared_;
  setup.set_insert_format(clickhouse::insert_format(prepared.insert_format, prepared.features));
  setup.set_compression(clickhouse::compression(prepared.compression, prepared.features));
  setup.set_run_number(prepared.runs.run_number);
  setup.set_times_as_int64(prepared.runs.times_as_int64);
  proto::ClickhouseSinkSetup& sink = *setup.mutable_clickhouse();
  sink.set_url(to_url(prepared.address));
  sink.set_table(task_runs_table(prepared.runs.database));
  sink.set_has_deduplication_token(prepared.features.deduplication_token);
  for (const auto& [name, value] : prepared.features.insert_settings) {
    // The URL's word goes, but not about what an acknowledgement means.
    if (name == "wait_for_async_insert" || !prepared.address.settings.contains(name))
      (*sink.mutable_settings())[name] = value;
  }
}

std::optional<std::int64_t> ClickhouseTarget::server_pid() const {
  if (!prepared_) return std::nullopt;
  return prepared_->server ? std::optional<std::int64_t>(prepared_->server->pid()) : prepared_->shared_pid;
}

std::optional<target::Target::Process> ClickhouseTarget::process() const {
  const auto pid = server_pid();
  return pid ? std::optional<Process>({"clickhouse", *pid}) : std::nullopt;
}

std::string ClickhouseTarget::server_failure() const {
  return prepared_ && prepared_->server ? prepared_->server->failure() : "";
}

void ClickhouseTarget::give_up() {
  prepared_->session->give_up();
  prepared_->given_up = true;
}

void ClickhouseTarget::count_parts(OnParts done) {
  prepared_->probe->submit(parts_query(prepared_->runs),
                           [done = std::move(done)](const std::optional<Rows>& rows) {
                             done(rows ? std::optional(parts_of(*rows)) : std::nullopt);
                           });
}

std::optional<wire::RowTally> ClickhouseTarget::tally_rows(std::uint64_t rows_expected,
                                                           int interrupts_tolerated) {
  const seconds limit = measure::count_limit(rows_expected);
  return clickhouse::tally_rows(*prepared_->session, prepared_->runs,
                                prepared_->given_up ? std::min(limit, kFailedTimeout) : limit,
                                interrupts_tolerated);
}

std::optional<measure::RowTexts> ClickhouseTarget::read_rows(const std::vector<std::string>& ids,
                                                             int interrupts_tolerated) {
  return clickhouse::read_rows(*prepared_->session, prepared_->runs, ids, interrupts_tolerated);
}

std::vector<std::string> ClickhouseTarget::release() {
  std::vector<std::string> left;
  if (!prepared_) return left;
  if (const auto heartbeat = std::exchange(prepared_->heartbeat, nullptr)) {
    if (std::string why = heartbeat->end(); !why.empty()) left.push_back(std::move(why));
  }
  prepared_->probe.reset();  // what it still waits for is dropped
  prepared_->server.reset();
  return left;  // on the user's server the tables stay, to be looked at: walstorm clean drops them
}

}  // namespace walstorm::clickhouse
