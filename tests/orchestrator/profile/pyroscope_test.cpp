// Stacks pushed to a server, which here remembers what it was sent and checks it by the public format.

#include "orchestrator/profile/push/pyroscope.h"

#include <cstdlib>
#include <gmock/gmock.h>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/commands.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/profile/made_profile.h"
#include "tests/support/certificates.h"
#include "tests/support/scripted_clickhouse.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::profile {
namespace {

using test::profile_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Profile example() {
  return profile_of({{{"main", "f"}, 30},
                     {{"main", "k:wait"}, 4, Kind::off_cpu},
                     {{"main"}, 7, Kind::on_cpu, 0, "postgres-walsender"}});
}

std::string url_of(const tests::ScriptedClickhouse& server) {
  return "http://127.0.0.1:" + std::to_string(server.port());
}

TEST(Pyroscope, EachTargetIsAnIngestOfFoldedStacksWithItsTags) {
  tests::ScriptedClickhouse server;
  const auto requests =
      pyroscope_requests(url_of(server), "my run", "peak{1}", example(), {1'700'000'000'500'000, 9.2, 99});
  EXPECT_THAT(push_to_pyroscope(requests), IsEmpty());
  const auto seen = server.requests();
  ASSERT_EQ(seen.size(), 2U);
  const auto& first = seen[0];
  EXPECT_THAT(first.target, testing::StartsWith("/ingest?"));
  EXPECT_EQ(first.parameters.at("name"), "walstorm.cpu{run=my_run,phase=peak_1_,role=consumer}");
  EXPECT_EQ(first.parameters.at("from"), "1700000000");
  EXPECT_EQ(first.parameters.at("until"), "1700000010");
  EXPECT_EQ(first.parameters.at("format"), "folded");
  EXPECT_EQ(first.parameters.at("sampleRate"), "99");
  EXPECT_EQ(first.parameters.at("units"), "samples");
  EXPECT_EQ(first.parameters.at("aggregationType"), "sum");
  EXPECT_EQ(first.body, "consumer;main;f 30\n");
  EXPECT_THAT(seen[1].parameters.at("name"), HasSubstr("role=postgres-walsender"));
}

TEST(Pyroscope, APathBeforeTheEndpointStays) {
  EXPECT_THAT(pyroscope_requests("http://h/pyroscope/", "r", "p", example(), {})[0].url,
              testing::StartsWith("http://h/pyroscope/ingest?name="));
}

TEST(Pyroscope, ARefusalIsASentenceAndEndsThePush) {
  tests::ScriptedClickhouse server;
  server.will({{.status = 422, .body = "no such tenant"}});
  EXPECT_THAT(push_to_pyroscope(pyroscope_requests(url_of(server), "r", "p", example(), {})),
              ElementsAre(HasSubstr("HTTP 422 no such tenant")));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Pyroscope, AServerThatIsNotThereIsASentenceWithoutThePassword) {
  const auto failures =
      push_to_pyroscope(pyroscope_requests("http://u:hunter2@127.0.0.1:1", "r", "p", example(), {}));
  EXPECT_THAT(failures, ElementsAre(HasSubstr("connect to http://127.0.0.1:1/ingest")));
}

TEST(Pyroscope, ARenderUrlIsAProfile) {
  tests::ScriptedClickhouse server;
  server.will({{.body = R"({"flamebearer": {"names": ["total", "f"], "levels": [[0, 2, 0, 0], [0, 2, 2, 1]]},
                              "metadata": {"units": "samples", "sampleRate": 100, "format": "single"}})"}});
  process::EventLoop loop;
  EXPECT_THAT(test::lines_of(load_profile(loop, url_of(server) + "/pyroscope/render?query=x&from=now-1h")),
              ElementsAre("/all/on-cpu f 2 20000000"));
  EXPECT_EQ(server.requests()[0].target, "/pyroscope/render?query=x&from=now-1h");
}

TEST(HttpExchange, RefusesWhatItCannotSpeak) {
  EXPECT_THROW((void)http_exchange({.url = "ftp://h/"}), wire::Error);
  EXPECT_THROW((void)http_exchange({.url = "nonsense"}), wire::Error);
}

TEST(HttpExchange, ARedirectSaysWhereItLeadsTo) {
  tests::ScriptedClickhouse server;
  server.will({{.status = 301, .location = "https://u:hunter2@other/render"}});
  EXPECT_EQ(refusal_text(http_exchange({.url = url_of(server)})),
            "HTTP 301, a redirect to https://other/render: give that URL");
}

/// Trusts a CA of its own, as a user does with SSL_CERT_FILE.
class Https : public testing::Test {
 protected:
  Https() : ca_(tests::make_ca(folder_.path())) { trust(ca_.file.string()); }
  ~Https() override { ::unsetenv("SSL_CERT_FILE"); }

  /// Before any server runs: the environment belongs to all threads.
  static void trust(const std::string& file) { ::setenv("SSL_CERT_FILE", file.c_str(), 1); }

  static std::string failure_of(const std::string& url) {
    try {
      (void)http_exchange({.url = url});
      return "";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
      return error.what();
    }
  }

  tests::TemporaryFolder folder_;
  const tests::Certificate ca_;
};

TEST_F(Https, StacksArePushedToWhoCanProveWhoItIs) {
  tests::ScriptedClickhouse server(tests::issue(ca_, "DNS:localhost"));
  const std::string url = "https://localhost:" + std::to_string(server.port());
  EXPECT_THAT(push_to_pyroscope(pyroscope_requests(url, "r", "p", example(), {})), IsEmpty());
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[0].body, "consumer;main;f 30\n");
}

TEST_F(Https, ACertificateForAnotherHostIsRefused) {
  tests::ScriptedClickhouse server(tests::issue(ca_, "DNS:elsewhere"));
  EXPECT_THAT(failure_of("https://u:hunter2@localhost:" + std::to_string(server.port()) + "/render"),
              AllOf(HasSubstr("connect to https://localhost:"), HasSubstr("it is not for localhost"),
                    Not(HasSubstr("hunter2"))));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(Https, ACertificateThatNobodyVouchesForIsRefused) {
  tests::ScriptedClickhouse server(tests::self_sign(folder_.path(), "DNS:localhost"));
  EXPECT_THAT(failure_of("https://localhost:" + std::to_string(server.port())),
              AllOf(HasSubstr("self-signed"), HasSubstr("SSL_CERT_FILE")));
}

TEST_F(Https, APortThatSpeaksNoTlsIsTold) {
  tests::ScriptedClickhouse server;
  EXPECT_THAT(failure_of("https://127.0.0.1:" + std::to_string(server.port())),
              HasSubstr("see that it is the port for https"));
}

}  // namespace
}  // namespace walstorm::profile
