#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "consumer/batch/batch.h"
#include "consumer/batch/landing.h"
#include "proto/wire/change_tally.h"
#include "proto/wire/histogram.h"

namespace walstorm::consumer {

/// What the consumer has to say of one phase.
struct PhaseFigures {
  wire::ChangeTally received;  ///< in batches that were cut
  wire::ChangeTally acknowledged;
  wire::ChangeTally replayed;  ///< read before, and again after a reconnect
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;
  std::uint64_t transactions = 0;
  std::uint64_t errors = 0;   ///< attempts to land a batch that failed
  std::string error_last;     ///< what the last of them was answered
  std::uint64_t retries = 0;  ///< attempts beyond a batch's first
  // Of all attempts.
  std::uint64_t encoded_bytes = 0;
  std::uint64_t wire_bytes = 0;
  std::uint64_t buffered_bytes_max = 0;
  std::uint64_t batch_bytes_max = 0;  ///< of these, in batches
  /// Records that were read before their commit, by the wall clocks: their receive stage counts as 0. And by
  /// how much, at most.
  std::uint64_t before_commit = 0;
  std::int64_t before_commit_us_max = 0;
  wire::Histogram lag_us;
  wire::Histogram receive_us;
  wire::Histogram queue_us;
  wire::Histogram flush_us;
  /// Once the phase's marker is read: everything up to the batch of this number was before it.
  std::optional<std::uint64_t> last_batch;
};

/// Who gets the figures: each record's phase is decided by the markers in the WAL, not by when control frames
/// come.
///
/// A phase whose result has been sent is closed: its stragglers count for the run and for no phase, so they
/// never colour the next one. Pure.
class PhaseBook final {
 public:
  PhaseBook() : reading_(&of(0)) {}
  PhaseBook(const PhaseBook&) = delete;
  PhaseBook& operator=(const PhaseBook&) = delete;

  /// The marker of `phase` was read, and `last_batch` holds the last record before it. Returns the phase that
  /// the stream is in from now on, or nullopt for a marker that was passed before.
  std::optional<std::uint32_t> marker(std::uint32_t phase, std::uint64_t last_batch);

  /// The result of `phase` has been sent.
  void close(std::uint32_t phase);

  /// Of the phase that the stream is in.
  [[nodiscard]] PhaseFigures& reading() { return *reading_; }
  /// Of `phase`; one that counts nowhere when it is closed.
  [[nodiscard]] PhaseFigures& of(std::uint32_t phase);

  void received(const Batch& batch);
  void attempted(const Batch& batch, const Landing& landing, bool retry);
  /// Flushed from `started_us` to `acknowledged_us`, by the steady clock.
  void acknowledged(const Batch& batch, std::int64_t started_us, std::int64_t acknowledged_us);

  [[nodiscard]] const wire::ChangeTally& run_received() const { return run_received_; }
  [[nodiscard]] const wire::ChangeTally& run_acknowledged() const { return run_acknowledged_; }

 private:
  std::map<std::uint32_t, PhaseFigures> open_;
  PhaseFigures closed_;
  std::uint32_t first_open_ = 0;
  std::uint32_t stream_phase_ = 0;
  PhaseFigures* reading_;  // of(stream_phase_)
  wire::ChangeTally run_received_;
  wire::ChangeTally run_acknowledged_;
};

}  // namespace walstorm::consumer
