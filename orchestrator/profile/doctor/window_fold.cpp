#include "orchestrator/profile/doctor/window_fold.h"

#include <algorithm>

#include "proto/wire/change_tally.h"

namespace walstorm::profile::doctor {
namespace {

using Count = std::optional<std::uint64_t>;

std::uint64_t records_of(const proto::ChangeTally& tally) {
  return tally.inserts() + tally.updates() + tally.deletes();
}

template <typename Frame>
Reading read_frame(const Frame& frame) {
  Reading reading;
  reading.taken_us = frame.taken_unix_us();
  if (frame.has_loop()) {
    reading.loop_delay_us = wire::Histogram::from_proto(frame.loop().delay_us());
    reading.loop_elapsed_us = frame.loop().elapsed_us();
    if (frame.loop().has_asleep_us()) reading.loop_asleep_us = frame.loop().asleep_us();
  }
  if (frame.has_consumer()) {
    const proto::ConsumerStats& stats = frame.consumer();
    reading.records = records_of(stats.acknowledged());
    reading.flushes_in_flight = stats.flushes_in_flight();
    reading.buffered_bytes = static_cast<double>(stats.buffered_bytes());
    reading.flush_us = wire::Histogram::from_proto(stats.flush_us());
    reading.receive_us = wire::Histogram::from_proto(stats.receive_us());
  } else if (frame.has_producer()) {
    reading.records = records_of(frame.producer().produced());
    const auto& busy = frame.producer().connection_busy_us();
    reading.connection_busy_us.assign(busy.begin(), busy.end());
  }
  return reading;
}

/// How much a sum rose in each of so many units of time; nullopt where it is not known or fell.
std::optional<double> rise(const Count& before, const Count& now, double units) {
  if (!before || !now || *now < *before || units <= 0) return std::nullopt;
  return static_cast<double>(*now - *before) / units;
}

std::optional<double> share_of(const std::optional<double>& value, double all) {
  if (!value || all <= 0) return std::nullopt;
  return *value / all;
}

std::optional<double> to_ms(const std::optional<double>& us) {
  return us ? std::optional(*us / 1000) : std::nullopt;
}

void look_from_outside(const process::ProcActivity& before, const process::ProcActivity& now, double us,
                       Window& window) {
  const double sec = us / 1e6;
  window.cpu_share = rise(before.cpu_us(), now.cpu_us(), us);
  window.run_queue_share = rise(before.run_queue_us, now.run_queue_us, us);
  window.voluntary_per_sec = rise(before.voluntary_switches, now.voluntary_switches, sec);
  window.involuntary_per_sec = rise(before.involuntary_switches, now.involuntary_switches, sec);
  window.minor_faults_per_sec = rise(before.minor_faults, now.minor_faults, sec);
  window.major_faults_per_sec = rise(before.major_faults, now.major_faults, sec);
  if (now.rss_bytes) window.rss_bytes = static_cast<double>(*now.rss_bytes);
}

void look_at_loop(const Reading& before, const Reading& now, Window& window) {
  const wire::Histogram delay_us = now.loop_delay_us.since(before.loop_delay_us);
  window.loop_delay_p50_ms = to_ms(delay_us.percentile(50));
  window.loop_delay_p99_ms = to_ms(delay_us.percentile(99));
  window.loop_delay_max_ms = to_ms(delay_us.max());
  const auto elapsed_us = rise(before.loop_elapsed_us, now.loop_elapsed_us, 1);
  // The first reading is of before anything slept.
  const Count asleep_before = before.loop_asleep_us ? before.loop_asleep_us : Count(0);
  const auto asleep = rise(asleep_before, now.loop_asleep_us, elapsed_us.value_or(0));
  if (asleep) window.utilization = std::clamp(1 - *asleep, 0.0, 1.0);
}

std::optional<double> connections_share(const Reading& before, const Reading& now, double us) {
  if (now.connection_busy_us.empty()) return std::nullopt;
  std::uint64_t busy_before = 0, busy_now = 0;
  for (const std::uint64_t each : before.connection_busy_us) busy_before += each;
  for (const std::uint64_t each : now.connection_busy_us) busy_now += each;
  return rise(busy_before, busy_now, us * static_cast<double>(now.connection_busy_us.size()));
}

}  // namespace

Reading reading_of(const proto::Sample& frame) {
  return read_frame(frame);
}

Reading reading_of(const proto::PhaseResult& frame) {
  return read_frame(frame);
}

void WindowFold::begin(const Reading& reading) {
  first_ = last_ = reading;
  windows_.clear();
}

std::int64_t WindowFold::length_us_min() const {
  return kLengthUsMin << std::min<std::size_t>(windows_.size() / kWindowsPerLength, 20);
}

void WindowFold::take(const Reading& reading) {
  if (!last_) return;
  const std::int64_t length_us = std::min(reading.at_us - last_->at_us, reading.taken_us - last_->taken_us);
  if (length_us < length_us_min()) return;
  windows_.push_back(window_up_to(reading));
  last_ = reading;
}

Window WindowFold::window_up_to(const Reading& now) const {
  const Reading& before = *last_;
  Window window;
  window.from_sec = static_cast<double>(before.at_us - first_->at_us) / 1e6;
  window.to_sec = static_cast<double>(now.at_us - first_->at_us) / 1e6;
  const auto own_us = static_cast<double>(now.taken_us - before.taken_us);
  if (before.process && now.process)
    look_from_outside(*before.process, *now.process, static_cast<double>(now.at_us - before.at_us), window);
  look_at_loop(before, now, window);
  window.records_per_sec = rise(before.records, now.records, own_us / 1e6);
  window.flushes_in_flight = now.flushes_in_flight;
  window.flushes_share = share_of(now.flushes_in_flight, allowed_.flushes);
  window.buffered_share = share_of(now.buffered_bytes, allowed_.buffered_bytes);
  window.sink_wait_ms = to_ms(now.flush_us.since(before.flush_us).percentile(50));
  window.postgres_wait_ms = to_ms(now.receive_us.since(before.receive_us).percentile(50));
  window.connections_share = connections_share(before, now, own_us);
  return window;
}

}  // namespace walstorm::profile::doctor
