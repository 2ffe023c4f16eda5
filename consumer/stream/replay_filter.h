#pragma once

#include <cstdint>

#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// Which changes of the stream were read before.
///
/// After a reconnect the server sends again from where the slot was confirmed. Transactions come in the order
/// of their commits, so one whose commit position is not beyond that of the last one read in full was read
/// before, all of it. Of the one that the loss cut off in the middle the first records were read, and
/// decoding the same WAL again gives the same records in the same order: they are known by their number, not
/// by their position, which several records can share (COPY's multi-insert). Pure.
class ReplayFilter final {
 public:
  /// The records of the transaction that committed at `commit` follow.
  void begin(wire::Lsn commit);

  /// Whether the next record was read before. Call once for each record.
  [[nodiscard]] bool next_is_replay() { return records_++ < seen_before_; }

  /// The transaction was read to its end. Returns whether for the first time.
  bool commit();

  /// Records of the transaction so far, replays among them.
  [[nodiscard]] std::uint64_t records() const { return records_; }

  /// The connection was lost: what is under way is cut off here.
  void connection_lost();

 private:
  wire::Lsn complete_;  // commit of the last transaction read in full
  wire::Lsn cut_off_;   // commit of the one after it, of which cut_off_records_ were read
  std::uint64_t cut_off_records_ = 0;
  // The transaction under way.
  wire::Lsn commit_;
  std::uint64_t records_ = 0;
  std::uint64_t seen_before_ = 0;
};

}  // namespace walstorm::consumer
