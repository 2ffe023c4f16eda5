#include "tests/support/consumer_fixture.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <future>
#include <iterator>

#include <pqxx/nontransaction>

#include "orchestrator/fleet/local_launcher.h"
#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/replication_setup.h"
#include "proto/wire/worker_session.h"
#include "proto/workload/task_run_table.h"
#include "tests/support/servers.h"

namespace walstorm::tests {
namespace {

using process::Waited;
using std::chrono::seconds;

constexpr const char* kSlot = "consumer_test";
constexpr const char* kPublication = "consumer_test";
constexpr const char* kRunId = "run";

std::string value_sql(const wire::TaskRunColumn& column) {
  if (column.name == "payload") return "repeat(md5(n::text), 22)";
  switch (column.type) {
    case wire::ColumnType::text:
      return "n::text";
    case wire::ColumnType::text_array:
      return "ARRAY['a','b']";
    case wire::ColumnType::boolean:
      return "false";
    case wire::ColumnType::timestamptz:
      return "now()";
    case wire::ColumnType::integer:
    case wire::ColumnType::bigint:
    case wire::ColumnType::double_precision:
      return "n";
  }
  return "n";
}

/// Debian's own server, but for what that may be too old for.
std::filesystem::path binaries_for(const Protocol& protocol, const std::filesystem::path& scratch) {
  if (protocol.version < 4) return postgres::find_postgres_binaries();
  return other_postgres(17, scratch).value_or(postgres::find_postgres_binaries());
}

}  // namespace

std::string to_string(const Protocol& protocol) {
  std::string name = fmt::format("Version{}", protocol.version);
  if (protocol.streaming == proto::STREAMING_ON) name += "Streaming";
  if (protocol.streaming == proto::STREAMING_PARALLEL) name += "Parallel";
  return name + (protocol.binary ? "" : "Text");
}

void PrintTo(const Protocol& protocol, std::ostream* out) {
  *out << to_string(protocol);
}

std::string from_environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::string insert_sql(std::uint64_t first, std::uint64_t rows) {
  std::string columns;
  std::string values;
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
    columns += fmt::format("{}\"{}\"", columns.empty() ? "" : ", ", column.name);
    values += (values.empty() ? "" : ", ") + value_sql(column);
  }
  return fmt::format("INSERT INTO \"{}\" ({}) SELECT {} FROM generate_series({}, {}) n", wire::kTaskRunTable,
                     columns, values, first, first + rows - 1);
}

ConsumerOnAServer::ConsumerOnAServer(const Protocol& protocol)
    : conninfo_(from_environment("WALSTORM_TEST_SERVER", "")) {
  std::signal(SIGPIPE, SIG_IGN);  // as every main of ours does
  if (conninfo_.empty()) {
    server_.emplace(loop_, std::map<std::string, std::string>{{"logical_decoding_work_mem", "64kB"}},
                    folder_.path() / "postgres.log", binaries_for(protocol, folder_.path()));
    conninfo_ = server_->address().conninfo("postgres", "test");
  }
  connection_ = std::make_unique<pqxx::connection>(conninfo_);
  postgres::drop_slot(*connection_, kSlot, seconds(10));
  postgres::prepare_table(*connection_, config::ReplicaIdentity::full, kPublication, "");
  postgres::create_slot(*connection_, kSlot);
}

ConsumerOnAServer::~ConsumerOnAServer() {
  consumer_.reset();
  if (!server_) postgres::drop_slot(*connection_, kSlot, seconds(10));
}

