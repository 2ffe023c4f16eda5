#include <chrono>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>

#include "proto/clickhouse/http_client.h"
#include "tests/support/certificates.h"
#include "tests/support/scripted_clickhouse.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::clickhouse {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::refusal;
using tests::Reply;
using tests::ScriptedClickhouse;

/// Trusts a CA of its own, as a user does with SSL_CERT_FILE.
class Https : public testing::Test {
 protected:
  Https() : ca_(tests::make_ca(folder_.path())) { trust(ca_.file.string()); }
  ~Https() override { ::unsetenv("SSL_CERT_FILE"); }

  /// Before any server runs: the environment belongs to all threads.
  static void trust(const std::string& file) { ::setenv("SSL_CERT_FILE", file.c_str(), 1); }

  Answer ask(HttpClient& client, Statement statement) {
    std::optional<Answer> answer;
    client.send(std::move(statement), [&](const Answer& came) { answer = came; });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!answer && std::chrono::steady_clock::now() < deadline) {
      loop_.restart();
      loop_.run_one_for(std::chrono::milliseconds(100));
    }
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(Answer{});
  }

  Answer ask(const std::string& url) {
    HttpClient client(loop_, parse_address(url, "clickhouse.url"), {});
    return ask(client, {.sql = "SELECT 1"});
  }

  tests::TemporaryFolder folder_;
  const tests::Certificate ca_;
  boost::asio::io_context loop_;
};

TEST_F(Https, ACertificateOfATrustedCaIsTakenForItsNamesAndAddresses) {
  ScriptedClickhouse server(tests::issue(ca_, "DNS:localhost,IP:127.0.0.1"));
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const Answer answer = ask(server.url(host));
    EXPECT_TRUE(answer.ok()) << answer.text;
  }
}

TEST_F(Https, ConnectionsAreKeptAndCarryLargeData) {
  ScriptedClickhouse server(tests::issue(ca_, "IP:127.0.0.1"));
  HttpClient client(loop_, parse_address(server.url(), "clickhouse.url"), {});
  const std::string data(20U << 20U, 'x');
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(client, {.sql = "INSERT", .data = data}).ok());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[2].connection, 0U);
  EXPECT_EQ(requests[2].body, data);
  server.close_connections();
  EXPECT_TRUE(ask(client, {.sql = "INSERT", .data = data}).ok());
}

TEST_F(Https, ARefusalIsHeardWhileDataIsStillWritten) {
  ScriptedClickhouse server(tests::issue(ca_, "IP:127.0.0.1"));
  HttpClient client(loop_, parse_address(server.url(), "clickhouse.url"), {});
  const std::string data(64U << 20U, 'x');
  for (int i = 0; i < 3; ++i) {
    Reply early = refusal(516, "Authentication failed", 403);
    early.how = Reply::How::answer_early;
    server.will({early});
    const Answer answer = ask(client, {.sql = "INSERT", .data = data});
    EXPECT_EQ(answer.code, 516) << answer.text;
  }
}

TEST_F(Https, ACertificateForAnotherHostIsRefusedForGood) {
  ScriptedClickhouse server(tests::issue(ca_, "DNS:clickhouse.example,IP:127.0.0.2"));
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const Answer answer = ask(server.url(host));
    EXPECT_EQ(answer.kind, Answer::Kind::refused);
    EXPECT_FALSE(worth_a_retry(answer));
    EXPECT_THAT(answer.text,
                AllOf(HasSubstr("certificate is not accepted"), HasSubstr("not for "), HasSubstr(host)));
  }
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Https, ASelfSignedCertificateIsRefusedUnlessItIsTrusted) {
  const tests::Certificate certificate = tests::self_sign(folder_.path(), "IP:127.0.0.1");
  {
    ScriptedClickhouse server(certificate);
    const Answer answer = ask(server.url());
    EXPECT_EQ(answer.kind, Answer::Kind::refused);
    EXPECT_FALSE(worth_a_retry(answer));
    EXPECT_THAT(answer.text, AllOf(HasSubstr("self-signed"), HasSubstr("SSL_CERT_FILE")));
  }
  trust(certificate.file.string());
  ScriptedClickhouse server(certificate);
  EXPECT_TRUE(ask(server.url()).ok());
}

TEST_F(Https, ACaThatIsNotTrustedIsRefused) {
  const tests::Certificate certificate = tests::issue(ca_, "IP:127.0.0.1");
  trust("/dev/null");
  ScriptedClickhouse server(certificate);
  const Answer answer = ask(server.url());
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_THAT(answer.text, HasSubstr("SSL_CERT_FILE"));
}

TEST_F(Https, AServerThatSpeaksPlainHttpIsNamed) {
  ScriptedClickhouse server;
  const Answer answer = ask("https://127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(answer.kind, Answer::Kind::no_answer);
  EXPECT_THAT(answer.text, HasSubstr("TLS handshake"));
}

}  // namespace
}  // namespace walstorm::clickhouse
