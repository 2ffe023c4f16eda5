#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "producer/postgres/pg_connection.h"
#include "producer/postgres/row_writer.h"
#include "producer/rows/encoded_rows.h"
#include "producer/rows/ledger.h"
#include "producer/rows/row_source.h"

namespace walstorm::producer {

/// What a lost session left of the batch that was under way.
enum class Fate : std::uint8_t { committed, rolled_back };

/// After a loss: opens a new session, sees the old one off, and finds out what became of its batch.
///
/// pg_xact_status() would tell of a commit whose answer was lost, but only to who asked for the transaction's
/// id beforehand: a statement for each transaction, for a case that is rare. The rows tell as well. A
/// transaction is all there or not at all, and only this connection writes its rows, so one row of the batch
/// decides: an inserted one is there, an updated one has its new row_hash, a deleted one is gone. That is
/// final once the old backend has ended, which it need not have: it may be in the middle of the COMMIT, or
/// not have noticed that its client is gone. So it is told to end, and is waited for, in any case; a batch
/// written again would wait for its locks too.
class Recovery final {
 public:
  using OnRecovered = std::function<void(Fate)>;

  /// All must outlive this; `source` made the batches.
  Recovery(boost::asio::io_context& loop, PgConnection& connection, const RowSource& source);

  /// `batch` stays as it is until `on_recovered` is called. When the server stays out of reach, or the old
  /// session does not end, for as long as the connection allows, Error{unavailable} leaves the loop.
  void start(const Batch& batch, const Loss& loss, OnRecovered on_recovered);

 private:
  void open();
  void see_off();
  void decide();
  void pause_before(void (Recovery::*step)());
  void look_again(void (Recovery::*step)(), const std::string& what, const SqlError& error);
  void take_verdict(const Reply& reply);

  PgConnection& connection_;
  const RowSource& source_;
  boost::asio::steady_timer timer_;

  const Batch* batch_ = nullptr;
  bool commit_sent_ = false;
  SessionId old_;
  std::chrono::steady_clock::time_point give_up_at_;
  OnRecovered on_recovered_;
  EncodedRows row_;
};

}  // namespace walstorm::producer
