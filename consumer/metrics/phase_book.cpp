#include "consumer/metrics/phase_book.h"

#include <algorithm>

namespace walstorm::consumer {

std::optional<std::uint32_t> PhaseBook::marker(std::uint32_t phase, std::uint64_t last_batch) {
  if (phase < stream_phase_) return std::nullopt;
  of(phase).last_batch = last_batch;
  stream_phase_ = phase + 1;
  reading_ = &of(stream_phase_);
  return stream_phase_;
}

void PhaseBook::close(std::uint32_t phase) {
  first_open_ = std::max(first_open_, phase + 1);
  open_.erase(open_.begin(), open_.lower_bound(first_open_));
  reading_ = &of(stream_phase_);
}

PhaseFigures& PhaseBook::of(std::uint32_t phase) {
  return phase < first_open_ ? closed_ : open_[phase];
}

void PhaseBook::received(const Batch& batch) {
  of(batch.phase).received.merge(batch.changes);
  run_received_.merge(batch.changes);
}

void PhaseBook::attempted(const Batch& batch, const Landing& landing, bool retry) {
  PhaseFigures& figures = of(batch.phase);
  if (!landing.error.empty()) {
    ++figures.errors;
    figures.error_last = landing.error;
  }
  if (retry) ++figures.retries;
  figures.encoded_bytes += landing.encoded_bytes;
  figures.wire_bytes += landing.wire_bytes;
}

void PhaseBook::acknowledged(const Batch& batch, std::int64_t started_us, std::int64_t acknowledged_us) {
  PhaseFigures& figures = of(batch.phase);
  figures.acknowledged.merge(batch.changes);
  run_acknowledged_.merge(batch.changes);
  ++figures.batches;
  for (const RecordRun& run : batch.runs) {
    const std::int64_t receive_us = std::max<std::int64_t>(run.receive_us(), 0);
    if (run.receive_us() < 0) {
      figures.before_commit += run.records;
      figures.before_commit_us_max = std::max(figures.before_commit_us_max, -run.receive_us());
    }
    figures.lag_us.record(receive_us + acknowledged_us - run.received.steady_us, run.records);
    figures.receive_us.record(receive_us, run.records);
    figures.queue_us.record(started_us - run.received.steady_us, run.records);
  }
  figures.flush_us.record(acknowledged_us - started_us, batch.changes.records());
}

}  // namespace walstorm::consumer
