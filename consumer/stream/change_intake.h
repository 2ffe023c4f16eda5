#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "consumer/batch/batcher.h"
#include "consumer/batch/lsn_tracker.h"
#include "consumer/decode/pgoutput_decoder.h"
#include "consumer/decode/streamed_transactions.h"
#include "consumer/metrics/phase_book.h"
#include "consumer/stream/replay_filter.h"
#include "proto/wire/clock_offset.h"

namespace walstorm::consumer {

/// One message of the replication stream. `payload` is valid during the call that hands it over.
struct WalMessage {
  wire::Lsn lsn;  ///< of the change
  Instant received;
  std::string_view payload;
};

/// The stream's messages -> records in batches, positions in the tracker, markers in the book. Pure, but for
/// the file that streamed transactions may spill into.
///
/// A transaction that arrives whole after its commit flows to the sink as it comes, however large it is. One
/// that is streamed before its end is held back, and counts nowhere; its commit begins its release, in which
/// it comes again as if it had arrived then, message by message, as fast as the owner lets it:
///
///   while (intake.releasing() && there is room) intake.release_next(now);
///
/// and nothing else may be handed over meanwhile, as the stream's order is the order of commits.
class ChangeIntake final {
 public:
  /// All but `run_id` outlive the intake. `streamed_bytes_max`: the memory for streamed transactions.
  ChangeIntake(std::string run_id, std::uint64_t streamed_bytes_max, PhaseBook& book, LsnTracker& tracker,
               Batcher& batcher);

  /// Throws Error{protocol} for bytes that are not pgoutput's, Error{data} for rows that cannot be landed,
  /// Error{unavailable} when there is no room for streamed transactions.
  void on_wal(const WalMessage& message);

  /// A committed transaction is on its way out of the streamed ones.
  [[nodiscard]] bool releasing() const { return streamed_.releasing(); }
  /// Hands over its next message, or its commit. Its records count as received when the commit was read:
  /// before that they were of no use. Throws as on_wal.
  void release_next(std::int64_t now_steady_us);

  /// The connection was lost, and the stream begins anew: forgets every transaction that has not ended, a
  /// release included. The server sends them again; records of theirs that were handed on already are then
  /// counted as replayed and as nothing else.
  void reset_stream();

  [[nodiscard]] const StreamedTransactions& streamed() const { return streamed_; }

  /// How far our wall clock is ahead of the server's: commits to come are put on ours, so that lags compare
  /// times of one clock.
  void set_clock(const wire::ClockOffset& offset) { clock_ahead_us_ = offset.known_us(); }

  /// The server has sent everything before `position`.
  void on_keepalive(wire::Lsn position) { tracker_.keepalive(position); }

 private:
  enum class Change { insert, update, remove };

  void on(const Begin& begin);
  void on(const Commit& commit);
  void on(const Relation& relation);
  void on(const Insert& insert);
  void on(const Update& update);
  void on(const Delete& removal);
  void on(const Truncate& truncate);
  void on(const LogicalMessage& message);
  void on(const Type&) {}    // a relation's columns name their types by oid
  void on(const Origin&) {}  // where a row came from first does not matter here
  void on(const StreamStart& start) { streamed_.start_block(start); }
  void on(const StreamStop&) { streamed_.stop_block(); }
  void on(const StreamCommit& commit);
  void on(const StreamAbort& abort) { streamed_.abort(abort); }

  [[nodiscard]] const std::shared_ptr<const BlockLayout>& layout_of(std::uint32_t relation_id);
  [[nodiscard]] Batch& batch_for(std::uint32_t relation_id);
  [[nodiscard]] std::uint64_t hash_of(const BlockLayout& layout, const Value& value) const;
  void count(Batch& batch, Change change, std::uint64_t row_hash);
  static void add(wire::ChangeTally& tally, Change change, std::uint64_t row_hash);
  void count_replay(Change change, std::uint32_t relation_id, const Tuple& tuple);

  std::string run_id_;
  PhaseBook& book_;
  LsnTracker& tracker_;
  Batcher& batcher_;
  PgoutputDecoder decoder_;
  StreamedTransactions streamed_;
  Commit release_commit_;  // of the transaction being released
  ReplayFilter replays_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const BlockLayout>> layouts_;
  // Of the message and the transaction under way.
  wire::Lsn lsn_;
  Instant received_;
  std::int64_t batched_us_ = 0;      // when it was handed on, for the age of batches: steady clock
  std::int64_t commit_unix_us_ = 0;  // on our clock
  std::int64_t clock_ahead_us_ = 0;
};

}  // namespace walstorm::consumer
