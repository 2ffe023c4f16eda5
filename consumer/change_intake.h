#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "consumer/batcher.h"
#include "consumer/lsn_tracker.h"
#include "consumer/pgoutput_decoder.h"
#include "consumer/phase_book.h"
#include "consumer/replay_filter.h"

namespace walstorm::consumer {

/// One message of the replication stream. `payload` is valid during the call that hands it over.
struct WalMessage {
  wire::Lsn lsn;  ///< of the change
  Instant received;
  std::string_view payload;
};

/// The stream's messages -> records in batches, positions in the tracker, markers in the book. Pure.
///
/// Written for protocol 1: a transaction arrives whole after its commit, so its records flow to the sink as
/// they come, however large it is.
class ChangeIntake final {
 public:
  /// All but `run_id` outlive the intake.
  ChangeIntake(std::string run_id, PhaseBook& book, LsnTracker& tracker, Batcher& batcher);

  /// Throws Error{protocol} for bytes that are not pgoutput's, Error{data} for rows that cannot be landed.
  void on_wal(const WalMessage& message);

  /// The server has sent everything before `position`.
  void on_keepalive(wire::Lsn position) { tracker_.keepalive(position); }

  /// The connection was lost: forgets the transaction under way. What was read comes again in part, and is
  /// counted as replayed and as nothing else.
  void reset_stream();

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
  template <typename Streamed>
  void on(const Streamed& streamed);

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
  ReplayFilter replays_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const BlockLayout>> layouts_;
  // Of the message and the transaction under way.
  wire::Lsn lsn_;
  Instant received_;
  std::int64_t commit_unix_us_ = 0;
};

}  // namespace walstorm::consumer
