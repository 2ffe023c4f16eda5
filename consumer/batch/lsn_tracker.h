#pragma once

#include <cstdint>
#include <deque>

#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// What PostgreSQL may forget.
///
/// The server deletes WAL up to the position we confirm: confirm early and rows are gone for good, confirm
/// late and the slot merely holds disk. So the position moves on one event only, a sink's acknowledgement,
/// and always lands where a transaction has ended. Batches are acknowledged in any order; a position counts
/// once every batch with records before it is. Lives on the consumer's loop; pure.
class LsnTracker final {
 public:
  /// `start`: what the slot has confirmed already.
  explicit LsnTracker(wire::Lsn start) : received_(start), acknowledged_(start) {}

  /// A transaction's messages follow, until commit().
  void begin() { in_transaction_ = true; }

  /// A batch takes its first record. Returns the batch's number: 1, 2, ...
  [[nodiscard]] std::uint64_t open_batch();

  /// The transaction ended; `end` is its commit's *end* position. Its records are in the batches opened so
  /// far.
  void commit(wire::Lsn end);

  /// The transaction under way will not go on: it was cut off, and its commit comes when it is sent again.
  /// Until then the batches with its first records stand for no position of their own.
  void connection_lost() { in_transaction_ = false; }

  /// The server has sent everything before `position`. Within a transaction that says nothing about the
  /// records still to come, so it is passed over; with batches outstanding it waits for them like a commit.
  void keepalive(wire::Lsn position);

  /// The sink has batch `number`. Throws Error{internal} for one that is not outstanding.
  void acknowledge(std::uint64_t number);

  /// Everything before it has ended and is acknowledged: safe to confirm.
  [[nodiscard]] wire::Lsn acknowledged() const { return acknowledged_; }
  /// Everything before it has been read and has ended, wherever its records are now.
  [[nodiscard]] wire::Lsn received() const { return received_; }

  [[nodiscard]] std::uint64_t last_batch() const { return last_batch_; }
  /// The highest number up to which every batch is acknowledged.
  [[nodiscard]] std::uint64_t acknowledged_batches() const { return last_batch_ - outstanding_.size(); }

 private:
  struct Outstanding {
    wire::Lsn end;  // the last position reached after this batch was opened and before the next one was
    bool acknowledged = false;
  };

  void reached(wire::Lsn end);

  // The batches from the oldest that is not acknowledged to the newest.
  std::deque<Outstanding> outstanding_;
  std::uint64_t last_batch_ = 0;
  wire::Lsn received_;
  wire::Lsn acknowledged_;
  bool in_transaction_ = false;
};

}  // namespace walstorm::consumer
