#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/metrics/busy_meter.h"
#include "consumer/stream/replication_handshake.h"
#include "proto/control.pb.h"
#include "proto/postgres/host_lookup.h"
#include "proto/postgres/lent_socket.h"
#include "proto/wire/backoff.h"
#include "proto/wire/clock.h"

namespace walstorm::consumer {

/// Outages of one phase.
struct Outages {
  std::uint64_t reconnects = 0;
  std::int64_t offline_us = 0;  ///< one that goes on included
  /// Of the first few, and of one that goes on: sentences without a subject, for notes.
  std::vector<std::string> stories;
};

/// Makes the replication connection, and makes it again when it is lost: after a moment, then after longer
/// ones, until the time to give up, while the loop goes on with everything else. Lives on that loop.
class Reconnector final {
 public:
  using StartCommand = ReplicationHandshake::StartCommand;
  using OnConnected = std::function<void(std::unique_ptr<ReplicationConnection>, const SlotState&)>;

  /// `clock`, `meter` and `setup` outlive the reconnector. `on_connected` is called on the loop.
  Reconnector(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
              const proto::ConsumerSetup& setup, StartCommand start_command, OnConnected on_connected);
  Reconnector(const Reconnector&) = delete;
  Reconnector& operator=(const Reconnector&) = delete;
  ~Reconnector();

  /// The first connection: blocks, and tries once. Throws Error.
  struct Connected {
    std::unique_ptr<ReplicationConnection> connection;
    SlotState slot;
  };
  [[nodiscard]] Connected connect();

  /// The connection was lost, `why`; it had `server_process` at the server. On the loop, Error is thrown when
  /// the time is up or when trying again is of no use.
  void lost(const std::string& why, int server_process);

  /// Since the phase began.
  [[nodiscard]] Outages outages() const;
  /// A new phase begins; an outage that goes on goes over into it.
  void begin_phase();

 private:
  void schedule();
  void attempt();
  void shake_hands(const postgres::HostAddresses& addresses);
  void advance();
  void failed(const std::string& why);
  void succeeded();
  void drop_attempt();

  boost::asio::io_context& loop_;
  const wire::Clock& clock_;
  BusyMeter& meter_;
  const proto::ConsumerSetup& setup_;
  StartCommand start_command_;
  OnConnected on_connected_;
  postgres::LentSocket socket_;
  boost::asio::steady_timer timer_;  // for the next attempt, or for the end of this one
  postgres::HostLookup lookup_;
  std::unique_ptr<ReplicationHandshake> handshake_;
  std::uint64_t handshake_number_ = 0;  // waits of an earlier one are void
  wire::Backoff backoff_{wire::kReconnect, std::random_device{}()};
  std::uint64_t failures_ = 0;  // in a row: an attempt that failed, a connection that did not last

  // The outage that goes on, or the last one.
  bool offline_ = false;
  std::string why_;
  std::string last_refusal_;
  int former_process_ = 0;
  unsigned attempts_ = 0;
  std::int64_t lost_us_ = 0;
  std::int64_t connected_us_ = 0;
  // This phase's.
  std::uint64_t reconnects_ = 0;
  std::int64_t offline_us_ = 0;
  std::int64_t counted_from_us_ = 0;  // the going outage's part of the phase
  std::vector<std::string> stories_;
};

}  // namespace walstorm::consumer
