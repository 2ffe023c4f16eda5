#include "tests/orchestrator/measure/simulated_pipe.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <random>

#include "orchestrator/measure/fold/load_schedule.h"

namespace walstorm::measure::test {
namespace {

constexpr std::int64_t kStepUs = 10'000;
constexpr double kStepSec = 0.01;
constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::uint32_t kFlushesMax = 100;
/// An unthrottled producer needs some limit.
constexpr double kMaxRate = 20'000;

struct Batch {
  std::int64_t committed_us = 0;
  std::uint64_t first = 0, last = 0;  // records [first, last)
};

/// The hash of record `number`; any that differ will do.
std::uint64_t hash_of(std::uint64_t number) {
  return (number + 1) * 0x9E3779B97F4A7C15U;
}

class Simulation final {
 public:
  Simulation(const SimulatedPipe& pipe, PhaseFold& fold)
      : pipe_(pipe),
        fold_(fold),
        capacity_(pipe.roughness.capacity_course(pipe.duration_sec + pipe.drain_timeout_sec + 1)),
        random_(pipe.roughness.seed + 1) {}

  void run(const std::function<void(const Second&)>& on_second) {
    ready();
    const auto planned_us = static_cast<std::int64_t>(pipe_.duration_sec * 1e6);
    for (now_us_ = kStepUs; now_us_ <= planned_us && !producer_is_dead(); now_us_ += kStepUs) {
      produce();
      acknowledge();
      sample();
      if (on_second && now_us_ % kSecondUs == 5 * kStepUs) on_second(fold_.close_second(at()));
    }
    const bool died = producer_is_dead();
    now_us_ -= kStepUs;
    fold_.load_ended(at());
    if (!died) fold_.result("producer-0", producer_frame<proto::PhaseResult>(true));
    fold_.sample("consumer-0", consumer_frame<proto::Sample>());
    drain(on_second);
  }

 private:
  [[nodiscard]] std::int64_t at() const { return kStartUnixUs + now_us_; }
  [[nodiscard]] double elapsed_sec() const { return static_cast<double>(now_us_) / 1e6; }
  [[nodiscard]] bool producer_is_dead() const {
    return pipe_.producer_dies_at_sec && elapsed_sec() >= *pipe_.producer_dies_at_sec;
  }

  void ready() {
    for (const char* worker : {"consumer-0", "producer-0"}) {
      proto::PhaseReady frame;
      frame.set_at_unix_us(kStartUnixUs);
      frame.mutable_usage()->set_rss_bytes(1'000'000);
      fold_.ready(worker, frame);
    }
  }

