#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "consumer/decode/chunk_pool.h"
#include "consumer/decode/message_log.h"
#include "consumer/decode/pgoutput_message.h"

namespace walstorm::consumer {

/// What streaming did so far, for the log.
struct StreamedCounts {
  std::uint64_t committed = 0;
  std::uint64_t aborted = 0;
  std::uint64_t parts_aborted = 0;  ///< sub-transactions
  std::uint64_t bytes_spilled = 0;
};

/// Transactions that PostgreSQL sends before their end, held back until it is known (protocol 2 and later).
///
/// Blocks of several transactions come interleaved. Their messages are kept as they came, undecoded, in
/// memory up to a bound and in a temporary file beyond it. A commit releases a transaction, to be taken
/// message by message; an abort forgets it. The abort of a sub-transaction only notes its id, and its
/// messages are passed over on release: the server announces each sub-transaction that goes with it, so no
/// tree of them is kept. What goes with an aborted part includes the descriptions of tables in it: the server
/// counts them as unsent from then on, and repeats them (cleanup_rel_sync_cache in pgoutput.c).
///
/// None of this is confirmed to the server before its time, and nothing here is lost with the connection: a
/// transaction is sent from its beginning again until the position *behind its commit* is confirmed, and
/// every position heard of while it is open, keepalives between and within its blocks included, lies before
/// that.
class StreamedTransactions final {
 public:
  explicit StreamedTransactions(std::uint64_t memory_bytes_max) : pool_(memory_bytes_max) {}
  StreamedTransactions(const StreamedTransactions&) = delete;
  StreamedTransactions& operator=(const StreamedTransactions&) = delete;

  /// A block of a transaction begins. Throws Error{protocol} when it goes on with one that never began, or
  /// begins one again.
  void start_block(const StreamStart& start);
  /// A message within the block, with its transaction's id behind the tag.
  void hold(const HeldMessage& message);
  void stop_block() { open_ = nullptr; }

  /// Forgets a transaction, or what a sub-transaction of it did. One that is not known has sent nothing.
  void abort(const StreamAbort& abort);

  /// What `xid` did is to be taken now. Throws Error{protocol} for a transaction that never began.
  void release(std::uint32_t xid);
  /// The next message of the transaction that is being released; nullopt when it has no more, which ends the
  /// release.
  [[nodiscard]] std::optional<HeldMessage> take();
  [[nodiscard]] bool releasing() const { return released_ != nullptr; }

  /// Forgets everything that is held back: the server will send it again.
  void clear();

  [[nodiscard]] std::uint64_t bytes_in_memory() const { return pool_.bytes_in_memory(); }
  [[nodiscard]] StreamedCounts counts() const;

 private:
  struct Transaction {
    explicit Transaction(ChunkPool& pool) : log(pool) {}

    MessageLog log;
    std::vector<std::uint32_t> aborted;  // sub-transactions; in order once it is released
    // The last sub-transaction met on release, as most messages are of the same as the one before.
    std::uint32_t last_xid = 0;
    bool last_aborted = false;
  };

  ChunkPool pool_;
  std::unordered_map<std::uint32_t, std::unique_ptr<Transaction>> transactions_;
  Transaction* open_ = nullptr;  // whose block it is
  std::unique_ptr<Transaction> released_;
  StreamedCounts counts_;
};

}  // namespace walstorm::consumer
