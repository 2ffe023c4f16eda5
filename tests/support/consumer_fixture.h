#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include <pqxx/connection>

#include "orchestrator/postgres/private_server.h"
#include "orchestrator/run/worker_process.h"
#include "proto/control.pb.h"
#include "proto/metrics.pb.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {

/// How a consumer reads the stream.
struct Protocol {
  std::uint32_t version = 1;
  proto::Streaming streaming = proto::STREAMING_OFF;
  bool binary = true;
};

/// For the names of parameterised tests: "Version2StreamingText".
[[nodiscard]] std::string to_string(const Protocol& protocol);
void PrintTo(const Protocol& protocol, std::ostream* out);

/// `otherwise` when the environment has no such variable.
[[nodiscard]] std::string from_environment(const char* name, const std::string& otherwise);

/// INSERT of rows `first` to `first` + `rows` - 1 of about 1 KB into "TaskRun"; the row_hash of row n is n,
/// its id is text.
[[nodiscard]] std::string insert_sql(std::uint64_t first, std::uint64_t rows);

/// A real consumer on a real server, a private one that streams transactions from 64 KB on, or the one that
/// WALSTORM_TEST_SERVER names. The test is the consumer's orchestrator and its producer.
class ConsumerOnAServer : public testing::Test {
 protected:
  /// On a server that speaks it, if there is one here.
  explicit ConsumerOnAServer(const Protocol& protocol);
  ~ConsumerOnAServer() override;

  /// Whether the server speaks it.
  [[nodiscard]] bool speaks(const Protocol& protocol) const;
  /// Returns when it streams. Its mock sink takes `records_per_sec_max`; 0 = any rate.
  void start_consumer(const Protocol& protocol, std::uint64_t buffered_bytes_max = 16U << 20U,
                      double records_per_sec_max = 0);
  /// The same with another sink, or whatever else `adapt` changes.
  void start_consumer(const Protocol& protocol, const std::function<void(proto::ConsumerSetup&)>& adapt);
  /// Runs `work`, which may block, beside the loop; then ends the phase and returns the consumer's result.
  /// The next call is the next phase.
  proto::ConsumerStats result_of(const std::function<void(pqxx::connection&)>& work);
  /// Returns when it has ended: then its log is complete.
  void stop_consumer();
  /// Transactions that the server has streamed.
  [[nodiscard]] std::uint64_t streamed_transactions();
  [[nodiscard]] std::string consumer_log() const;

  process::EventLoop loop_;
  TemporaryFolder folder_;
  std::optional<postgres::PrivateServer> server_;
  std::string conninfo_;
  std::unique_ptr<pqxx::connection> connection_;
  std::unique_ptr<run::WorkerProcess> consumer_;

 private:
  void wait_until(const std::function<bool()>& condition);

  void start_phase();

  bool hello_ = false;
  std::uint32_t phase_index_ = 0;
  std::optional<proto::ConsumerStats> result_;
};

}  // namespace walstorm::tests
