#include "tests/support/lossy_proxy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <list>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace walstorm::tests {
namespace {

using boost::system::error_code;
using Socket = boost::asio::local::stream_protocol::socket;
using Endpoint = boost::asio::local::stream_protocol::endpoint;

constexpr const char* kSocketName = ".s.PGSQL.5432";

/// What goes one way over a link.
struct Way {
  explicit Way(boost::asio::io_context& loop) : pace(loop) {}

  std::array<char, 65536> chunk{};
  boost::asio::steady_timer pace;
  std::chrono::steady_clock::time_point free_at;  // when what was sent has passed the narrow line
};

struct Link {
  explicit Link(Socket accepted, boost::asio::io_context& loop)
      : client(std::move(accepted)), server(loop), from_client(loop), from_server(loop) {}

  Socket client, server;
  Way from_client, from_server;
  bool lost = false;
};

/// What a line is like; outlives the links.
struct Line {
  double bytes_per_sec = 0;  ///< 0: as fast as it goes
  std::chrono::milliseconds delay{0};
};

void pump(Link& link, Socket& from, Socket& to, Way& way, const Line& line);

/// Hands on what was read, and reads on when the line is free again.
void hand_on(Link& link, Socket& from, Socket& to, Way& way, const Line& line, std::size_t size) {
  boost::asio::async_write(
      to, boost::asio::buffer(way.chunk, size), [&, size](const error_code& failed, std::size_t) {
        if (failed) return;
        if (line.bytes_per_sec <= 0) return pump(link, from, to, way, line);
        const std::chrono::duration<double> takes(static_cast<double>(size) / line.bytes_per_sec);
        way.free_at = std::max(way.free_at, std::chrono::steady_clock::now()) +
                      std::chrono::duration_cast<std::chrono::steady_clock::duration>(takes);
        way.pace.expires_at(way.free_at);
        way.pace.async_wait([&](const error_code& cancelled) {
          if (!cancelled) pump(link, from, to, way, line);
        });
      });
}

void pump(Link& link, Socket& from, Socket& to, Way& way, const Line& line) {
  from.async_read_some(boost::asio::buffer(way.chunk), [&](const error_code& error, std::size_t size) {
    error_code ignored;
    if (error) {
      if (!link.lost) to.shutdown(Socket::shutdown_both, ignored);
      return;
    }
    if (line.delay.count() == 0) return hand_on(link, from, to, way, line, size);
    way.pace.expires_after(line.delay);
    way.pace.async_wait([&, size](const error_code& cancelled) {
      if (!cancelled) hand_on(link, from, to, way, line, size);
    });
  });
}

}  // namespace

class LossyProxy::Relay {
 public:
  Relay(const std::filesystem::path& folder, const std::filesystem::path& server_folder)
      : server_((server_folder / kSocketName).string()),
        acceptor_(loop_, Endpoint((folder / kSocketName).string())) {
    accept();  // before the loop runs, which ends where it finds nothing to do
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Relay() {
    loop_.stop();
    thread_.join();
  }

  void limit(double bytes_per_sec) {
    boost::asio::post(loop_, [this, bytes_per_sec] { from_server_.bytes_per_sec = bytes_per_sec; });
  }

  void delay(std::chrono::milliseconds each_way) {
    boost::asio::post(loop_, [this, each_way] { from_server_.delay = from_client_.delay = each_way; });
  }

  void lose() {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
      for (Link& link : links_) {
        link.lost = true;
        error_code ignored;
        link.client.close(ignored);
      }
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& error, Socket client) {
      if (error) return;
      Link& link = links_.emplace_back(std::move(client), loop_);
      error_code refused;
      link.server.connect(server_, refused);
      if (refused) {
        links_.pop_back();
      } else {
        pump(link, link.client, link.server, link.from_client, from_client_);
        pump(link, link.server, link.client, link.from_server, from_server_);
      }
      accept();
    });
  }

  boost::asio::io_context loop_{1};
  Line from_client_, from_server_;
  Endpoint server_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::list<Link> links_;  // to the end: a lost one goes on towards the server
  std::thread thread_;
};

LossyProxy::LossyProxy(const std::filesystem::path& folder, const std::filesystem::path& server_folder)
    : relay_(std::make_unique<Relay>(folder, server_folder)) {}

LossyProxy::~LossyProxy() = default;

void LossyProxy::limit(double bytes_per_sec) {
  relay_->limit(bytes_per_sec);
}

void LossyProxy::delay(std::chrono::milliseconds each_way) {
  relay_->delay(each_way);
}

void LossyProxy::lose() {
  relay_->lose();
}

}  // namespace walstorm::tests
