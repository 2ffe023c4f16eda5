#include "orchestrator/postgres/session.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <pqxx/except>
#include <pqxx/nontransaction>

#include "proto/postgres/sqlstate.h"
#include "proto/postgres/time_limits.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::postgres {

using process::Waited;
using wire::Error;
using wire::ErrorKind;

namespace {

/// A server that starts up again takes seconds: five connects in each of them are no load.
constexpr std::chrono::milliseconds kRetryPause{200};
/// For what is under way when a session is no longer needed: a look at the catalog ends by itself.
constexpr std::chrono::milliseconds kFinishGrace{500};

/// Before the client encoding is agreed on, the server speaks its own.
std::string without_final_newline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return wire::to_utf8(text);
}

/// Inside a catch block: whether what was caught means that the server has ended the session. libpq notices
/// that with the next read only, so the connection may still look open.
bool ends_session() {
  try {
    throw;
  } catch (const pqxx::broken_connection&) {
    return true;
  } catch (const pqxx::sql_error& error) {
    return !error.sqlstate().empty() && refusal_of(error.sqlstate()) == Refusal::session_ended;
  } catch (...) {
    return false;
  }
}

/// Inside a catch block: whether the job was cut by others or a cancel, and may go well when it is run again.
bool was_rolled_back() {
  try {
    throw;
  } catch (const pqxx::sql_error& error) {
    return refusal_of(error.sqlstate()) == Refusal::rolled_back;
  } catch (...) {
    return false;
  }
}

}  // namespace

void rethrow_as_error(const std::string& what) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const pqxx::broken_connection& error) {
    throw Error(ErrorKind::unavailable, fmt::format("{}: {}", what, without_final_newline(error.what())));
  } catch (const pqxx::in_doubt_error& error) {
    throw Error(ErrorKind::unavailable, fmt::format("{}: {}", what, without_final_newline(error.what())));
  } catch (const pqxx::sql_error& error) {
    const std::string& state = error.sqlstate();
    throw Error(refusal_of(state) == Refusal::final ? ErrorKind::data : ErrorKind::unavailable,
                fmt::format("{}: {} (SQLSTATE {})", what, without_final_newline(error.what()), state));
  } catch (const std::exception& error) {
    throw Error(ErrorKind::internal, fmt::format("{}: {}", what, without_final_newline(error.what())));
  }
}

Session::Session(process::EventLoop& loop, std::string conninfo, std::string name, Reconnection reconnection)
    : loop_(loop),
      conninfo_(std::move(conninfo)),
      name_(std::move(name)),
      reconnection_(std::move(reconnection)),
      thread_([this] { serve(); }) {}

Session::~Session() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    if (!abandoned_) changed_.wait_for(lock, kFinishGrace, [this] { return !working_; });
  }
  mark_abandoned();
  std::optional<BackendId> left;
  {
    const std::lock_guard lock(mutex_);
    left = std::exchange(left_, std::nullopt);
  }
  if (left) (void)see_off(conninfo_, *left);
  shut_down();
  thread_.join();
}

void Session::submit(std::function<void(pqxx::connection&)> work,
                     std::function<void(std::exception_ptr)> done, WhenLost when_lost) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(work), std::move(done), when_lost});
  }
  changed_.notify_one();
}

void Session::await(const std::string& what, std::chrono::milliseconds timeout, int interrupts_tolerated,
                    const std::function<bool()>& arrived) {
  const Waited waited = loop_.wait(timeout, interrupts_tolerated, arrived);
  if (waited == Waited::done) return;
  mark_abandoned();
  const std::string why = end_at_server();
  shut_down();
  if (waited == Waited::interrupted) throw process::Interrupted{};
  throw Error(ErrorKind::unavailable,
              fmt::format("{}: no answer from PostgreSQL within {} s{}", what, timeout.count() / 1000,
                          why.empty() ? "" : ": its session " + why));
}

void Session::abandon() {
  mark_abandoned();
  shut_down();
}

/// No job begins any more. One that is under way goes on for now: what its backend waits for can be seen only
/// as long as the server does not know that its client has gone.
void Session::mark_abandoned() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(abandoned_, true) && working_) left_ = backend_;
  changed_.notify_all();
}

