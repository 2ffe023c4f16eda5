#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "consumer/batch/block.h"
#include "proto/wire/change_tally.h"
#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// One reading of both clocks.
struct Instant {
  std::int64_t steady_us = 0;
  std::int64_t unix_us = 0;

  friend bool operator==(const Instant&, const Instant&) = default;
};

/// Records that were committed and read together: what latencies need, without a timestamp per record.
struct RecordRun {
  std::int64_t commit_unix_us = 0;
  Instant received;
  std::uint64_t records = 0;

  /// From the commit to the reading. The commit's time is PostgreSQL's, so that only wall clocks can tell;
  /// below 0 where one of them was set, or they differ by more than was found out.
  [[nodiscard]] std::int64_t receive_us() const { return received.unix_us - commit_unix_us; }
};

/// What is flushed at once: records of one phase and of one shape of the table, in the stream's order.
struct Batch {
  explicit Batch(std::unique_ptr<Block> empty) : block(std::move(empty)) {}

  std::unique_ptr<Block> block;  ///< never null
  std::uint64_t number = 0;      ///< LsnTracker's
  std::uint32_t phase = 0;
  std::int64_t opened_steady_us = 0;  ///< when its first record was read
  wire::Lsn first_lsn;                ///< of its first record's WAL message
  wire::Lsn last_lsn;                 ///< of its last record's
  /// Records, which are fewer than the block's rows when keys changed.
  wire::ChangeTally changes;
  std::vector<RecordRun> runs;

  /// A further record, committed and received then; its rows are in the block already.
  void note(wire::Lsn lsn, std::int64_t commit_unix_us, const Instant& received);
};

/// Batches that are done with, kept for their buffers. Holds at most `bytes_max` of those.
class BatchPool final {
 public:
  using MakeBlock = std::function<std::unique_ptr<Block>()>;

  /// `make_block`: the sink's, for an empty block.
  BatchPool(std::uint64_t bytes_max, MakeBlock make_block)
      : bytes_max_(bytes_max), make_block_(std::move(make_block)) {}

  /// An empty batch for rows of `layout`.
  [[nodiscard]] std::unique_ptr<Batch> take(const std::shared_ptr<const BlockLayout>& layout);
  void give_back(std::unique_ptr<Batch> batch);

 private:
  std::uint64_t bytes_max_;
  MakeBlock make_block_;
  std::uint64_t bytes_ = 0;
  std::vector<std::unique_ptr<Batch>> free_;  // the last one back is the first one out: its buffers are warm
};

}  // namespace walstorm::consumer
