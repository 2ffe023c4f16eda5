#include "orchestrator/postgres/session.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <pqxx/except>

#include "proto/wire/error.h"

namespace walstorm::postgres {

using process::Waited;
using wire::Error;
using wire::ErrorKind;

namespace {

std::string without_final_newline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

void rethrow_as_error(const std::string& what) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const pqxx::broken_connection& error) {
    throw Error(ErrorKind::unavailable, fmt::format("{}: {}", what, without_final_newline(error.what())));
  } catch (const pqxx::sql_error& error) {
    const std::string& state = error.sqlstate();
    const bool outside =
        state.empty() || state.starts_with("53") || state.starts_with("57") || state.starts_with("58");
    throw Error(outside ? ErrorKind::unavailable : ErrorKind::data,
                fmt::format("{}: {} (SQLSTATE {})", what, without_final_newline(error.what()), state));
  } catch (const std::exception& error) {
    throw Error(ErrorKind::internal, fmt::format("{}: {}", what, without_final_newline(error.what())));
  }
}

Session::Session(process::EventLoop& loop, std::string conninfo, std::string name)
    : loop_(loop), conninfo_(std::move(conninfo)), name_(std::move(name)), thread_([this] { serve(); }) {}

Session::~Session() {
  abandon();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Session::submit(std::function<void(pqxx::connection&)> work,
                     std::function<void(std::exception_ptr)> done) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(work), std::move(done)});
  }
  changed_.notify_one();
}

void Session::await(const std::string& what, std::chrono::milliseconds timeout, int interrupts_tolerated,
                    const std::function<bool()>& arrived) {
  const Waited waited = loop_.wait(timeout, interrupts_tolerated, arrived);
  if (waited == Waited::done) return;
  abandon();
  if (waited == Waited::interrupted) throw process::Interrupted{};
  throw Error(ErrorKind::unavailable,
              fmt::format("{}: no answer from PostgreSQL within {} s", what, timeout.count() / 1000));
}

void Session::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
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
    }
    run(job);
  }
  const std::lock_guard lock(mutex_);
  socket_ = -1;
  connection_.reset();
}

void Session::run(const Job& job) {
  std::exception_ptr failure;
  try {
    try {
      {
        const std::lock_guard lock(mutex_);
        if (abandoned_)
          throw Error(ErrorKind::unavailable, "the connection was given up after an earlier timeout");
      }
      if (!connection_) {
        connection_ = std::make_unique<pqxx::connection>(conninfo_);
        const std::lock_guard lock(mutex_);
        socket_ = connection_->sock();
      }
      job.work(*connection_);
    } catch (...) {
      rethrow_as_error(fmt::format("{} at PostgreSQL", name_));
    }
  } catch (...) {
    failure = std::current_exception();
  }
  boost::asio::post(loop_.io(), [done = job.done, failure] { done(failure); });
}

}  // namespace walstorm::postgres
