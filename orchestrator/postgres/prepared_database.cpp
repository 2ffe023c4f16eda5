#include "orchestrator/postgres/prepared_database.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <random>
#include <spdlog/spdlog.h>
#include <utility>

#include <pqxx/nontransaction>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/ledger/count_limit.h"
#include "orchestrator/postgres/backend.h"
#include "orchestrator/postgres/own_database.h"
#include "orchestrator/postgres/readiness.h"
#include "orchestrator/postgres/row_texts.h"
#include "orchestrator/postgres/server_probe.h"
#include "orchestrator/postgres/table_shape.h"
#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

using std::chrono::seconds;
using wire::Error;

constexpr seconds kStepTimeout{30};
constexpr seconds kSlotRelease{20};
/// For a backend to end: it only has to notice.
constexpr seconds kLockRelease{5};
/// For leaving a server clean that may be starting up again.
constexpr seconds kCleanUpGiveUp{10};
constexpr seconds kReadTimeout{900};
/// For a look at what has already failed.
constexpr seconds kWaitsTimeout{5};

/// Whoever has the database's lock is the only one that writes: the sessions of writers that are gone, and
/// wait for a standby or a lock, would keep the table.
void end_writers(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  end_sessions(transaction, "walstorm-producer-", kLockRelease);
}

/// No other run's, on whatever host that is.
std::string unique_application_name() {
  std::random_device random;
  return fmt::format("walstorm-{:08x}{:08x}", random(), random());
}

}  // namespace

std::string home_database(const Address& address, const config::Database& settings) {
  if (address.database() != settings.profiling_database)
    return address.database().empty() ? "postgres" : address.database();
  throw Error(
      wire::ErrorKind::config,
      fmt::format(
          "database.profilingDatabase: \"{}\" is the database that the URL names; walstorm empties and "
          "drops its database: name another",
          settings.profiling_database));
}

PreparedDatabase::PreparedDatabase(process::EventLoop& loop, const config::Config& config,
                                   const std::filesystem::path& log_dir, std::vector<std::string>& notes)
    : loop_(loop),
      settings_(config.database),
      slot_(config.consumer.slot_name),
      own_application_(unique_application_name()) {
  if (settings_.url) {
    address_ =
        settings_.lent ? Address::parse(*settings_.url, "database.url", {}) : Address::parse(*settings_.url);
    if (!address_.variables().empty())
      notes.push_back(fmt::format("connections to PostgreSQL took {} from the environment",
                                  fmt::join(address_.variables(), ", ")));
  } else {
    server_ = std::make_unique<PrivateServer>(loop, settings_.settings, log_dir / "postgres.log");
    address_ = server_->address();
  }
  try {
    source_ = schema_source(config.database, address_);
    if (source_ && address_.schema().empty()) address_ = address_.with_schema(source_->address.schema());
    home_ = home_database(address_, config.database);
    prepare(config, notes);
  } catch (const Error& error) {
    const std::string why = server_failure();
    release();
    discard_new_database();
    if (why.empty()) throw;
    throw Error(error.kind(), why + "\n" + error.what());
  } catch (...) {
    release();
    discard_new_database();
    throw;
  }
}

PreparedDatabase::~PreparedDatabase() {
  release();
}

std::string PreparedDatabase::conninfo(const std::string& application_name) const {
  return address_.conninfo(settings_.profiling_database, application_name);
}

void PreparedDatabase::prepare(const config::Config& config, std::vector<std::string>& notes) {
  if (const std::string ignored = address_.ignored_text(); !ignored.empty()) notes.push_back(ignored);
  const std::string where = "prepare PostgreSQL at " + address_.shown();
  Session at_home(loop_, address_.conninfo(home_, "walstorm"), where);
  inspect(at_home, config, notes);
  session_ = own_session();
  take_database(notes);
  if (source_ || made_anew_) {
    session_.reset();  // a database with sessions in it cannot be dropped
    if (source_) {
      copy_schema(at_home, notes);
    } else {
      make_anew(at_home);
    }
    session_ = own_session();
  }
  const auto adapted = session_->ask<std::vector<std::string>>(
      "prepare the table and publication", kStepTimeout, 0,
      [identity = settings_.replica_identity, publication = config.consumer.publication_name,
       schema = address_.schema(), source = source_ ? source_->shown() : ""](auto& connection) {
        lock_database(connection);  // a database made anew has no lock on it yet
        if (source.empty()) {
          prepare_table(connection, identity, publication, schema);
          return std::vector<std::string>{};
        }
        return adopt_table(connection, source, identity, publication);
      });
  notes.insert(notes.end(), adapted.begin(), adapted.end());
  slot_made_ = true;  // from here on it is ours to drop, even if the answer to its creation is lost
  session_->ask<bool>("create the replication slot", kStepTimeout, 0, [slot = slot_](auto& connection) {
    create_slot(connection, slot);
    return true;
  });
}

