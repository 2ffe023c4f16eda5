#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <pqxx/connection>

#include "orchestrator/postgres/backend.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm::postgres {

/// More interrupts than anybody sends: nobody breaks off what leaves the server clean.
inline constexpr int kEveryInterrupt = 1000;

/// An ordinary connection to PostgreSQL on a thread of its own, so that a server that hangs never stops the
/// orchestrator from watching its workers and the keyboard.
///
/// libpqxx blocks; a job runs on the session's thread and its result comes back as a value posted to the
/// loop. Jobs run one at a time, in order. A job must own what it captures: after a missed deadline it is
/// abandoned, its socket is shut down, and every later job fails at once. A backend that still works for an
/// abandoned job is ended on the server too, over a connection of its own: it would go on waiting, and keep
/// its locks. Translates libpqxx's exceptions into wire::Error.
///
/// The time limits of the role do not hold for it: each job has the deadline of whoever asks.
///
/// A connection that is lost is made again for the next job; a job that can be run twice may ask to be run
/// again itself.
class Session final {
 public:
  enum class WhenLost { fail, retry };

  struct Reconnection {
    /// How long a job that asks for it is tried again after a loss, or when it was cut
    /// (Refusal::rolled_back).
    std::chrono::milliseconds give_up{0};
    /// Done on each connection but the first, before anything else; may throw as a job may.
    std::function<void(pqxx::connection&)> restore;
  };

  /// Connects on the first job. `conninfo` is a libpq connection string; `name` is what its failures begin
  /// with: "prepare PostgreSQL at 127.0.0.1:5432".
  Session(process::EventLoop& loop, std::string conninfo, std::string name, Reconnection reconnection);
  Session(process::EventLoop& loop, std::string conninfo, std::string name)
      : Session(loop, std::move(conninfo), std::move(name), {}) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Gives what is under way a moment to end, then abandons it, and joins the thread. Blocks for up to
  /// kSeeOffMax more where the server does not answer.
  ~Session();

  /// Runs `job` and waits for its result, turning the loop. `what` completes "...: no answer within 30 s".
  /// Throws what the job threw, Error{unavailable} on a missed deadline, which says what the server waits for
  /// where it can be asked, or process::Interrupted on more than `interrupts_tolerated` interrupts. With
  /// WhenLost::retry the time to give up comes on top of `timeout`.
  template <typename Result>
  Result ask(const std::string& what, std::chrono::milliseconds timeout, int interrupts_tolerated,
             std::function<Result(pqxx::connection&)> job, WhenLost when_lost = WhenLost::fail) {
    auto answer = std::make_shared<Answer<Result>>();
    submit([answer,
            job = std::move(job)](pqxx::connection& connection) { answer->value.emplace(job(connection)); },
           [answer](const std::exception_ptr& error) {
             answer->error = error;
             answer->arrived = true;
           },
           when_lost);
    if (when_lost == WhenLost::retry) timeout += reconnection_.give_up;
    await(what, timeout, interrupts_tolerated, [answer] { return answer->arrived; });
    if (answer->error) std::rethrow_exception(answer->error);
    return std::move(*answer->value);
  }

  /// Starts `job` without waiting; `done` is called on the loop with what it threw, or nullptr.
  void submit(std::function<void(pqxx::connection&)> job, std::function<void(std::exception_ptr)> done,
              WhenLost when_lost = WhenLost::fail);

  /// Nothing is tried again from now on, and a job under way is abandoned.
  void give_up();

 private:
  template <typename Result>
  struct Answer {
    std::optional<Result> value;
    std::exception_ptr error;
    bool arrived = false;
  };
  struct Job {
    std::function<void(pqxx::connection&)> work;
    std::function<void(std::exception_ptr)> done;
    WhenLost when_lost = WhenLost::fail;
  };

  void await(const std::string& what, std::chrono::milliseconds timeout, int interrupts_tolerated,
             const std::function<bool()>& arrived);
  void serve();
  void run(Job job);
  [[nodiscard]] std::exception_ptr attempt(const Job& job);
  void connect();
  [[nodiscard]] bool drop_if_lost();
  [[nodiscard]] bool pause_before_retry();
  void abandon();
  void mark_abandoned();
  void shut_down();
  void forget_connection();
  [[nodiscard]] std::string end_at_server();

  process::EventLoop& loop_;
  const std::string conninfo_;
  const std::string name_;
  const Reconnection reconnection_;

  // The mutex guards what both threads touch: the queue between them; the socket, which the loop's thread
  // shuts down to wake a session that hangs; and whose backend that is.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  bool abandoned_ = false;
  bool given_up_ = false;
  bool working_ = false;
  int socket_ = -1;
  std::optional<BackendId> backend_;
  std::optional<BackendId> left_;  // was at work when it was abandoned: to be ended on the server

  // Of the session's thread alone.
  std::unique_ptr<pqxx::connection> connection_;
  bool was_connected_ = false;
  bool ended_by_server_ = false;  // as far as the last attempt's error says
  bool rolled_back_ = false;      // so too
  std::thread thread_;
};

/// Inside a catch block: throws what was caught as an Error whose message begins with `what`. A lost
/// connection is ErrorKind::unavailable, as is every SQL error that is not Refusal::final; those are
/// ErrorKind::data. Both name their SQLSTATE. An Error passes unchanged.
[[noreturn]] void rethrow_as_error(const std::string& what);

}  // namespace walstorm::postgres
