#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "consumer/stream/replication_connection.h"
#include "consumer/stream/slot_state.h"
#include "proto/control.pb.h"

namespace walstorm::consumer {

/// From nothing to a server that streams from the slot: connect, look at the slot, set the session, start.
/// The same steps for the first connection, which waits for each, and for a later one, which must not.
class ReplicationHandshake final {
 public:
  using Wants = ReplicationConnection::Wants;
  /// START_REPLICATION as this connection's server should be asked.
  using StartCommand = std::function<std::string(const ReplicationConnection&)>;

  /// What a reconnect knows of the connection before.
  struct Former {
    int process = 0;  ///< the server's, for that connection
    /// A server that has not noticed the loss still holds the slot for the former connection: whether to end
    /// that process now.
    bool end_it = false;
  };

  /// `setup` outlives the handshake. `former`: nullopt for the first connection. `addresses`: of the server's
  /// names; where they are empty libpq looks them up, and blocks for it.
  ReplicationHandshake(const proto::ConsumerSetup& setup, StartCommand start_command,
                       std::optional<Former> former, const postgres::HostAddresses& addresses);

  /// Goes on as far as the socket allows. What to wait for; nullopt: the server streams. Throws
  /// ConnectionLost, or Error for what waiting will not mend.
  [[nodiscard]] std::optional<Wants> advance();

  [[nodiscard]] const ReplicationConnection& connection() const { return *connection_; }
  /// Once the server streams.
  [[nodiscard]] std::unique_ptr<ReplicationConnection> take_connection() { return std::move(connection_); }
  [[nodiscard]] const SlotState& slot() const { return slot_; }
  /// Nobody held the slot, so that this connection may hold it by now.
  [[nodiscard]] bool found_slot_free() const { return step_ > Step::ending_former; }

 private:
  enum class Step { connecting, looking, ending_former, setting_dates, setting_floats, starting };

  [[nodiscard]] bool next_step();
  void look();
  void read_slot();
  [[nodiscard]] bool freed_from_former();
  void send(Step step, const std::string& sql, const std::string& doing);

  const proto::ConsumerSetup& setup_;
  StartCommand start_command_;
  std::optional<Former> former_;
  std::unique_ptr<ReplicationConnection> connection_;
  SlotState slot_;
  Step step_ = Step::connecting;
};

}  // namespace walstorm::consumer