void PreparedDatabase::emit_marker(const std::string& content, std::function<void(std::exception_ptr)> done) {
  session_->submit([content](auto& connection) { (void)postgres::emit_marker(connection, content); },
                   std::move(done), Session::WhenLost::retry);
}

std::chrono::milliseconds PreparedDatabase::marker_timeout() const {
  return kStepTimeout + std::chrono::milliseconds(static_cast<std::int64_t>(settings_.give_up_sec * 1000));
}

void PreparedDatabase::hold() {
  session_->submit([](auto& connection) { pqxx::nontransaction(connection).exec("SELECT 1"); },
                   [](const std::exception_ptr&) {},  // whoever needs the connection next will say it
                   Session::WhenLost::retry);
}

/// The run's own, which holds its lock. A server that is lost is waited for, but a private one does not come
/// back.
std::unique_ptr<Session> PreparedDatabase::own_session() {
  const double give_up_sec = server_ || settings_.lent ? 0 : settings_.give_up_sec;
  const std::chrono::milliseconds give_up(static_cast<std::int64_t>(give_up_sec * 1000));
  return std::make_unique<Session>(loop_, conninfo(own_application_),
                                   "prepare PostgreSQL at " + address_.shown(),
                                   Session::Reconnection{give_up, lock_database});
}

/// Refuses a server that is not ready, and creates the database.
void PreparedDatabase::inspect(Session& at_home, const config::Config& config,
                               std::vector<std::string>& notes) {
  const std::string name = settings_.profiling_database;
  const auto probe = probe_server(at_home, address_, home_, config);
  require_no_problem(judge_server(probe, config, config::disk_bytes(config, config::plan_phases(config))));
  facts_ = at_home.ask<ServerFacts>("inspect the server", kStepTimeout, 0, inspect_server);
  data_folder_ = local_data_folder(probe);
  made_anew_ = made_anew_for_encoding(probe);
  if (made_anew_)
    notes.push_back(fmt::format("the database \"{}\" was {} and was made anew in {}", name,
                                probe.target.encoding, kOurEncoding));
  created_ = at_home.ask<bool>("create the database", kStepTimeout, 0,
                               [name](auto& connection) { return create_database(connection, name); });
}

/// Takes the database for this run, and the slot out of it that an earlier one left.
void PreparedDatabase::take_database(std::vector<std::string>& notes) {
  const bool leftover = session_->ask<bool>("take the database", kStepTimeout + kSlotRelease, 0,
                                            [slot = slot_](auto& connection) {
                                              require_ours(connection);
                                              lock_database(connection);
                                              end_writers(connection);
                                              return drop_slot(connection, slot, kSlotRelease);
                                            });
  taken_ = true;
  if (leftover)
    notes.push_back(fmt::format("dropped the replication slot \"{}\" that an earlier run left", slot_));
}

void PreparedDatabase::make_anew(Session& at_home) {
  at_home.ask<bool>("make the database anew", kStepTimeout, 0,
                    [name = settings_.profiling_database](auto& connection) {
                      drop_database(connection, name);
                      create_database(connection, name);
                      return true;
                    });
}

