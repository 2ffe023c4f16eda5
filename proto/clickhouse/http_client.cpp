#include "proto/clickhouse/http_client.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "proto/clickhouse/http_connection.h"
#include "proto/clickhouse/tls_trust.h"

namespace walstorm::clickhouse {

/// The connections, and the statements that wait for one.
struct HttpClient::State {
  using Connection = std::shared_ptr<HttpConnection>;
  struct Job {
    Statement statement;
    Done done;
    bool sent_again = false;
  };
  struct UnderWay {
    Connection connection;
    std::unique_ptr<Job> job;
  };

  State(boost::asio::io_context& its_loop, Address its_address, const Limits& its_limits)
      : loop(its_loop),
        address(std::move(its_address)),
        limits(its_limits),
        trust(address.tls ? std::make_unique<TlsTrust>() : nullptr) {}

  [[nodiscard]] bool has_room() const {
    return under_way.size() < std::max<std::size_t>(limits.connections_max, 1);
  }
  void start(std::unique_ptr<Job> job);
  void carry(Connection connection, std::unique_ptr<Job> job);
  void on_outcome(const HttpConnection* connection, const HttpConnection::Outcome& outcome);

  boost::asio::io_context& loop;
  const Address address;
  const Limits limits;
  const std::unique_ptr<TlsTrust> trust;
  std::vector<Connection> idle;  // the last one back is the first one out: the likeliest to be open still
  std::vector<UnderWay> under_way;
  std::deque<std::unique_ptr<Job>> waiting;
};

void HttpClient::State::start(std::unique_ptr<Job> job) {
  if (idle.empty() || job->sent_again) {
    carry(std::make_shared<HttpConnection>(loop, address, limits, trust.get()), std::move(job));
    return;
  }
  Connection connection = std::move(idle.back());
  idle.pop_back();
  carry(std::move(connection), std::move(job));
}

void HttpClient::State::carry(Connection connection, std::unique_ptr<Job> job) {
  HttpConnection* const carrier = connection.get();
  const Statement& statement = job->statement;
  under_way.push_back({std::move(connection), std::move(job)});
  carrier->carry(statement,
                 [this, carrier](const HttpConnection::Outcome& outcome) { on_outcome(carrier, outcome); });
}

void HttpClient::State::on_outcome(const HttpConnection* connection, const HttpConnection::Outcome& outcome) {
  const auto found = std::find_if(under_way.begin(), under_way.end(),
                                  [&](const UnderWay& one) { return one.connection.get() == connection; });
  UnderWay ended = std::move(*found);
  under_way.erase(found);
  if (outcome.was_stale && !ended.job->sent_again) {
    ended.job->sent_again = true;
    start(std::move(ended.job));
    return;
  }
  if (ended.connection->reusable()) idle.push_back(std::move(ended.connection));
  if (!waiting.empty()) {
    std::unique_ptr<Job> next = std::move(waiting.front());
    waiting.pop_front();
    start(std::move(next));
  }
  ended.job->done(outcome.answer);  // last: it may throw, or end the client
}

HttpClient::HttpClient(boost::asio::io_context& loop, Address address, const Limits& limits)
    : state_(std::make_unique<State>(loop, std::move(address), limits)) {}

HttpClient::~HttpClient() {
  for (const auto& one : state_->under_way) one.connection->abandon();
  for (const auto& connection : state_->idle) connection->abandon();
}

void HttpClient::send(Statement statement, Done done) {
  auto job = std::make_unique<State::Job>(State::Job{std::move(statement), std::move(done)});
  if (state_->has_room()) {
    state_->start(std::move(job));
  } else {
    state_->waiting.push_back(std::move(job));
  }
}

}  // namespace walstorm::clickhouse
