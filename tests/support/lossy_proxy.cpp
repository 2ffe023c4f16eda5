#include "tests/support/lossy_proxy.h"

#include <array>
#include <cstddef>
#include <future>
#include <list>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace walstorm::tests {
namespace {

using boost::system::error_code;
using Socket = boost::asio::local::stream_protocol::socket;
using Endpoint = boost::asio::local::stream_protocol::endpoint;

constexpr const char* kSocketName = ".s.PGSQL.5432";

struct Link {
  explicit Link(Socket accepted, boost::asio::io_context& loop) : client(std::move(accepted)), server(loop) {}

  Socket client, server;
  std::array<char, 65536> from_client{}, from_server{};
  bool lost = false;
};

void pump(Link& link, Socket& from, Socket& to, std::array<char, 65536>& chunk) {
  from.async_read_some(boost::asio::buffer(chunk), [&](const error_code& error, std::size_t size) {
    error_code ignored;
    if (error) {
      if (!link.lost) to.shutdown(Socket::shutdown_both, ignored);
      return;
    }
    boost::asio::async_write(to, boost::asio::buffer(chunk, size),
                             [&](const error_code& failed, std::size_t) {
                               if (!failed) pump(link, from, to, chunk);
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
        pump(link, link.client, link.server, link.from_client);
        pump(link, link.server, link.client, link.from_server);
      }
      accept();
    });
  }

  boost::asio::io_context loop_{1};
  Endpoint server_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::list<Link> links_;  // to the end: a lost one goes on towards the server
  std::thread thread_;
};

LossyProxy::LossyProxy(const std::filesystem::path& folder, const std::filesystem::path& server_folder)
    : relay_(std::make_unique<Relay>(folder, server_folder)) {}

LossyProxy::~LossyProxy() = default;

void LossyProxy::lose() {
  relay_->lose();
}

}  // namespace walstorm::tests