/// Makes the database anew, with the schema of source_ in it.
void PreparedDatabase::copy_schema(Session& at_home, std::vector<std::string>& notes) {
  using Names = std::vector<std::string>;
  const std::string name = settings_.profiling_database;
  Session at_source(loop_, source_->address.conninfo(source_->database, "walstorm"),
                    "copy the schema of " + source_->shown());
  // Looked at before anything is dropped for it.
  const int version = at_source.ask<int>("look at its table", kStepTimeout, 0,
                                         [name, shown = source_->shown()](auto& connection) {
                                           require_other_database(connection, name);
                                           require_fitting_table(connection, shown);
                                           return server_version(connection);
                                         });
  const auto path = at_source.ask<Names>("read its search path", kStepTimeout, 0, search_path);
  SchemaDump dump(loop_, find_dump_tools(loop_, version / 10'000), *source_);
  if (!dump.left_out().empty())
    notes.push_back(fmt::format("not copied from {}, for they name roles or watch statements: {}",
                                source_->shown(), dump.left_out()));
  make_anew(at_home);
  const auto known = at_home.ask<std::set<std::string>>("list its settings", kStepTimeout, 0, setting_names);
  dump.restore_into({address_, name}, known);
  Session in_copy(loop_, conninfo("walstorm"), "prepare PostgreSQL at " + address_.shown());
  const bool other_path = in_copy.ask<bool>("set the search path", kStepTimeout, 0, [path](auto& connection) {
    if (path.empty() || search_path(connection) == path) return false;
    set_search_path(connection, path);
    return true;
  });
  if (other_path)
    notes.push_back(fmt::format("the copy has its source's search path: {}", fmt::join(path, ", ")));
}

std::string PreparedDatabase::waits_of_sessions() const {
  try {
    Session session(loop_, conninfo("walstorm"), "look at the run's sessions at PostgreSQL");
    const auto waits =
        session.ask<std::vector<std::string>>("look at the run's sessions at PostgreSQL", kWaitsTimeout,
                                              loop_.interrupts() + kEveryInterrupt, [](auto& connection) {
                                                pqxx::nontransaction transaction(connection);
                                                return waiting_sessions(transaction, "walstorm-");
                                              });
    return fmt::format("{}", fmt::join(waits, "; "));
  } catch (const Error&) {
    return {};  // what the failure itself says stands
  }
}

wire::RowTally PreparedDatabase::tally_rows(std::uint64_t rows_expected, int interrupts_tolerated) {
  return session_->ask<wire::RowTally>(
      "count the rows", measure::count_limit(rows_expected), interrupts_tolerated,
      [](auto& connection) { return postgres::tally_rows(connection); }, Session::WhenLost::retry);
}

measure::RowTexts PreparedDatabase::read_rows(const std::vector<std::string>& ids, int interrupts_tolerated) {
  return session_->ask<measure::RowTexts>(
      "read sampled rows", kReadTimeout, interrupts_tolerated,
      [ids](auto& connection) { return read_row_texts(connection, ids); }, Session::WhenLost::retry);
}

std::vector<std::string> PreparedDatabase::release() {
  if (std::exchange(released_, true)) return {};
  std::vector<std::string> left;
  session_.reset();
  // A private server takes slot and database with it.
  if (!server_ && taken_) {
    try {
      left = drop_slot_and_database();
    } catch (const Error& error) {
      left.push_back(fmt::format("{}; walstorm clean finishes this when the server is back", error.what()));
    }
  }
  if (server_) server_->stop();
  return left;
}

std::vector<std::string> PreparedDatabase::drop_slot_and_database() {
  const int tolerate_all =
      loop_.interrupts() + kEveryInterrupt;  // leaving the server clean is not given up for a Ctrl-C
  if (slot_made_) {
    // A new session: the run's own may hang with whatever ended the run. With the lock: a run that lost it
    // may have lost the database, and by now the slot of that name, to another.
    Session session(loop_, conninfo(own_application_), "clean up PostgreSQL at " + address_.shown(),
                    {kCleanUpGiveUp, nullptr});
    const bool ours = session.ask<bool>(
        "drop the slot", kStepTimeout + kLockRelease + kSlotRelease, tolerate_all,
        [slot = slot_, own_application = own_application_](auto& connection) {
          if (!take_over_lock(connection, own_application, kLockRelease)) return false;
          end_writers(connection);
          (void)drop_slot(connection, slot, kSlotRelease);
          return true;
        },
        Session::WhenLost::retry);
    if (!ours) {
      return {
          fmt::format("left the database \"{}\" and the replication slot \"{}\" as they are: this run "
                      "had lost the database, and another walstorm run is using it; walstorm clean "
                      "drops what is still there after that one's end",
                      settings_.profiling_database, slot_)};
    }
  }
  if (settings_.keep) return {};
  Session session(loop_, address_.conninfo(home_, "walstorm"), "clean up PostgreSQL at " + address_.shown());
  session.ask<bool>("drop the database", kStepTimeout, tolerate_all,
                    [name = settings_.profiling_database](auto& c) {
                      drop_database(c, name);
                      return true;
                    });
  return {};
}

/// Of a run that did not come to begin there is nothing to inspect.
void PreparedDatabase::discard_new_database() {
  if (server_ || !created_) return;
  try {
    Session session(loop_, address_.conninfo(home_, "walstorm"),
                    "clean up PostgreSQL at " + address_.shown());
    session.ask<bool>("drop the database", kStepTimeout, loop_.interrupts() + kEveryInterrupt,
                      [name = settings_.profiling_database](auto& connection) {
                        drop_database(connection, name);
                        return true;
                      });
  } catch (const Error& error) {
    // Why the run could not begin is the better message; the next one takes the database as it is.
    spdlog::warn("{}", error.what());
  }
}

}  // namespace walstorm::postgres
