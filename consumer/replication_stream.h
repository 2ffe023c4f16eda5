#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/busy_meter.h"
#include "consumer/change_intake.h"
#include "proto/control.pb.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"
#include "proto/wire/lsn.h"

struct pg_conn;

namespace walstorm::consumer {

/// One logical replication connection, without blocking: WAL messages in, standby status updates out. The
/// only file that knows libpq's replication calls.
/// https://www.postgresql.org/docs/current/protocol-replication.html
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
  };

  /// Connects and finds out about the slot; blocks. `clock` and `meter` outlive the stream. Throws
  /// Error{unavailable} with what to do when the server, the slot or its WAL is not there, Error{config} when
  /// the slot is of another plugin.
  ReplicationStream(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                    const proto::ConsumerSetup& setup);
  ReplicationStream(const ReplicationStream&) = delete;
  ReplicationStream& operator=(const ReplicationStream&) = delete;
  ~ReplicationStream();

  /// Starts streaming from where the slot stands; blocks until the server agrees. Throws as the constructor
  /// does; later, on the loop, Error{unavailable} when the connection is lost and what the handlers throw.
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
  /// What the server was last told to be confirmed.
  [[nodiscard]] wire::Lsn confirmed() const { return confirmed_; }

 private:
  struct Closer {
    void operator()(pg_conn* connection) const;
  };

  void look_at_slot();
  [[nodiscard]] std::string start_command() const;
  void read_available();
  void wait_readable();
  [[nodiscard]] bool deliver_buffered();
  void deliver(std::string_view copy_data);
  void deliver_keepalive(std::string_view copy_data);
  void arm_status_timer();
  void send_status();
  void flush_output();
  [[nodiscard]] wire::Error lost(const std::string& doing) const;
  [[nodiscard]] wire::Error ended() const;

  boost::asio::io_context& loop_;
  const wire::Clock& clock_;
  BusyMeter& meter_;
  proto::ConsumerSetup setup_;
  Handlers handlers_;
  std::unique_ptr<pg_conn, Closer> connection_;
  boost::asio::posix::stream_descriptor socket_;  // libpq's own: released, never closed
  boost::asio::steady_timer status_timer_;
  Instant arrival_;  // of what libpq has buffered
  wire::Lsn slot_confirmed_;
  wire::Lsn received_;
  wire::Lsn confirmed_;
  bool paused_ = false;
  bool reading_ = false;  // a read is waited for, posted or under way
  bool writing_ = false;  // the socket is full, and waited for
};

}  // namespace walstorm::consumer
