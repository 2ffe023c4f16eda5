// Stacks pushed to a server, which here remembers what it was sent and checks it by the public format.

#include "orchestrator/profile/push/pyroscope.h"

#include <gmock/gmock.h>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/commands.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/profile/made_profile.h"
#include "tests/support/scripted_clickhouse.h"

namespace walstorm::profile {
namespace {

using test::profile_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
  EXPECT_THROW((void)http_exchange({.url = "https://h/"}), wire::Error);
  EXPECT_THROW((void)http_exchange({.url = "nonsense"}), wire::Error);
}

}  // namespace
}  // namespace walstorm::profile
