#include "orchestrator/run/workers.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::run {

using process::Waited;
using wire::Error;
using wire::ErrorKind;

Workers::Workers(process::EventLoop& loop, std::unique_ptr<const fleet::Launcher> launcher,
                 std::filesystem::path log_dir, WorkerProcess::OnFrame on_frame, VariablesOf variables_of)
    : loop_(loop),
      launcher_(std::move(launcher)),
      log_dir_(std::move(log_dir)),
      on_frame_(std::move(on_frame)),
      variables_of_(std::move(variables_of)) {}

WorkerProcess& Workers::start(Role role, const std::string& name) {
  workers_.push_back(std::make_unique<WorkerProcess>(
      loop_, role, name, *launcher_, log_dir_ / (name + ".log"), on_frame_,
      variables_of_ ? variables_of_(role, name) : std::vector<std::string>()));
  return *workers_.back();
}

bool Workers::all_in(const std::set<std::string>& names, Role role) const {
  return std::all_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
    return worker->role() != role || names.contains(worker->name());
  });
}

void Workers::send_to(Role role, const proto::ControlFrame& frame) {
  for (const auto& worker : workers_) {
    if (worker->role() == role) worker->send(frame);
  }
}

std::string Workers::failure(std::chrono::milliseconds silence_max) const {
  for (const auto& worker : workers_) {
    if (!worker->failure().empty()) return worker->failure();
    if (worker->silence() > silence_max) {
      return fmt::format("{} has been silent for {} s", worker->name(),
                         std::chrono::duration_cast<std::chrono::seconds>(worker->silence()).count());
    }
  }
  return {};
}

ErrorKind Workers::failure_kind() const {
  for (const auto& worker : workers_) {
    if (worker->failure().empty() || !worker->failure_kind()) continue;
    switch (*worker->failure_kind()) {
      case proto::FAILURE_CONFIG:
        return ErrorKind::config;
      case proto::FAILURE_PROTOCOL:
        return ErrorKind::protocol;
      case proto::FAILURE_DATA:
        return ErrorKind::data;
      case proto::FAILURE_INTERNAL:
        return ErrorKind::internal;
      default:
        return ErrorKind::unavailable;
    }
  }
  return ErrorKind::unavailable;
}

Waited Workers::wait(std::chrono::milliseconds timeout, std::chrono::milliseconds silence_max,
                     int interrupts_tolerated, const std::function<bool()>& done) {
  std::string why;
  const Waited waited = loop_.wait(timeout, interrupts_tolerated, [&] {
    why = failure(silence_max);
    return !why.empty() || done();
  });
  if (!why.empty()) throw Error(failure_kind(), why);
  return waited;
}

void Workers::await(const std::string& what, std::chrono::milliseconds timeout, int interrupts_tolerated,
                    const std::function<bool()>& done) {
  switch (wait(timeout, kNeverSilent, interrupts_tolerated, done)) {
    case Waited::done:
      return;
    case Waited::interrupted:
      throw process::Interrupted{};
    case Waited::timed_out:
      throw Error(ErrorKind::unavailable, fmt::format("{}: no answer within {:.1f} s", what,
                                                      static_cast<double>(timeout.count()) / 1000));
  }
}

bool Workers::all_ended() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->ended().has_value(); });
}

std::vector<std::string> Workers::stop(std::chrono::milliseconds grace) {
  std::vector<std::string> notes;
  const auto ended = [this] { return all_ended(); };
  const int no_more_interrupts = loop_.interrupts();
  for (const auto& worker : workers_) worker->stop();
  if (loop_.wait(grace, no_more_interrupts, ended) == Waited::done) return notes;
  for (const int signal : {SIGTERM, SIGKILL}) {
    for (const auto& worker : workers_) {
      if (worker->ended()) continue;
      worker->send_signal(signal);
      notes.push_back(fmt::format("{} did not end when told to: sent {}", worker->name(),
                                  signal == SIGTERM ? "SIGTERM" : "SIGKILL"));
    }
    if (loop_.wait(grace, no_more_interrupts, ended) == Waited::done) break;
  }
  return notes;
}

}  // namespace walstorm::run