  void produce() {
    const double due =
        records_due(pipe_.load, pipe_.duration_sec, elapsed_sec()).value_or(kMaxRate * elapsed_sec());
    produced_ = std::min(due, produced_ + pipe_.producer_capacity * kStepSec);
    const std::uint64_t before = tally_.records();
    for (auto number = before; number < static_cast<std::uint64_t>(std::floor(produced_ + 1e-6)); ++number) {
      tally_.add_insert(hash_of(number));
    }
    const std::uint64_t records = tally_.records() - before;
    if (records == 0) return;
    last_commit_us_ = now_us_;
    write_latency_us_.record(2'000, records);
    schedule_lag_us_.record(300, records);
    in_pipe_.push_back({now_us_, before, tally_.records()});
  }

  void acknowledge() {
    take_in();
    const auto flush_us = static_cast<std::int64_t>(pipe_.roughness.flush_every_sec * 1e6);
    if (flush_us > 0 && now_us_ / flush_us == (now_us_ - kStepUs) / flush_us) return;
    for (const Batch& batch : taken_in_) {
      for (auto number = batch.first; number < batch.last; ++number)
        acknowledged_.add_insert(hash_of(number));
      lag_us_.record(now_us_ - batch.committed_us, batch.last - batch.first);
    }
    taken_in_.clear();
  }

  void take_in() {
    const bool stalled = elapsed_sec() > pipe_.stall_from_sec && elapsed_sec() < pipe_.stall_to_sec;
    const double capacity = pipe_.sink_capacity * capacity_.at(static_cast<std::size_t>(now_us_ / kStepUs));
    sink_budget_ = stalled || capacity <= 0
                       ? 0
                       : std::min(sink_budget_ + capacity * kStepSec, std::max(1.0, capacity * kStepSec * 2));
    if (now_us_ % (10 * kStepUs) == 0) {
      latency_factor_ = 1 + pipe_.roughness.latency_noise * std::abs(deviation_(random_));
    }
    const auto latency_us = static_cast<std::int64_t>(pipe_.latency_sec * latency_factor_ * 1e6);
    while (!in_pipe_.empty() && sink_budget_ >= 1) {
      Batch& batch = in_pipe_.front();
      if (batch.committed_us + latency_us > now_us_) return;
      const auto room = static_cast<std::uint64_t>(std::min(sink_budget_, 1e9));
      const std::uint64_t records = std::min(room, batch.last - batch.first);
      taken_in_.push_back({batch.committed_us, batch.first, batch.first + records});
      sink_budget_ -= static_cast<double>(records);
      batch.first += records;
      if (batch.first == batch.last) in_pipe_.pop_front();
    }
  }

  void sample() {
    if (now_us_ >= producer_sample_us_) {
      if (arrives(sequence_)) fold_.sample("producer-0", producer_frame<proto::Sample>(false));
      producer_sample_us_ = next_sample_us(0);
    }
    if (now_us_ >= consumer_sample_us_) {
      if (arrives(sequence_++)) fold_.sample("consumer-0", consumer_frame<proto::Sample>());
      consumer_sample_us_ = next_sample_us(2 * kStepUs);
    }
  }

  bool arrives(std::uint64_t sequence) {
    const double loss = pipe_.roughness.sample_loss;
    return pipe_.sample_arrives(sequence) && (loss <= 0 || share_(random_) >= loss);
  }

  /// In the next second, `after_us` after its beginning, but for the jitter.
  std::int64_t next_sample_us(std::int64_t after_us) {
    const double jitter_us = pipe_.roughness.sample_jitter_sec * 1e6;
    const std::int64_t second = (now_us_ + kSecondUs / 2) / kSecondUs + 1;
    const auto late_us = static_cast<std::int64_t>(jitter_us * (2 * share_(random_) - 1));
    return second * kSecondUs + after_us + (jitter_us > 0 ? late_us : 0);
  }

  [[nodiscard]] bool empty() const { return in_pipe_.empty() && taken_in_.empty(); }

  void drain(const std::function<void(const Second&)>& on_second) {
    const std::int64_t load_us = now_us_;
    const auto timeout_us = static_cast<std::int64_t>(pipe_.drain_timeout_sec * 1e6);
    while (!empty() && now_us_ - load_us < timeout_us) {
      now_us_ += kStepUs;
      acknowledge();
      if (now_us_ % kSecondUs == 2 * kStepUs) fold_.sample("consumer-0", consumer_frame<proto::Sample>());
      if (on_second && now_us_ % kSecondUs == 5 * kStepUs) on_second(fold_.close_second(at()));
    }
    fold_.result("consumer-0", consumer_frame<proto::PhaseResult>());
    fold_.drain_ended(empty(), static_cast<double>(now_us_ - load_us) / 1e6);
  }

  template <typename Frame>
  Frame producer_frame(bool is_final) const {
    Frame frame;
    frame.set_taken_unix_us(at());
    frame.mutable_usage()->set_cpu_user_us(static_cast<std::uint64_t>(now_us_) / 10);
    proto::ProducerStats& stats = *frame.mutable_producer();
    wire::to_proto(tally_, *stats.mutable_produced());
    stats.set_transactions(tally_.records() / 100);
    if (is_final) {
      const double due = records_due(pipe_.load, pipe_.duration_sec, pipe_.duration_sec).value_or(produced_);
      stats.set_records_not_started(static_cast<std::uint64_t>(std::max(0.0, due - produced_)));
    }
    stats.set_load_started_unix_us(kStartUnixUs);
    if (last_commit_us_ != 0) stats.set_last_commit_unix_us(kStartUnixUs + last_commit_us_);
    write_latency_us_.to_proto(*stats.mutable_write_latency_us());
    schedule_lag_us_.to_proto(*stats.mutable_schedule_lag_us());
    return frame;
  }

  template <typename Frame>
  Frame consumer_frame() const {
    Frame frame;
    frame.set_taken_unix_us(at());
    proto::ConsumerStats& stats = *frame.mutable_consumer();
    // Received at once: what lies between is a matter of the sink here.
    wire::to_proto(tally_, *stats.mutable_received());
    wire::to_proto(tally_, *stats.mutable_run_received());
    wire::to_proto(acknowledged_, *stats.mutable_acknowledged());
    wire::to_proto(acknowledged_, *stats.mutable_run_acknowledged());
    stats.set_batches(acknowledged_.records() / 50);
    const bool saturated = tally_.records() - acknowledged_.records() > std::uint64_t{kFlushesMax} * 50;
    stats.set_flushes_in_flight(saturated ? kFlushesMax : 3);
    stats.set_busy_us(static_cast<std::uint64_t>(now_us_) / 5);
    stats.set_elapsed_us(static_cast<std::uint64_t>(now_us_));
    lag_us_.to_proto(*stats.mutable_lag_us());
    return frame;
  }

  const SimulatedPipe& pipe_;
  PhaseFold& fold_;
  const std::vector<double> capacity_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> share_{0, 1};
  std::normal_distribution<double> deviation_;
  double latency_factor_ = 1;
  std::int64_t now_us_ = 0;
  std::int64_t producer_sample_us_ = kSecondUs;
  std::int64_t consumer_sample_us_ = kSecondUs + 2 * kStepUs;
  double produced_ = 0;
  double sink_budget_ = 0;
  std::int64_t last_commit_us_ = 0;
  std::uint64_t sequence_ = 0;
  wire::ChangeTally tally_, acknowledged_;
  wire::Histogram write_latency_us_, schedule_lag_us_, lag_us_;
  std::deque<Batch> in_pipe_;
  std::vector<Batch> taken_in_;  // and not acknowledged yet
};

}  // namespace

std::vector<double> Roughness::capacity_course(double seconds) const {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> deviation;
  std::vector<double> course(static_cast<std::size_t>(seconds / kStepSec) + 2, 1.0);
  if (capacity_noise > 0) {
    // A first-order autoregressive walk: the same spread at any step, forgotten within capacity_memory_sec.
    const double kept = std::exp(-kStepSec / capacity_memory_sec);
    const double added = std::sqrt(1 - kept * kept);
    double walk = deviation(random);
    for (double& capacity : course) {
      walk = kept * walk + added * deviation(random);
      capacity = std::max(0.05, 1 + capacity_noise * walk);
    }
  }
  if (stall_every_sec <= 0) return course;
  std::exponential_distribution<double> gap(1 / stall_every_sec), length(1 / stall_mean_sec);
  std::mt19937_64 stalls(~seed);  // its own, so that a longer course begins like a shorter one
  for (double at = gap(stalls); at < seconds; at += gap(stalls)) {
    const double until = std::min(seconds, at + length(stalls));
    for (; at < until; at += kStepSec) course[static_cast<std::size_t>(at / kStepSec)] = 0;
  }
  return course;
}

SimulatedPipe SimulatedPipe::under(double share, double rate, double duration_sec,
                                   const Roughness& roughness) {
  const auto course = roughness.capacity_course(duration_sec);
  const double mean = std::accumulate(course.begin(), course.end(), 0.0) / static_cast<double>(course.size());
  return {.load = config::ConstantLoad{rate},
          .duration_sec = duration_sec,
          .sink_capacity = rate / share / mean,
          .drain_timeout_sec = 60,
          .roughness = roughness};
}

PhaseFold SimulatedPipe::run(const std::function<void(const Second&)>& on_second) const {
  return run_watched([&on_second](const PhaseFold&, const Second& second) {
    if (on_second) on_second(second);
  });
}

PhaseFold SimulatedPipe::run_watched(
    const std::function<void(const PhaseFold&, const Second&)>& on_second) const {
  PhaseFacts facts;
  facts.phase = {.name = "peak", .duration_sec = duration_sec, .load = load, .records = {}, .warmup = false};
  if (const auto due = records_due(load, duration_sec, duration_sec)) {
    facts.expected_records = static_cast<std::uint64_t>(std::llround(*due));
  }
  facts.producers = {{"producer-0", 11}};
  facts.consumers = {{"consumer-0", 12}};
  facts.flush_concurrency_max = kFlushesMax;
  facts.carry_over = carry_over;
  PhaseFold fold(facts);
  Simulation(*this, fold).run([&](const Second& second) { on_second(fold, second); });
  return fold;
}

PhaseReport SimulatedPipe::report() const {
  return run().settle(producer_dies_at_sec ? Outcome::failed : Outcome::passed);
}

}  // namespace walstorm::measure::test