bool ConsumerOnAServer::speaks(const Protocol& protocol) const {
  const int version = connection_->server_version();
  return version >= (protocol.version == 4 ? 160'000 : protocol.version == 3 ? 150'000 : 140'000);
}

void ConsumerOnAServer::start_consumer(const Protocol& protocol, std::uint64_t buffered_bytes_max,
                                       double records_per_sec_max) {
  start_consumer(protocol, [&](proto::ConsumerSetup& consumer) {
    consumer.set_buffered_bytes_max(buffered_bytes_max);
    consumer.mutable_mock()->set_records_per_sec_max(records_per_sec_max);
  });
}

void ConsumerOnAServer::start_consumer(const Protocol& protocol,
                                       const std::function<void(proto::ConsumerSetup&)>& adapt) {
  consumer_ = std::make_unique<run::WorkerProcess>(
      loop_, run::WorkerProcess::Role::consumer, "consumer-0",
      fleet::LocalLauncher(process::Variables::needed,
                           std::filesystem::path(WALSTORM_CONSUMER).parent_path()),
      folder_.path() / "consumer-0.log", [this](const run::WorkerProcess&, const proto::MetricsFrame& frame) {
        hello_ = hello_ || frame.has_hello();
        if (frame.has_phase_result()) result_ = frame.phase_result().consumer();
      });
  proto::ControlFrame frame;
  proto::Setup& setup = *frame.mutable_setup();
  setup.set_protocol_version(wire::kProtocolVersion);
  setup.set_worker("consumer-0");
  setup.set_run_id(kRunId);
  proto::ConsumerSetup& consumer = *setup.mutable_consumer();
  consumer.set_postgres(conninfo_);
  consumer.set_slot_name(kSlot);
  consumer.set_publication_name(kPublication);
  consumer.set_wal_sender_timeout_ms(60'000);
  consumer.set_binary(protocol.binary);
  consumer.set_proto_version(protocol.version);
  consumer.set_streaming(protocol.streaming);
  consumer.set_flush_batch_size(1000);
  consumer.set_flush_interval_ms(100);
  consumer.set_flush_concurrency_max(100);
  consumer.set_buffered_bytes_max(16U << 20U);
  adapt(consumer);
  if (protocol.streaming != proto::STREAMING_OFF)
    consumer.set_streamed_bytes_max(consumer.buffered_bytes_max() / 4);
  consumer_->send(frame);
  start_phase();
  wait_until([this] { return hello_; });
}

void ConsumerOnAServer::start_phase() {
  proto::ControlFrame start;
  start.mutable_start_phase()->set_phase_index(phase_index_);
  start.mutable_start_phase()->set_sample_interval_ms(200);
  consumer_->send(start);
}

void ConsumerOnAServer::wait_until(const std::function<bool()>& condition) {
  ASSERT_EQ(loop_.wait(seconds(280), 0, [&] { return condition() || !consumer_->failure().empty(); }),
            Waited::done);
  ASSERT_EQ(consumer_->failure(), "") << consumer_log();
}

proto::ConsumerStats ConsumerOnAServer::result_of(const std::function<void(pqxx::connection&)>& work) {
  if (phase_index_ > 0) start_phase();
  result_.reset();
  auto working = std::async(std::launch::async, [&] {
    work(*connection_);
    postgres::emit_marker(*connection_, wire::phase_end_marker(kRunId, phase_index_));
  });
  wait_until([&] { return working.wait_for(seconds(0)) == std::future_status::ready; });
  working.get();
  if (HasFatalFailure()) return {};
  proto::ControlFrame end;
  end.mutable_end_phase()->set_phase_index(phase_index_);
  end.mutable_end_phase()->set_drain_timeout_ms(250'000);
  consumer_->send(end);
  wait_until([this] { return result_.has_value(); });
  ++phase_index_;
  return result_.value_or(proto::ConsumerStats());
}

void ConsumerOnAServer::stop_consumer() {
  consumer_->stop();
  ASSERT_EQ(loop_.wait(seconds(30), 0, [this] { return consumer_->ended().has_value(); }), Waited::done);
}

std::uint64_t ConsumerOnAServer::streamed_transactions() {
  const std::string sql =
      fmt::format("SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = '{}'", kSlot);
  return postgres::query_row(*connection_, sql)[0].as<std::uint64_t>();
}

std::string ConsumerOnAServer::consumer_log() const {
  std::ifstream in(folder_.path() / "consumer-0.log");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace walstorm::tests
