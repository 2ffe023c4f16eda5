#include "orchestrator/run/phase_watch.h"

#include <chrono>
#include <optional>
#include <unistd.h>
#include <utility>

#include "orchestrator/process/proc_stat.h"
#include "orchestrator/run/setup_frames.h"
#include "proto/wire/clock.h"
#include "proto/wire/process_usage.h"

namespace walstorm::run {
namespace {

constexpr std::chrono::seconds kBeat{1};
/// Workers send their Samples on whole seconds of the phase, and the server is looked at then: what is
/// compared is of one moment. Each second is closed when both have had time to arrive.
constexpr std::chrono::milliseconds kAfterSamples{250};
constexpr std::chrono::seconds kLastLookTimeout{3};

measure::ProcessSample server_sample(const std::string& role, std::int64_t at_unix_us,
                                     const postgres::ServerProcess& process) {
  measure::ProcessSample sample;
  sample.at_unix_us = at_unix_us;
  sample.role = role;
  sample.pid = process.pid;
  sample.cpu_user_us = process.used.cpu_user_us;
  sample.cpu_system_us = process.used.cpu_system_us;
  sample.rss_bytes = process.used.rss_own_bytes;  // shared_buffers would be in each backend's
  sample.context_switches = process.used.context_switches;
  sample.cpu_wait_us = process.used.cpu_wait_us;
  return sample;
}

std::optional<measure::ProcessSample> target_sample(const target::Target::Process& process,
                                                    std::int64_t at_unix_us) {
  const auto pid = static_cast<pid_t>(process.pid);
  const auto used = process::read_proc_stat(pid);
  if (!used) return std::nullopt;
  return server_sample(process.role, at_unix_us, {pid, *used});
}

measure::ProcessSample own_sample(std::int64_t at_unix_us) {
  proto::ProcessUsage usage;
  wire::read_own_usage(usage);
  measure::ProcessSample sample;
  sample.at_unix_us = at_unix_us;
  sample.role = "orchestrator";
  sample.pid = ::getpid();
  sample.cpu_user_us = usage.cpu_user_us();
  sample.cpu_system_us = usage.cpu_system_us();
  sample.rss_bytes = usage.rss_bytes();
  sample.rss_max_bytes = usage.rss_max_bytes();
  sample.context_switches = usage.context_switches();
  if (usage.has_cpu_wait_us()) sample.cpu_wait_us = usage.cpu_wait_us();
  return sample;
}

}  // namespace

PhaseWatch::PhaseWatch(process::EventLoop& loop, postgres::Session& session, std::string slot,
                       std::string database, const wire::EvenClock& clock, measure::PhaseFold& fold,
                       OnSecond on_second, std::function<void()> on_server_back, target::Target& target)
    : loop_(loop),
      clock_(clock),
      fold_(fold),
      on_second_(std::move(on_second)),
      on_server_back_(std::move(on_server_back)),
      sampler_(session, std::move(slot), std::move(database), std::string(kApplicationPrefix) + "producer",
               [this](const postgres::ServerSample& sample) { take(sample); }),
      target_(target),
      timer_(loop.io(), std::chrono::steady_clock::now() + kBeat),
      second_began_unix_us_(clock_.unix_us()) {
  look();
  await_second();
}

void PhaseWatch::await_second() {
  timer_.async_wait([this, alive = lifetime_.token()](const boost::system::error_code& error) {
    if (error || alive.expired()) return;
    if (stood_still(std::chrono::milliseconds(0))) return await_second();
    look();
    timer_.expires_at(timer_.expiry() + kAfterSamples);
    close_second();
  });
}

void PhaseWatch::close_second() {
  timer_.async_wait([this, alive = lifetime_.token()](const boost::system::error_code& error) {
    if (error || alive.expired()) return;
    if (stood_still(kAfterSamples)) return await_second();
    second_began_unix_us_ = clock_.unix_us();
    const measure::Second second = fold_.close_second(second_began_unix_us_);
    if (std::exchange(second_is_whole_, true)) on_second_(second);
    timer_.expires_at(timer_.expiry() + kBeat - kAfterSamples);
    await_second();
  });
}

/// Whether a await_second or more was missed. Then the next one is due on the next whole second of the phase,
/// when what waited in the pipes has been read. `behind_whole_second`: where the timer was set to.
bool PhaseWatch::stood_still(std::chrono::steady_clock::duration behind_whole_second) {
  const auto late = std::chrono::steady_clock::now() - timer_.expiry();
  if (late < kBeat) return false;
  fold_.stood_still(second_began_unix_us_, clock_.unix_us());
  second_is_whole_ = false;
  timer_.expires_at(timer_.expiry() - behind_whole_second + (late / kBeat + 2) * kBeat);
  return true;
}

void PhaseWatch::look() {
  sampler_.look();
  fold_.process(own_sample(clock_.unix_us()));
  if (const auto cpu = process::read_machine_cpu())
    fold_.machine({clock_.unix_us(), cpu->busy_us, cpu->all_us});
  look_at_target();
}

/// A server that is slow to answer is asked less often.
void PhaseWatch::look_at_target() {
  if (const auto process = target_.process()) {
    if (const auto sample = target_sample(*process, clock_.unix_us())) fold_.process(*sample);
  }
  if (std::exchange(counting_parts_, true)) return;
  target_.count_parts([this, alive = lifetime_.token()](const std::optional<measure::PartsSample>& parts) {
    if (alive.expired()) return;
    counting_parts_ = false;
    if (parts) fold_.parts(*parts);
  });
}

void PhaseWatch::take(postgres::ServerSample sample) {
  if (on_server_) on_server_(sample);
  sample.look.at_unix_us = clock_.unix_at(sample.at_steady_us);
  if (sampler_.failing()) on_server_back_();
  fold_.ladder({sample.look.at_unix_us, sample.head, sample.sent, sample.confirmed});
  fold_.server(sample.look);
  const auto add = [&](const char* role, const std::vector<postgres::ServerProcess>& processes) {
    for (const auto& process : processes) fold_.process(server_sample(role, sample.look.at_unix_us, process));
  };
  add("postgres-walsender", sample.walsender);
  add("postgres-backends", sample.backends);
  add("postgres-sampler", sample.own);
}

void PhaseWatch::finish() {
  timer_.cancel();
  // A look under way reports first; then one more, of the end.
  const int no_more_interrupts = loop_.interrupts();
  const auto idle = [this] { return sampler_.idle() && !counting_parts_; };
  (void)loop_.wait(kLastLookTimeout, no_more_interrupts, idle);
  look();
  (void)loop_.wait(kLastLookTimeout, no_more_interrupts, idle);
}

}  // namespace walstorm::run
