#include "consumer/stream/replication_stream.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/post.hpp>

#include "consumer/decode/byte_reader.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

/// How long reading may go on before timers and control frames get their turn.
constexpr std::int64_t kReadBudgetUs = 10'000;
constexpr std::chrono::milliseconds kStatusInterval{1000};
constexpr std::size_t kXLogDataHeader = 1 + 8 + 8 + 8;
/// libpq asks the kernel for at least this much at a time (pqReadData: it makes room below 8 KB).
constexpr std::size_t kShortRead = 8192;
/// The kernel may let a sleep of this thread last longer by so much; its default of 50 us is more than the
/// shortest sleep here.
constexpr unsigned long kTimerSlackNs = 1'000;

bool is_unix_socket(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  return ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
         address.ss_family == AF_UNIX;
}

}  // namespace

ReplicationStream::ReplicationStream(boost::asio::io_context& loop, const wire::Clock& clock,
                                     BusyMeter& meter, const proto::ConsumerSetup& setup)
    : loop_(loop),
      clock_(clock),
      meter_(meter),
      setup_(setup),
      reconnector_(
          loop, clock, meter, setup_,
          [this](const ReplicationConnection& connection) { return start_command(connection); },
          [this](std::unique_ptr<ReplicationConnection> connection, const SlotState& slot) {
            go_online(std::move(connection), slot);
          }),
      socket_(loop),
      status_timer_(loop) {
  Reconnector::Connected connected = reconnector_.connect();
  connection_ = std::move(connected.connection);
  slot_confirmed_ = received_ = connected.slot.confirmed;
}

ReplicationStream::~ReplicationStream() {
  if (socket_.is_open()) socket_.release();
}

std::string ReplicationStream::start_command(const ReplicationConnection& connection) const {
  // publication_names is a list of identifiers inside a literal: quoted as the one, then as the other.
  const std::string publication = connection.quoted_identifier(setup_.publication_name());
  const char* streaming = "";  // a server that has not heard of an option refuses it, so: only when wanted
  if (setup_.streaming() == proto::STREAMING_ON) streaming = ", streaming 'on'";
  if (setup_.streaming() == proto::STREAMING_PARALLEL) streaming = ", streaming 'parallel'";
  return fmt::format(
      "START_REPLICATION SLOT {} LOGICAL 0/0 (proto_version '{}', publication_names {}, messages 'true'{}{})",
      connection.quoted_identifier(setup_.slot_name()), setup_.proto_version(),
      ReplicationConnection::quoted_literal(publication), setup_.binary() ? ", binary 'true'" : "",
      streaming);
}

void ReplicationStream::start(Handlers handlers) {
  handlers_ = std::move(handlers);
  ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
  start_reading();
  arm_status_timer();
}

/// The connection streams: reads from it, unless reading is paused.
void ReplicationStream::start_reading() {
  socket_.assign(connection_->socket());
  gather_.connected(is_unix_socket(connection_->socket()));
  if (!paused_) read_soon();
}

void ReplicationStream::resume() {
  paused_ = false;
  if (!reading_ && connection_) read_soon();
}

void ReplicationStream::read_soon() {
  reading_ = true;
  boost::asio::post(loop_, [this, number = connection_number_] {
    if (number == connection_number_) read_available();
  });
}

void ReplicationStream::read_available() {
  std::size_t found = 0;
  {
    const BusyMeter::Scope working(meter_);
    try {
      found = read_while_there_is_more();
    } catch (const ConnectionLost& lost) {
      return go_offline(lost.what());
    }
  }
  if (paused_) {
    reading_ = false;
    return gather_.reset();
  }
  read_next(found);
}

/// Returns the bytes of the messages that it has handed over.
std::size_t ReplicationStream::read_while_there_is_more() {
  const std::int64_t budget_end_us = clock_.steady_us() + kReadBudgetUs;
  std::size_t found = deliver_buffered();  // what a pause left behind
  while (!paused_) {
    connection_->consume();
    arrival_ = {clock_.steady_us(), clock_.unix_us()};
    const std::size_t more = deliver_buffered();
    found += more;
    // A short read has emptied the socket: asking once more would only be told so.
    if (more < kShortRead || arrival_.steady_us >= budget_end_us) break;
  }
  return found;
}

