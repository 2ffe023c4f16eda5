#include "orchestrator/postgres/prepared_database.h"

#include <fmt/format.h>
#include <utility>

#include <pqxx/nontransaction>

#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

using std::chrono::seconds;
using wire::Error;

constexpr seconds kStepTimeout{30};
constexpr seconds kSlotRelease{20};
/// For leaving a server clean that may be starting up again.
constexpr seconds kCleanUpGiveUp{10};
/// count(*) over everything a run wrote: minutes on a slow disk.
constexpr seconds kTallyTimeout{900};

}  // namespace

PreparedDatabase::PreparedDatabase(process::EventLoop& loop, const config::Config& config,
                                   const std::filesystem::path& log_dir, std::vector<std::string>& notes)
    : loop_(loop), settings_(config.database), slot_(config.consumer.slot_name) {
  if (settings_.url) {
    address_ = Address::parse(*settings_.url);
  } else {
    server_ = std::make_unique<PrivateServer>(loop, settings_.settings, log_dir / "postgres.log");
    address_ = server_->address();
  }
  try {
    prepare(config, notes);
  } catch (...) {
    release();
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
  const std::string where = "prepare " + address_.shown();
  {
    const std::string home = address_.database().empty() ? "postgres" : address_.database();
    Session session(loop_, address_.conninfo(home, "walstorm"), where);
    facts_ = session.ask<ServerFacts>("inspect the server", kStepTimeout, 0, inspect_server);
    session.ask<bool>("create the database", kStepTimeout, 0,
                      [name = settings_.profiling_database](auto& connection) {
                        create_database(connection, name);
                        return true;
                      });
  }
  const std::chrono::milliseconds give_up(
      server_ ? 0
              : static_cast<std::int64_t>(settings_.give_up_sec * 1000));  // a private one does not come back
  session_ = std::make_unique<Session>(loop_, conninfo("walstorm"), where,
                                       Session::Reconnection{give_up, lock_database});
  const bool leftover = session_->ask<bool>(
      "prepare the table and publication", kStepTimeout + kSlotRelease, 0,
      [identity = settings_.replica_identity, publication = config.consumer.publication_name,
       schema = address_.schema(), slot = slot_](auto& connection) {
        lock_database(connection);
        const bool found = drop_slot(connection, slot, kSlotRelease);
        prepare_table(connection, identity, publication, schema);
        return found;
      });
  if (leftover)
    notes.push_back(fmt::format("dropped the replication slot \"{}\" that an earlier run left", slot_));
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

wire::RowTally PreparedDatabase::tally_rows(int interrupts_tolerated) {
  return session_->ask<wire::RowTally>(
      "count the rows", kTallyTimeout, interrupts_tolerated,
      [](auto& connection) { return postgres::tally_rows(connection); }, Session::WhenLost::retry);
}

std::vector<std::string> PreparedDatabase::release() {
  if (std::exchange(released_, true)) return {};
  std::vector<std::string> left;
  session_.reset();
  // A private server takes slot and database with it.
  if (!server_ && slot_made_) {
    try {
      drop_slot_and_database();
    } catch (const Error& error) {
      left.push_back(fmt::format("{}; walstorm clean finishes this when the server is back", error.what()));
    }
  }
  if (server_) server_->stop();
  return left;
}

void PreparedDatabase::drop_slot_and_database() {
  const int tolerate_all =
      loop_.interrupts() + 1000;  // leaving the server clean is not given up for a Ctrl-C
  {
    // A new session: the run's own may hang with whatever ended the run.
    Session session(loop_, conninfo("walstorm"), "clean up " + address_.shown(), {kCleanUpGiveUp, nullptr});
    session.ask<bool>(
        "drop the slot", kStepTimeout + kSlotRelease, tolerate_all,
        [slot = slot_](auto& connection) { return drop_slot(connection, slot, kSlotRelease); },
        Session::WhenLost::retry);
  }
  if (settings_.keep) return;
  const std::string home = address_.database().empty() ? "postgres" : address_.database();
  Session session(loop_, address_.conninfo(home, "walstorm"), "clean up " + address_.shown());
  session.ask<bool>("drop the database", kStepTimeout, tolerate_all,
                    [name = settings_.profiling_database](auto& c) {
                      drop_database(c, name);
                      return true;
                    });
}

}  // namespace walstorm::postgres
