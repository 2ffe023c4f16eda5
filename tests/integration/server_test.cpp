// Servers as people have them: other versions, TLS, passwords, schemas of their own, neighbours that must be
// left alone.

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/integration/application_schema.h"
#include "tests/support/run_fixture.h"
#include "tests/support/servers.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

/// Server and URL of one that listens on TCP loopback alone, as a server elsewhere does.
std::map<std::string, std::string> on_tcp(unsigned port) {
  return {{"listen_addresses", "127.0.0.1"}, {"port", std::to_string(port)}};
}

json load_with_deletes(const std::string& url, double seconds) {
  return config_with(
      {phase("p", seconds, 1000)},
      {{"database", {{"url", url}}}, {"producer", {{"deleteRatio", 0.1}, {"insertUpdateRatio", 0.7}}}});
}

class OtherVersion : public testing::TestWithParam<int> {
 protected:
  process::EventLoop loop_;
  TemporaryFolder folder_;
};

TEST_P(OtherVersion, GivesACleanLedgerOverTcpAndKeepsNoSlot) {
  const auto binaries = other_postgres(GetParam(), folder_.path());
  if (!binaries)
    GTEST_SKIP() << "PostgreSQL " << GetParam() << " was not fetched: ./dev test does, where npm is";
  const unsigned port = free_port();
  const postgres::PrivateServer server(loop_, on_tcp(port), folder_.path() / "postgres.log", *binaries);
  const std::string url = "postgresql://walstorm@127.0.0.1:" + std::to_string(port) + "/postgres";
  WalstormRun check(load_with_deletes(url, 3), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 0) << check.output();
  EXPECT_THAT(check.output(), HasSubstr("ok       version "));
  EXPECT_EQ(check.output().find("idle_replication_slot_timeout") != std::string::npos, GetParam() >= 18)
      << check.output();
  WalstormRun run(load_with_deletes(url, 3));
  expect_clean_run(run);
  EXPECT_THAT(run.metrics()["environment"]["postgresVersion"].get<std::string>(),
              testing::StartsWith(std::to_string(GetParam()) + "."));
  pqxx::connection connection(url);
  pqxx::nontransaction transaction(connection);
  EXPECT_EQ(postgres::query_row(transaction, "SELECT count(*) FROM pg_replication_slots")[0].as<int>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Postgres, OtherVersion, testing::Values(14, 16, 17, 18),
                         [](const auto& version) { return std::to_string(version.param); });

/// A server whose certificate is signed by itself, for localhost.
class WithTls : public testing::Test {
 protected:
  WithTls() {
    for (const char* name : {"server", "other"}) {
      const std::string base = (folder_.path() / name).string();
      run_program(
          "openssl req -new -x509 -days 2 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost "
          "-keyout " +
          base + ".key -out " + base + ".crt");
    }
    give_to_server(folder_.path() / "server.key");
    auto settings = on_tcp(port_);
    settings["ssl"] = "on";
    settings["ssl_cert_file"] = (folder_.path() / "server.crt").string();
    settings["ssl_key_file"] = (folder_.path() / "server.key").string();
    server_ = std::make_unique<postgres::PrivateServer>(loop_, settings, folder_.path() / "postgres.log");
  }

  [[nodiscard]] std::string url(const std::string& parameters) const {
    return "postgresql://walstorm@localhost:" + std::to_string(port_) + "/postgres?" + parameters;
  }
  [[nodiscard]] std::string verified_by(const std::string& certificate) const {
    return url("sslmode=verify-full&sslrootcert=" + (folder_.path() / certificate).string());
  }

  process::EventLoop loop_;
  TemporaryFolder folder_;
  const unsigned port_ = free_port();
  std::unique_ptr<postgres::PrivateServer> server_;
};

TEST_F(WithTls, EveryConnectionIsEncryptedTheWalsendersToo) {
  WalstormRun run(load_with_deletes(url("sslmode=require"), 4));
  pqxx::connection connection(url("sslmode=disable") + "&application_name=test");
  pqxx::nontransaction transaction(connection);
  const auto count = [&](const std::string& condition) {
    return postgres::query_row(transaction,
                               "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) "
                               "WHERE a.application_name LIKE 'walstorm%' AND " +
                                   condition)[0]
        .as<int>();
  };
  run.wait_until([&] { return count("a.backend_type = 'walsender'") == 1 && count("s.ssl") >= 5; });
  EXPECT_EQ(count("a.backend_type = 'walsender' AND s.ssl"), 1);
  EXPECT_EQ(count("NOT s.ssl"), 0);
  expect_clean_run(run);
}

TEST_F(WithTls, TheServersCertificateIsVerifiedAsTheUrlAsks) {
  WalstormRun right(load_with_deletes(verified_by("server.crt"), 1));
  expect_clean_run(right);
  WalstormRun wrong(load_with_deletes(verified_by("other.crt"), 1));
  EXPECT_EQ(wrong.finish().code, 3) << wrong.output();
  EXPECT_THAT(wrong.output(), HasSubstr("certificate verify failed"));
  EXPECT_FALSE(wrong.run_folder().has_value());
  WalstormRun check(load_with_deletes(verified_by("other.crt"), 1), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 3) << check.output();
  EXPECT_THAT(check.output(), HasSubstr("certificate verify failed"));
}

/// A server that asks for a password, and a password that every syntax on the way gives a meaning to.
class WithPasswords : public testing::Test {
 protected:
  static constexpr const char* kPassword = R"(p@ss:w/rd 'q' \b "%&#?)";
  static constexpr const char* kInUrl = "p%40ss%3Aw%2Frd%20%27q%27%20%5Cb%20%22%25%26%23%3F";

  WithPasswords() {
    std::ofstream(folder_.path() / "hba.conf")
        << "local all walstorm trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    auto settings = on_tcp(port_);
    settings["hba_file"] = (folder_.path() / "hba.conf").string();
    server_ = std::make_unique<postgres::PrivateServer>(loop_, settings, folder_.path() / "postgres.log");
    pqxx::connection connection(server_->address().conninfo("postgres", "test") +
                                " port=" + std::to_string(port_));
    pqxx::nontransaction transaction(connection);
    transaction.exec("CREATE ROLE \"l oad\" LOGIN REPLICATION CREATEDB PASSWORD " +
                     transaction.quote(kPassword));
  }
  ~WithPasswords() override {
    ::unsetenv("PGPASSWORD");
    ::unsetenv("PGPASSFILE");
  }

  [[nodiscard]] json config(const std::string& password, const std::string& database = "postgres") const {
    return config_with({phase("p", 1, 1000)}, {{"database", {{"url", url(password, database)}}}});
  }
  [[nodiscard]] std::string url(const std::string& password, const std::string& database) const {
    return "postgresql://l%20oad" + password + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
  }

  process::EventLoop loop_;
  TemporaryFolder folder_;
  const unsigned port_ = free_port();
  std::unique_ptr<postgres::PrivateServer> server_;
};

TEST_F(WithPasswords, OneInTheUrlReachesEveryConnectionAndNoFile) {
  ::setenv("PGPASSWORD", "of another server", 1);
  {
    pqxx::connection connection(url(std::string(":") + kInUrl, "postgres"));
    pqxx::nontransaction(connection).exec("CREATE DATABASE app");
  }
  {
    pqxx::connection connection(url(std::string(":") + kInUrl, "app"));
    pqxx::nontransaction(connection).exec(kApplicationSchema);
  }
  json copying = config(std::string(":") + kInUrl);
  copying["database"]["copySchemaFrom"] = url(std::string(":") + kInUrl, "app");
  WalstormRun run(copying, {"-v"});
  expect_clean_run(run);
  for (const char* secret : {"w/rd", "w%2Frd"}) {
    EXPECT_THAT(run.output(), Not(HasSubstr(secret)));
    for (const char* file :
         {"metrics.json", "report.md", "config.json", "logs/producer-0.log", "logs/consumer-0.log"})
      EXPECT_THAT(run.read(file), Not(HasSubstr(secret))) << file;
  }
  expect_nothing_left(run);
}

TEST_F(WithPasswords, OneOfTheEnvironmentOrOfAPasswordFileIsTakenAsLibpqDoes) {
  ::setenv("PGPASSWORD", kPassword, 1);
  WalstormRun by_environment(config(""));
  expect_clean_run(by_environment);
  ::unsetenv("PGPASSWORD");
  const fs::path file = folder_.path() / "pgpass";
  std::ofstream(file) << R"(127.0.0.1:*:*:l oad:p@ss\:w/rd 'q' \\b "%&#?)"
                      << "\n";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  ::setenv("PGPASSFILE", file.c_str(), 1);
  WalstormRun by_file(config(""));
  expect_clean_run(by_file);
  WalstormRun wrong(config(":wrong"));
  EXPECT_EQ(wrong.finish().code, 3) << wrong.output();
  EXPECT_THAT(wrong.output(), HasSubstr("password authentication failed"));
}

}  // namespace
}  // namespace walstorm::tests