/// Reads again when enough has gathered, or when the socket has something. The rest of the loop has its turn
/// before.
///
/// Gathering is a sleep of this thread, bounded by GatherWindow. A timer would not do: the socket stands in
/// the loop's epoll set, so each message would end the wait for the timer too.
void ReplicationStream::read_next(std::size_t bytes_found) {
  const std::int64_t gather_us = gather_.after_read(bytes_found);
  if (gather_us == 0) return wait_readable();
  boost::asio::post(loop_, [this, gather_us, number = connection_number_] {
    if (number != connection_number_) return;
    const timespec window{0, static_cast<long>(gather_us * 1000)};
    ::nanosleep(&window, nullptr);  // shorter for a signal, which does no harm
    read_available();
  });
}

void ReplicationStream::wait_readable() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this, number = connection_number_](const boost::system::error_code& error) {
                       if (!error && number == connection_number_) read_available();
                     });
}

/// Hands over what libpq holds, until it holds no whole message or reading is paused. Returns the bytes of
/// those messages.
std::size_t ReplicationStream::deliver_buffered() {
  std::size_t bytes = 0;
  while (!paused_) {
    const auto message = connection_->next_message();
    if (!message) break;
    deliver(*message);
    bytes += message->size();
  }
  return bytes;
}

void ReplicationStream::deliver(std::string_view copy_data) {
  if (copy_data.starts_with('k')) return deliver_keepalive(copy_data);
  if (!copy_data.starts_with('w') || copy_data.size() < kXLogDataHeader) {
    throw wire::Error(
        wire::ErrorKind::protocol,
        fmt::format("a replication message of {} bytes, of a kind or size unknown", copy_data.size()));
  }
  ByteReader in(copy_data.substr(1));
  const wire::Lsn lsn{in.number<std::uint64_t>()};
  received_ =
      std::max(received_, lsn);  // a transaction's messages lie before the commit of the one before it
  handlers_.on_wal({lsn, arrival_, copy_data.substr(kXLogDataHeader)});
}

void ReplicationStream::deliver_keepalive(std::string_view copy_data) {
  ByteReader in(copy_data.substr(1));
  const wire::Lsn wal_end{in.number<std::uint64_t>()};
  (void)in.number<std::int64_t>();  // the server's clock
  received_ = std::max(received_, wal_end);
  handlers_.on_keepalive(wal_end);
  if (in.number<std::uint8_t>() != 0) send_status();
}

void ReplicationStream::arm_status_timer() {
  std::chrono::milliseconds interval = kStatusInterval;
  if (setup_.wal_sender_timeout_ms() > 0) {
    const std::chrono::milliseconds third(setup_.wal_sender_timeout_ms() / 3);
    interval = std::clamp(third, std::chrono::milliseconds(1), interval);
  }
  status_timer_.expires_after(interval);
  status_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const BusyMeter::Scope working(meter_);
    try {
      send_status();
    } catch (const ConnectionLost& lost) {
      go_offline(lost.what());
    }
    arm_status_timer();
  });
}

void ReplicationStream::send_status() {
  if (!connection_ || writing_) return;  // none, or one that has yet to take the last one
  const wire::Lsn confirmable = handlers_.confirmable();
  std::string message(1, 'r');
  const auto append = [&](std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) message += static_cast<char>(number >> shift);
  };
  append(received_.value);    // written
  append(confirmable.value);  // flushed; 0 is "nothing to say" and leaves the slot where it is
  append(confirmable.value);  // applied
  append(static_cast<std::uint64_t>(clock_.unix_us() - wire::kPostgresEpochUnixUs));
  message += '\0';  // no answer wanted
  if (!connection_->put(message)) wait_writable();
}

void ReplicationStream::wait_writable() {
  writing_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                     [this, number = connection_number_](const boost::system::error_code& error) {
                       if (error || number != connection_number_) return;
                       writing_ = false;
                       try {
                         if (!connection_->flush()) wait_writable();
                       } catch (const ConnectionLost& lost) {
                         go_offline(lost.what());
                       }
                     });
}

void ReplicationStream::go_offline(const std::string& why) {
  spdlog::warn("lost the connection to PostgreSQL: {}", why);
  const int server_process = connection_->server_process();
  socket_.release();
  connection_.reset();
  gather_.reset();
  ++connection_number_;
  reading_ = writing_ = false;
  handlers_.on_lost();
  reconnector_.lost(why, server_process);
}

void ReplicationStream::go_online(std::unique_ptr<ReplicationConnection> connection, const SlotState& slot) {
  spdlog::info("connected to PostgreSQL again; the slot is confirmed up to {}",
               wire::to_string(slot.confirmed));
  connection_ = std::move(connection);
  handlers_.on_reconnected(slot.confirmed);
  start_reading();
}

}  // namespace walstorm::consumer