void Session::shut_down() {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

/// Ends the backend that an abandoned job has left, turning the loop meanwhile. Returns what it waited for.
std::string Session::end_at_server() {
  std::optional<BackendId> left;
  {
    const std::lock_guard lock(mutex_);
    left = std::exchange(left_, std::nullopt);
  }
  if (!left) return {};
  const auto answer = std::make_shared<std::optional<std::string>>();
  const std::jthread asking([answer, &io = loop_.io(), conninfo = conninfo_, backend = *left] {
    boost::asio::post(io, [answer, why = see_off(conninfo, backend)] { *answer = why; });
  });
  (void)loop_.wait(kSeeOffMax, loop_.interrupts() + kEveryInterrupt,
                   [&answer] { return answer->has_value(); });
  return answer->value_or("");
}

void Session::give_up() {
  bool working = false;
  {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    working = working_ || !jobs_.empty();
  }
  if (working) abandon();
}

void Session::serve() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) break;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      working_ = true;
    }
    run(std::move(job));
  }
  forget_connection();
}

void Session::run(Job job) {
  const auto deadline = std::chrono::steady_clock::now() + reconnection_.give_up;
  std::exception_ptr failure;
  while (true) {
    failure = attempt(job);
    const bool may_pass = failure && (drop_if_lost() || rolled_back_);
    const bool again =
        may_pass && job.when_lost == WhenLost::retry && std::chrono::steady_clock::now() < deadline;
    if (!again || !pause_before_retry()) break;
  }
  {
    const std::lock_guard lock(mutex_);
    working_ = false;
    changed_.notify_all();
  }
  // Nothing of the job or its answer stays behind on this thread.
  job.work = nullptr;
  boost::asio::post(loop_.io(), [done = std::move(job.done), failure = std::move(failure)]() mutable {
    done(std::move(failure));
  });
}

std::exception_ptr Session::attempt(const Job& job) {
  ended_by_server_ = rolled_back_ = false;
  try {
    try {
      {
        const std::lock_guard lock(mutex_);
        if (abandoned_)
          throw Error(ErrorKind::unavailable, "the connection was given up after an earlier timeout");
      }
      if (!connection_) {
        connect();
      } else if (reconnection_.restore) {
        // libpqxx 6 makes a lost connection again by itself when a transaction begins: the job would run
        // without what is to be restored. Outside of transactions it does not.
        pqxx::nontransaction(*connection_).exec("SELECT 1");
      }
      job.work(*connection_);
    } catch (...) {
      ended_by_server_ = ends_session();
      rolled_back_ = was_rolled_back();
      rethrow_as_error(name_);
    }
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

void Session::connect() {
  auto connection = std::make_unique<pqxx::connection>(conninfo_);
  pqxx::nontransaction(*connection).exec(lift_time_limits_sql(connection->server_version()));
  {
    const std::lock_guard lock(mutex_);
    socket_ = connection->sock();
  }
  try {
    const BackendId backend = own_backend(*connection);
    const std::lock_guard lock(mutex_);
    backend_ = backend;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    socket_ = -1;  // goes with the connection
    throw;
  }
  connection_ = std::move(connection);
  if (was_connected_ && reconnection_.restore) {
    try {
      reconnection_.restore(*connection_);
    } catch (...) {
      // Without what belongs to it the connection is of no use.
      forget_connection();
      throw;
    }
  }
  was_connected_ = true;
}

/// After a failure: whether it has left us without a connection.
bool Session::drop_if_lost() {
  if (!ended_by_server_ && connection_ && connection_->is_open()) return false;
  forget_connection();
  return true;
}

void Session::forget_connection() {
  const std::lock_guard lock(mutex_);
  socket_ = -1;
  backend_.reset();
  connection_.reset();
}

/// False when there is nothing to wait for any more.
bool Session::pause_before_retry() {
  std::unique_lock lock(mutex_);
  const auto over = [this] { return stopping_ || abandoned_ || given_up_; };
  return !changed_.wait_for(lock, kRetryPause, over);
}

}  // namespace walstorm::postgres
