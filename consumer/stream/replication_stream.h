#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/metrics/busy_meter.h"
#include "consumer/stream/change_intake.h"
#include "consumer/stream/gather_window.h"
#include "consumer/stream/reconnector.h"
#include "consumer/stream/replication_connection.h"
#include "proto/control.pb.h"
#include "proto/wire/clock.h"
#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// One slot's changes, without blocking: WAL messages in, standby status updates out, over one connection
/// after the other.
///
/// A connection that is lost is made again (Reconnector); the server then sends once more what follows the
/// slot's confirmed position, and it is for the handlers to know what they have had.
///
/// Reading can be paused, status updates never: a server that hears nothing for wal_sender_timeout ends the
/// stream, however busy the sink is. There is no watchdog the other way round: a living server can be silent
/// for longer than that while it decodes WAL which is not ours. Lives on one loop; errors are thrown there.
class ReplicationStream final {
 public:
  struct Handlers {
    std::function<void(const WalMessage&)> on_wal;
    /// The server has sent everything before this position.
    std::function<void(wire::Lsn)> on_keepalive;
    /// What may be confirmed now; not set, so as to confirm nothing.
    std::function<wire::Lsn()> confirmable;
    /// Nothing follows what was handed over: a transaction under way was cut off.
    std::function<void()> on_lost;
    /// What follows `slot_confirmed` comes again.
    std::function<void(wire::Lsn slot_confirmed)> on_reconnected;
  };

  /// Connects and asks the server to stream from where the slot stands; blocks. `clock` and `meter` outlive
  /// the stream. Throws Error{unavailable} with what to do when the server, the slot or its WAL is not there
  /// or the slot is in use, Error{config} when it is of another plugin.
  ReplicationStream(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                    const proto::ConsumerSetup& setup);
  ReplicationStream(const ReplicationStream&) = delete;
  ReplicationStream& operator=(const ReplicationStream&) = delete;
  ~ReplicationStream();

  /// Starts reading. On the loop, throws Error{unavailable} when the connection is lost for good, and what
  /// the handlers throw.
  void start(Handlers handlers);

  /// Stops reading after the message that is being handled.
  void pause() { paused_ = true; }
  void resume();
  [[nodiscard]] bool paused() const { return paused_; }

  /// Up to where the slot was confirmed before this stream began, and from where the server sends: it would
  /// do so silently whatever earlier position were asked for.
  [[nodiscard]] wire::Lsn slot_confirmed() const { return slot_confirmed_; }
  /// The last WAL position heard of, in a message or a keepalive.
  [[nodiscard]] wire::Lsn received() const { return received_; }

  /// Connections lost since the phase began, and the beginning of a phase.
  [[nodiscard]] Outages outages() const { return reconnector_.outages(); }
  void begin_phase() { reconnector_.begin_phase(); }

 private:
  [[nodiscard]] std::string start_command(const ReplicationConnection& connection) const;
  void start_reading();
  void read_soon();
  void read_available();
  [[nodiscard]] std::size_t read_while_there_is_more();
  void read_next(std::size_t bytes_found);
  void wait_readable();
  [[nodiscard]] std::size_t deliver_buffered();
  void deliver(std::string_view copy_data);
  void deliver_keepalive(std::string_view copy_data);
  void arm_status_timer();
  void send_status();
  void wait_writable();
  void go_offline(const std::string& why);
  void go_online(std::unique_ptr<ReplicationConnection> connection, const SlotState& slot);

  boost::asio::io_context& loop_;
  const wire::Clock& clock_;
  BusyMeter& meter_;
  proto::ConsumerSetup setup_;
  Handlers handlers_;
  Reconnector reconnector_;
  std::unique_ptr<ReplicationConnection> connection_;  // null while there is none
  std::uint64_t connection_number_ = 0;                // waits of an earlier one are void
  boost::asio::posix::stream_descriptor socket_;       // libpq's own: released, never closed
  boost::asio::steady_timer status_timer_;
  Instant arrival_;  // of what libpq has buffered
  GatherWindow gather_;
  wire::Lsn slot_confirmed_;
  wire::Lsn received_;
  bool paused_ = false;
  bool reading_ = false;  // a read is waited for, posted or under way
  bool writing_ = false;  // the socket is full, and waited for
};

}  // namespace walstorm::consumer
