#include "tests/support/scripted_clickhouse.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <future>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace walstorm::tests {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Parser = http::request_parser<http::string_body>;

std::string text_of(const Reply& reply) {
  if (reply.how == Reply::How::gibberish) return "This is no HTTP server.\r\n\r\n";
  const std::size_t length = reply.body.size() + (reply.how == Reply::How::cut_within ? 100 : 0);
  std::string text = fmt::format("HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n", reply.status, length);
  if (reply.exception_code != 0)
    text += fmt::format("X-ClickHouse-Exception-Code: {}\r\n", reply.exception_code);
  if (reply.clickhouse) text += "X-ClickHouse-Server-Display-Name: scripted\r\n";
  if (!reply.location.empty()) text += fmt::format("Location: {}\r\n", reply.location);
  return text + "\r\n" + reply.body;
}

SeenRequest seen(const Parser& parser, std::size_t connection) {
  const auto& message = parser.get();
  SeenRequest request{.target = std::string(message.target()), .connection = connection};
  if (const auto target = boost::urls::parse_origin_form(request.target); target.has_value()) {
    for (const auto& parameter : target.value().params()) request.parameters[parameter.key] = parameter.value;
  }
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    request.headers[name] = std::string(field.value());
  }
  request.body = message.body();
  return request;
}

}  // namespace

Reply refusal(int code, const std::string& text, unsigned status) {
  return {.status = status,
          .exception_code = code,
          .body = fmt::format("Code: {}. DB::Exception: {} (version 24.8.1.1)\n", code, text)};
}

class ScriptedClickhouse::Server {
 public:
  explicit Server(const std::optional<Certificate>& certificate)
      : acceptor_(loop_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
        port_(acceptor_.local_endpoint().port()) {
    if (certificate) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->use_certificate_chain_file(certificate->file.string());
      tls_->use_private_key_file(certificate->key.string(), asio::ssl::context::pem);
    }
    accept();  // before the loop runs, which ends where it finds nothing to do
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Server() {
    loop_.stop();
    thread_.join();
  }

  /// Carries `action` out on the server's thread, and waits for it.
  template <typename Action>
  void on_thread(Action action) {
    std::promise<void> done;
    asio::post(loop_, [&] {
      action();
      done.set_value();
    });
    done.get_future().wait();
  }

  void release() {
    for (Link* link : std::exchange(held_, {})) reply(*link, {});
  }
  void close_connections() {
    for (Link& link : links_) link.close();
  }
  void stop_listening() { acceptor_.close(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool secure() const { return tls_.has_value(); }

  std::deque<Reply> script;
  std::vector<SeenRequest> requests;

 private:
  struct Link {
    Link(tcp::socket accepted, std::size_t its_number) : socket(std::move(accepted)), number(its_number) {}

    void close() {
      error_code ignored;
      socket.close(ignored);
    }

    tcp::socket socket;
    const std::size_t number;
    std::optional<asio::ssl::stream<tcp::socket&>> tls;
    boost::beast::flat_buffer received;
    std::optional<Parser> parser;
    std::string answer;
  };

  template <typename Action>
  static void with_stream(Link& link, Action action) {
    if (link.tls) {
      action(*link.tls);
    } else {
      action(link.socket);
    }
  }

  void accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      if (error) return;
      // An answer that waits for an acknowledgement is lost when the connection is closed.
      socket.set_option(tcp::no_delay(true));
      Link& link = links_.emplace_back(std::move(socket), links_.size());
      if (tls_) {
        link.tls.emplace(link.socket, *tls_);
        link.tls->async_handshake(asio::ssl::stream_base::server, [this, &link](const error_code& failed) {
          if (!failed) read(link);
        });
      } else {
        read(link);
      }
      accept();
    });
  }

  void read(Link& link) {
    link.parser.emplace();
    link.parser->body_limit(std::uint64_t{1} << 32U);
    with_stream(link, [&](auto& stream) {
      http::async_read_header(stream, link.received, *link.parser,
                              [this, &link](const error_code& error, std::size_t) {
                                if (error) {
                                  link.close();
                                } else {
                                  on_header(link);
                                }
                              });
    });
  }

  void on_header(Link& link) {
    Reply next;
    if (!script.empty()) {
      next = std::move(script.front());
      script.pop_front();
    }
    if (next.how == Reply::How::answer_early) {
      requests.push_back(seen(*link.parser, link.number));
      reply(link, next);
      return;
    }
    with_stream(link, [&](auto& stream) {
      http::async_read(stream, link.received, *link.parser,
                       [this, &link, next](const error_code& error, std::size_t) {
                         if (error) return;
                         requests.push_back(seen(*link.parser, link.number));
                         reply(link, next);
                       });
    });
  }

  void reply(Link& link, const Reply& reply) {
    if (reply.how == Reply::How::cut) {
      link.close();
      return;
    }
    if (reply.how == Reply::How::hold) {
      held_.push_back(&link);
      return;
    }
    link.answer = text_of(reply);
    with_stream(link, [&](auto& stream) {
      asio::async_write(
          stream, asio::buffer(link.answer),
          [this, &link, goes_on = reply.how == Reply::How::answer](const error_code& error, std::size_t) {
            if (error || !goes_on) {
              link.close();
            } else {
              read(link);
            }
          });
    });
  }

  asio::io_context loop_{1};
  std::optional<asio::ssl::context> tls_;
  tcp::acceptor acceptor_;
  const std::uint16_t port_;
  std::list<Link> links_;  // to the end
  std::vector<Link*> held_;
  std::thread thread_;
};

ScriptedClickhouse::ScriptedClickhouse() : server_(std::make_unique<Server>(std::nullopt)) {}
ScriptedClickhouse::ScriptedClickhouse(const Certificate& certificate)
    : server_(std::make_unique<Server>(certificate)) {}
ScriptedClickhouse::~ScriptedClickhouse() = default;

std::uint16_t ScriptedClickhouse::port() const {
  return server_->port();
}

std::string ScriptedClickhouse::url(const std::string& host) const {
  return fmt::format("{}://{}:{}", server_->secure() ? "https" : "http", host, port());
}

void ScriptedClickhouse::will(std::vector<Reply> replies) {
  server_->on_thread([&] { server_->script.assign(replies.begin(), replies.end()); });
}

void ScriptedClickhouse::release() {
  server_->on_thread([this] { server_->release(); });
}

void ScriptedClickhouse::close_connections() {
  server_->on_thread([this] { server_->close_connections(); });
}

void ScriptedClickhouse::stop_listening() {
  server_->on_thread([this] { server_->stop_listening(); });
}

std::vector<SeenRequest> ScriptedClickhouse::requests() const {
  std::vector<SeenRequest> requests;
  server_->on_thread([&] { requests = server_->requests; });
  return requests;
}

}  // namespace walstorm::tests
