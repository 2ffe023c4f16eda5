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

struct Link {
  explicit Link(Socket accepted, boost::asio::io_context& loop)
      : client(std::move(accepted)), server(loop), pace(loop) {}

  Socket client, server;
  std::array<char, 65536> from_client{}, from_server{};
  bool lost = false;
  boost::asio::steady_timer pace;
  std::chrono::steady_clock::time_point free_at;  // when what was sent has passed the narrow line
};

/// `bytes_per_sec` outlives the link; 0: as fast as it goes.
void pump(Link& link, Socket& from, Socket& to, std::array<char, 65536>& chunk, const double& bytes_per_sec) {
  from.async_read_some(boost::asio::buffer(chunk), [&](const error_code& error, std::size_t size) {
    error_code ignored;
    if (error) {
      if (!link.lost) to.shutdown(Socket::shutdown_both, ignored);
      return;
    }
    boost::asio::async_write(
        to, boost::asio::buffer(chunk, size), [&, size](const error_code& failed, std::size_t) {
          if (failed) return;
          if (bytes_per_sec <= 0) return pump(link, from, to, chunk, bytes_per_sec);
          const std::chrono::duration<double> takes(static_cast<double>(size) / bytes_per_sec);
          link.free_at = std::max(link.free_at, std::chrono::steady_clock::now()) +
                         std::chrono::duration_cast<std::chrono::steady_clock::duration>(takes);
          link.pace.expires_at(link.free_at);
          link.pace.async_wait([&](const error_code& cancelled) {
            if (!cancelled) pump(link, from, to, chunk, bytes_per_sec);
          });
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
    boost::asio::post(loop_, [this, bytes_per_sec] { from_server_per_sec_ = bytes_per_sec; });
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
        pump(link, link.client, link.server, link.from_client, kUnlimited);
        pump(link, link.server, link.client, link.from_server, from_server_per_sec_);
      }
      accept();
    });
  }

  static constexpr double kUnlimited = 0;

  boost::asio::io_context loop_{1};
  double from_server_per_sec_ = 0;
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

void LossyProxy::lose() {
  relay_->lose();
}

}  // namespace walstorm::tests
