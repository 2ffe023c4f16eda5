#pragma once

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <pqxx/row>

#include "orchestrator/postgres/private_server.h"
#include "tests/support/walstorm_run.h"

namespace walstorm::tests {

/// A phase of a config.
[[nodiscard]] nlohmann::json phase(const char* name, double seconds, const nlohmann::json& target);

/// A small run on a private server and the mock sink; `changes` are merged in.
[[nodiscard]] nlohmann::json config_with(const std::vector<nlohmann::json>& phases,
                                         const nlohmann::json& changes = nlohmann::json::object());

/// Fails the test unless the changes all went through, in count and in checksum.
void expect_clean_changes(const nlohmann::json& ledger);

/// Waits for the run's end; fails the test unless it passed and all its ledgers are clean.
void expect_clean_run(WalstormRun& run);

/// Fails the test when a process or a private server's folder outlived the run.
void expect_nothing_left(const WalstormRun& run);

/// The user's own server: one private server that the test owns.
class OnAServer : public testing::Test {
 protected:
  OnAServer();

  /// As config_with, against this server.
  [[nodiscard]] nlohmann::json config(const std::vector<nlohmann::json>& phases,
                                      const nlohmann::json& changes = nlohmann::json::object()) const;
  /// The same against another one.
  [[nodiscard]] static std::string url_of(const postgres::PrivateServer& server);
  [[nodiscard]] pqxx::row one(const std::string& sql, const std::string& database = "postgres");
  void expect_no_slot();

  process::EventLoop loop_;
  TemporaryFolder logs_;
  postgres::PrivateServer server_;
};

}  // namespace walstorm::tests
