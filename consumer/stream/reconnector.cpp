#include "consumer/stream/reconnector.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

namespace walstorm::consumer {
namespace {

using wire::Error;
using wire::ErrorKind;

/// How long one attempt may take, unless the connection string says how long connecting may.
constexpr int kAttemptSec = 10;
/// A server that has not noticed the loss is given this long to find out by itself.
constexpr std::int64_t kFormerGraceUs = 2'000'000;
/// A connection that lived for less does not start the back-off anew.
constexpr std::int64_t kStableUs = 2'000'000;
/// A flapping server must not fill the report.
constexpr std::size_t kStoriesMax = 5;

double seconds(std::int64_t us) {
  return static_cast<double>(us) / 1e6;
}

}  // namespace

Reconnector::Reconnector(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                         const proto::ConsumerSetup& setup, StartCommand start_command,
                         OnConnected on_connected)
    : loop_(loop),
      clock_(clock),
      meter_(meter),
      setup_(setup),
      start_command_(std::move(start_command)),
      on_connected_(std::move(on_connected)),
      socket_(loop),
      timer_(loop),
      lookup_(loop) {}

Reconnector::~Reconnector() {
  drop_attempt();
}

Reconnector::Connected Reconnector::connect() {
  ReplicationHandshake handshake(setup_, start_command_, std::nullopt, {});
  const int timeout_sec = handshake.connection().connect_timeout_sec(kAttemptSec);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_sec);
  try {
    const bool connected = postgres::await([&] { return handshake.connection().socket(); },
                                           [&] { return handshake.advance(); }, deadline);
    if (!connected)
      throw ConnectionLost(
          fmt::format("connect to PostgreSQL for replication: no answer within {} s", timeout_sec));
  } catch (const ConnectionLost& lost) {
    throw Error(ErrorKind::unavailable, lost.what());
  }
  connected_us_ = clock_.steady_us();
  return {handshake.take_connection(), handshake.slot()};
}

void Reconnector::lost(const std::string& why, int server_process) {
  const std::int64_t now_us = clock_.steady_us();
  if (now_us - connected_us_ >= kStableUs) failures_ = 0;
  offline_ = true;
  why_ = why;
  last_refusal_.clear();
  former_process_ = server_process;
  attempts_ = 0;
  lost_us_ = counted_from_us_ = now_us;
  schedule();
}

void Reconnector::schedule() {
  const std::int64_t give_up_us = lost_us_ + std::int64_t{setup_.give_up_ms()} * 1000;
  const std::int64_t left_us = give_up_us - clock_.steady_us();
  if (left_us <= 0) {
    throw Error(ErrorKind::unavailable,
                fmt::format("the connection to PostgreSQL was lost ({}) and could not be made again within "
                            "{:g} s (database.giveUpSec), in {} attempts; the last one: {}",
                            why_, setup_.give_up_ms() / 1000.0, attempts_,
                            last_refusal_.empty() ? "none was made" : last_refusal_));
  }
  // The last attempt is made when the time is up.
  timer_.expires_after(std::chrono::microseconds(std::min(backoff_.wait_us(++failures_), left_us)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) attempt();
  });
}

void Reconnector::attempt() {
  const BusyMeter::Scope working(meter_);
  ++attempts_;
  const std::uint64_t number = ++handshake_number_;
  timer_.expires_after(std::chrono::seconds(kAttemptSec));
  timer_.async_wait([this, number](const boost::system::error_code& error) {
    if (error || number != handshake_number_ || handshake_) return;
    failed("connect to PostgreSQL for replication: the look-up of its host's name was not answered in time");
  });
  lookup_.start(setup_.postgres(),
                [this](const postgres::HostAddresses& addresses, const std::string& error) {
                  if (!error.empty()) return failed("connect to PostgreSQL for replication: " + error);
                  shake_hands(addresses);
                });
}

void Reconnector::shake_hands(const postgres::HostAddresses& addresses) {
  const std::uint64_t number = handshake_number_;
  const bool end_former = clock_.steady_us() - lost_us_ >= kFormerGraceUs;
  handshake_ = std::make_unique<ReplicationHandshake>(
      setup_, start_command_, ReplicationHandshake::Former{former_process_, end_former}, addresses);
  timer_.expires_after(std::chrono::seconds(handshake_->connection().connect_timeout_sec(kAttemptSec)));
  timer_.async_wait([this, number](const boost::system::error_code& error) {
    if (error || number != handshake_number_ || !handshake_) return;
    failed("connect to PostgreSQL for replication: no answer in time");
  });
  advance();
}

void Reconnector::advance() {
  try {
    if (const auto wants = handshake_->advance()) {
      return socket_.wait(handshake_->connection().socket(), *wants, [this] {
        const BusyMeter::Scope working(meter_);
        advance();
      });
    }
  } catch (const ConnectionLost& lost) {
    return failed(lost.what());
  }
  succeeded();
}

void Reconnector::failed(const std::string& why) {
  last_refusal_ = why;
  // Of an attempt that the network cut off after it had begun to stream, the server may know nothing for
  // long.
  if (handshake_ && handshake_->found_slot_free())
    former_process_ = handshake_->connection().server_process();
  drop_attempt();
  schedule();
}

void Reconnector::succeeded() {
  const std::int64_t now_us = clock_.steady_us();
  if (stories_.size() < kStoriesMax) {
    stories_.push_back(fmt::format("lost the connection to PostgreSQL and reconnected after {:.1f} s ({})",
                                   seconds(now_us - lost_us_), why_));
  }
  offline_ = false;
  connected_us_ = now_us;
  ++reconnects_;
  offline_us_ += now_us - counted_from_us_;
  auto connection = handshake_->take_connection();
  const SlotState slot = handshake_->slot();
  timer_.cancel();
  drop_attempt();
  on_connected_(std::move(connection), slot);
}

void Reconnector::drop_attempt() {
  lookup_.cancel();
  socket_.release();
  handshake_.reset();
}

Outages Reconnector::outages() const {
  const std::int64_t now_us = clock_.steady_us();
  Outages result{reconnects_, offline_us_, stories_};
  if (offline_) {
    result.offline_us += now_us - counted_from_us_;
    result.stories.push_back(fmt::format(
        "lost the connection to PostgreSQL and has been without one for {:.1f} s ({}; the last of {} "
        "attempts: {})",
        seconds(now_us - lost_us_), why_, attempts_, last_refusal_.empty() ? "under way" : last_refusal_));
  }
  return result;
}

void Reconnector::begin_phase() {
  reconnects_ = 0;
  offline_us_ = 0;
  counted_from_us_ = clock_.steady_us();
  stories_.clear();
}

}  // namespace walstorm::consumer
