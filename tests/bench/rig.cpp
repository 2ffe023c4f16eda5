#include "tests/bench/rig.h"

#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <pqxx/nontransaction>
#include <pqxx/result>

#include "orchestrator/config/environment.h"
#include "orchestrator/config/load.h"
#include "orchestrator/postgres/replication_setup.h"
#include "orchestrator/run/setup_frames.h"
#include "orchestrator/target/mock_target.h"
#include "proto/wire/error.h"

namespace walstorm::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

constexpr seconds kTimeout{120};
constexpr milliseconds kStopGrace{10'000};
constexpr const char* kLoopback = "127.0.0.1";
constexpr const char* kSuperuser = "walstorm";  // of every private server
constexpr std::uint16_t kPostgresPort = 5432;

std::map<std::string, std::string> settings_for(Transport transport, std::uint16_t port,
                                                std::map<std::string, std::string> settings) {
  settings.merge(std::map<std::string, std::string>{
      {"max_wal_size", "32GB"}, {"checkpoint_timeout", "1h"}, {"autovacuum", "off"}});
  if (transport == Transport::tcp) {
    settings["listen_addresses"] = kLoopback;
    settings["port"] = std::to_string(port);
  }
  return settings;
}

/// One that nobody listens on now.
std::uint16_t free_port() {
  boost::asio::io_context io;
  const boost::asio::ip::tcp::acceptor probe(io, {boost::asio::ip::make_address(kLoopback), 0});
  return probe.local_endpoint().port();
}

/// CPU time of all children that have ended and been waited for.
double children_cpu_sec() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto sec = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return sec(usage.ru_utime) + sec(usage.ru_stime);
}

double since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

}  // namespace

Rig::Rig(std::map<std::string, std::string> settings, Transport transport)
    : transport_(transport),
      port_(transport == Transport::tcp ? free_port() : kPostgresPort),
      server_(loop_, settings_for(transport, port_, std::move(settings)), folder_.path() / "postgres.log"),
      connection_(conninfo()) {}

std::string Rig::host() const {
  return transport_ == Transport::tcp ? kLoopback : server_.folder().string();
}

std::string Rig::conninfo_of(const std::string& application) const {
  if (transport_ == Transport::unix_socket) return server_.address().conninfo("postgres", application);
  return fmt::format("host={} port={} user={} dbname=postgres application_name={}", kLoopback, port_,
                     kSuperuser, application);
}

void Rig::execute(const std::string& sql) {
  pqxx::nontransaction(connection_).exec(sql);
}

std::string Rig::ask(const std::string& sql) {
  return pqxx::nontransaction(connection_).exec(sql)[0][0].as<std::string>();
}

void Rig::make_task_run(const std::string& publication) {
  postgres::prepare_table(connection_, config::ReplicaIdentity::full, publication, "");
}

void Rig::drop_slot(const std::string& slot) {
  (void)postgres::drop_slot(connection_, slot, kStopGrace);
}

config::Config Rig::config(const std::map<std::string, std::string>& keys) {
  config::LoadRequest request;
  request.overrides.push_back({"bench ", "consumer.useMockClickhouse", "true"});
  for (const auto& [key, value] : keys) request.overrides.push_back({"bench ", key, value});
  const config::Environment none = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
  };
  return config::load(request, none, "/");
}

std::unique_ptr<ObservedWorker> Rig::start_producer(const config::Config& config) {
  auto worker =
      std::make_unique<ObservedWorker>(loop_, folder(), ObservedWorker::Role::producer, config, conninfo());
  worker->set_up(run::producer_setup(config, {kRunId, worker_conninfo("producer-0"), true, 0}, 0));
  return worker;
}

std::unique_ptr<ObservedWorker> Rig::start_consumer(const config::Config& config) {
  auto worker =
      std::make_unique<ObservedWorker>(loop_, folder(), ObservedWorker::Role::consumer, config, conninfo());
  worker->set_up(run::consumer_setup(config, {kRunId, worker_conninfo("consumer-0"), true, 60'000},
                                     target::MockTarget(config), 0));
  return worker;
}

Take Rig::produce(const config::Config& config) {
  const double cpu_before = children_cpu_sec();
  const auto start = Steady::now();
  const auto producer = start_producer(config);
  producer->start_phase(0, {});
  producer->await_load();
  const proto::ChangeTally produced = producer->end_phase().producer().produced();
  Take take{since(start), 0, produced.inserts() + produced.updates() + produced.deletes()};
  producer->stop();
  take.cpu_sec = children_cpu_sec() - cpu_before;
  return take;
}

Take Rig::drain(const config::Config& config) {
  const double cpu_before = children_cpu_sec();
  const auto start = Steady::now();
  const auto consumer = start_consumer(config);
  consumer->start_phase(0, {});
  Take take{0, 0, consumer->end_phase().consumer().acknowledged().inserts()};
  take.wall_sec = since(start);
  consumer->stop();
  take.cpu_sec = children_cpu_sec() - cpu_before;
  return take;
}

Take Rig::run(const std::vector<Command>& commands, std::uint64_t records) {
  const auto log_file = folder() / "commands.log";
  const double cpu_before = children_cpu_sec();
  const auto start = Steady::now();
  std::vector<std::unique_ptr<process::ChildProcess>> children;
  for (const Command& command : commands) {
    process::ChildOptions options;
    options.program = postgres::find_postgres_binaries() / command.program;  // an absolute one stays so
    options.arguments = command.arguments;
    options.log_file = log_file;
    children.push_back(std::make_unique<process::ChildProcess>(loop_, options));
  }
  const auto waited = loop_.wait(kTimeout, 0, [&] {
    for (const auto& child : children) {
      if (!child->ended()) return false;
    }
    return true;
  });
  Take take{since(start), 0, records};
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (waited == process::Waited::done && children[i]->ended()->ok()) continue;
    throw wire::Error(wire::ErrorKind::unavailable,
                      fmt::format("{} did not end well: {}", commands[i].program.string(),
                                  process::last_lines(log_file, 20)));
  }
  take.cpu_sec = children_cpu_sec() - cpu_before;
  return take;
}

}  // namespace walstorm::bench
