#include "proto/wire/loop_watch.h"

namespace walstorm::wire {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

std::int64_t to_us(steady_clock::duration time) {
  return std::chrono::duration_cast<microseconds>(time).count();
}

}  // namespace

SleepCount& sleep_count() {
  static thread_local SleepCount count;
  return count;
}

std::int64_t record_beats(Histogram& delay_us, std::int64_t due_us, std::int64_t now_us,
                          std::int64_t beat_us) {
  do {
    delay_us.record(now_us - due_us);
    due_us += beat_us;
  } while (due_us <= now_us);
  return due_us;
}

void LoopWatch::begin_phase() {
  delay_us_.clear();
  sleep_count().on = true;
  slept_before_ = sleep_count();
  began_ = steady_clock::now();
  on_ = true;
  timer_.expires_at(began_ + kBeat);
  await_beat();
}

void LoopWatch::end_phase() {
  on_ = false;
  sleep_count().on = false;
  timer_.cancel();
}

void LoopWatch::await_beat() {
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !on_) return;
    const std::int64_t next_us = record_beats(delay_us_, to_us(timer_.expiry() - began_),
                                              to_us(steady_clock::now() - began_), to_us(kBeat));
    timer_.expires_at(began_ + microseconds(next_us));
    await_beat();
  });
}

void LoopWatch::fill(proto::LoopStats& stats) const {
  delay_us_.to_proto(*stats.mutable_delay_us());
  stats.set_elapsed_us(static_cast<std::uint64_t>(to_us(steady_clock::now() - began_)));
  const SleepCount& count = sleep_count();
  if (count.times > slept_before_.times)
    stats.set_asleep_us((count.slept_ns - slept_before_.slept_ns) / 1000);
}

}  // namespace walstorm::wire
