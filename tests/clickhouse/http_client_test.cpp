#include "proto/clickhouse/http_client.h"

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "tests/support/scripted_clickhouse.h"

namespace walstorm::clickhouse {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::refusal;
using tests::Reply;
using tests::ScriptedClickhouse;
using tests::SeenRequest;

/// A client, and the loop that it lives on.
struct Rig {
  explicit Rig(const std::string& url, const HttpClient::Limits& limits = {})
      : client(std::make_unique<HttpClient>(loop, parse_address(url, "clickhouse.url"), limits)) {}

  /// Turns the loop until there are `count` answers.
  void await(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (answers.size() < count && std::chrono::steady_clock::now() < deadline) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(100));
    }
    ASSERT_GE(answers.size(), count);
  }

  void send(Statement statement) {
    client->send(std::move(statement), [this](const Answer& answer) { answers.push_back(answer); });
  }

  Answer ask(Statement statement) {
    send(std::move(statement));
    await(answers.size() + 1);
    return answers.empty() ? Answer{} : answers.back();
  }

  boost::asio::io_context loop;
  std::vector<Answer> answers;
  std::unique_ptr<HttpClient> client;
};

/// More than all of a loopback connection's buffers hold.
std::string large_data() {
  return std::string(64U << 20U, 'x');
}

TEST(HttpClient, SendsAStatementAsTheBody) {
  ScriptedClickhouse server;
  server.will({{.body = "1\n"}});
  Rig rig(server.url("load:p%40ss@127.0.0.1") + "/?max_threads=2&log_comment=a%26b");
  const Answer answer = rig.ask({.sql = "SELECT 1", .settings = {{"max_threads", "1"}}});
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(answer.text, "1\n");
  EXPECT_EQ(answer.http_status, 200);
  const SeenRequest seen = server.requests().at(0);
  EXPECT_EQ(seen.body, "SELECT 1");
  EXPECT_EQ(seen.parameters,
            (std::map<std::string, std::string>{{"max_threads", "1"}, {"log_comment", "a&b"}}));
  EXPECT_EQ(seen.headers.at("x-clickhouse-user"), "load");
  EXPECT_EQ(seen.headers.at("x-clickhouse-key"), "p@ss");
  EXPECT_EQ(seen.headers.at("host"), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_THAT(seen.target, Not(HasSubstr("ss")));
}

TEST(HttpClient, SendsAnInsertInTheUrlAndItsDataAsTheBody) {
  ScriptedClickhouse server;
  Rig rig(server.url());
  std::string data("\0\xff\r\n binary", 11);
  EXPECT_TRUE(rig.ask({.sql = "INSERT INTO `a b` FORMAT Native", .data = data, .encoding = "lz4"}).ok());
  const SeenRequest seen = server.requests().at(0);
  EXPECT_EQ(seen.parameters.at("query"), "INSERT INTO `a b` FORMAT Native");
  EXPECT_EQ(seen.body, data);
  EXPECT_EQ(seen.headers.at("content-encoding"), "lz4");
  EXPECT_EQ(seen.headers.count("x-clickhouse-user"), 0U);
}

TEST(HttpClient, APageOfSomebodyElsesIsNoAnswer) {
  ScriptedClickhouse server;
  server.will({{.body = "<html>\nLog in</html>", .clickhouse = false}});
  Rig rig(server.url());
  const Answer answer = rig.ask({.sql = "SELECT 1"});
  EXPECT_EQ(answer.kind, Answer::Kind::no_answer);
  EXPECT_THAT(answer.text, HasSubstr("not as ClickHouse does"));
  EXPECT_THAT(answer.text, HasSubstr("<html> Log in</html>"));
}

TEST(HttpClient, CallsBackFromTheLoopAndNotFromSend) {
  Rig rig("http://127.0.0.1:1");
  rig.send({.sql = "SELECT 1"});
  EXPECT_TRUE(rig.answers.empty());
  rig.await(1);
}

TEST(HttpClient, UsesItsConnectionsAgainAndHasNoMoreThanItMay) {
  ScriptedClickhouse server;
  Rig rig(server.url(), {.connections_max = 2});
  for (int i = 0; i < 7; ++i) rig.send({.sql = std::to_string(i)});
  rig.await(7);
  for (int i = 7; i < 10; ++i) EXPECT_TRUE(rig.ask({.sql = std::to_string(i)}).ok());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 10U);
  for (const SeenRequest& request : requests) EXPECT_LT(request.connection, 2U);
}

TEST(HttpClient, StatementsWaitForAConnectionInOrder) {
  ScriptedClickhouse server;
  Rig rig(server.url(), {.connections_max = 1});
  for (int i = 0; i < 5; ++i) rig.send({.sql = std::to_string(i)});
  rig.await(5);
  const auto requests = server.requests();
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(requests.at(i).body, std::to_string(i));
}

TEST(HttpClient, TakesTheCodeFromTheHeaderElseFromTheText) {
  ScriptedClickhouse server;
  server.will(
      {refusal(60, "Table t does not exist", 404),
       {.status = 500, .body = "Code: 27, e.displayText() = DB::Exception: Cannot parse input, e.what() = x"},
       {.status = 502, .body = "<html>Bad Gateway</html>\r\n"},
       {.status = 503}});
  Rig rig(server.url());
  Answer answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 60);
  EXPECT_EQ(answer.http_status, 404);
  EXPECT_THAT(answer.text, HasSubstr("Table t does not exist"));
  answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 27);
  answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 0);
  EXPECT_EQ(answer.text, "<html>Bad Gateway</html>");
  answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.http_status, 503);
  EXPECT_THAT(answer.text, HasSubstr("HTTP status 503"));
}

TEST(HttpClient, A200ThatHoldsAnExceptionIsARefusal) {
  ScriptedClickhouse server;
  server.will({{.exception_code = 241, .body = "1\n2\n"},
               {.body = "1\n2\nCode: 159. DB::Exception: Timeout exceeded (version 24.8)\n"},
               {.how = Reply::How::cut_within, .body = "1\nCode: 252. DB::Exception: Too many parts"}});
  Rig rig(server.url());
  Answer answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 241);
  answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 159);
  EXPECT_EQ(answer.text, "Code: 159. DB::Exception: Timeout exceeded (version 24.8)");
  answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_EQ(answer.code, 252);
}

TEST(HttpClient, ACutConnectionIsNoAnswerWhereverItIsCut) {
  ScriptedClickhouse server;
  server.will({{.how = Reply::How::cut}, {.how = Reply::How::cut_within, .body = "1\n"}});
  Rig rig(server.url());
  Answer answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::no_answer);
  EXPECT_THAT(answer.text, HasSubstr("cut before the answer"));
  answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::no_answer);
  EXPECT_THAT(answer.text, HasSubstr("cut within the answer"));
  EXPECT_EQ(server.requests().size(), 2U);  // a fresh connection's statement is not sent again
  EXPECT_TRUE(rig.ask({.sql = "x"}).ok());
}

TEST(HttpClient, AConnectionThatWasClosedWhileIdleCostsNoError) {
  ScriptedClickhouse server;
  Rig rig(server.url());
  EXPECT_TRUE(rig.ask({.sql = "1"}).ok());
  server.close_connections();
  const std::string data(8U << 20U, 'x');
  EXPECT_TRUE(rig.ask({.sql = "2", .data = data}).ok());
  server.will({{.how = Reply::How::answer_and_close}});
  EXPECT_TRUE(rig.ask({.sql = "3"}).ok());
  EXPECT_TRUE(rig.ask({.sql = "4"}).ok());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[1].body, data);
  EXPECT_EQ(requests[3].body, "4");
}

TEST(HttpClient, AStatementIsSentOnceMoreAndNoMore) {
  ScriptedClickhouse server;
  Rig rig(server.url());
  EXPECT_TRUE(rig.ask({.sql = "1"}).ok());
  server.will({{.how = Reply::How::cut}, {.how = Reply::How::cut}});
  EXPECT_EQ(rig.ask({.sql = "2"}).kind, Answer::Kind::no_answer);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(HttpClient, HearsARefusalWhileItStillWrites) {
  ScriptedClickhouse server;
  Rig rig(server.url());
  for (int i = 0; i < 5; ++i) {
    Reply early = refusal(516, "Authentication failed", 403);
    early.how = Reply::How::answer_early;
    server.will({early});
    const std::string data = large_data();
    const Answer answer = rig.ask({.sql = "INSERT", .data = data});
    EXPECT_EQ(answer.kind, Answer::Kind::refused) << answer.text;
    EXPECT_EQ(answer.code, 516);
    EXPECT_TRUE(rig.ask({.sql = "SELECT 1"}).ok());
  }
}

TEST(HttpClient, AnAnswerThatDoesNotComeIsGivenUp) {
  ScriptedClickhouse server;
  server.will({{.how = Reply::How::hold}});
  Rig rig(server.url(), {.answer_timeout = std::chrono::milliseconds(200)});
  const Answer answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::no_answer);
  EXPECT_THAT(answer.text, HasSubstr("no answer within 0.2 s"));
  EXPECT_TRUE(rig.ask({.sql = "x"}).ok());
  server.release();
}

TEST(HttpClient, AnAnswerThatIsTooLongIsNotTaken) {
  ScriptedClickhouse server;
  server.will({{.body = std::string(1001, 'x')}, {.body = std::string(1000, 'x')}});
  Rig rig(server.url(), {.answer_bytes_max = 1000});
  const Answer answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_THAT(answer.text, HasSubstr("longer than 1000 bytes"));
  EXPECT_FALSE(worth_a_retry(answer));
  EXPECT_TRUE(rig.ask({.sql = "x"}).ok());
}

TEST(HttpClient, RedirectsAndOtherProtocolsAreNotFollowed) {
  ScriptedClickhouse server;
  server.will({{.status = 307, .location = "https://elsewhere/"}, {.how = Reply::How::gibberish}});
  Rig rig(server.url());
  Answer answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::refused);
  EXPECT_THAT(answer.text, HasSubstr("redirect to https://elsewhere/"));
  EXPECT_FALSE(worth_a_retry(answer));
  answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::no_answer);
  EXPECT_THAT(answer.text, HasSubstr("not HTTP"));
}

TEST(HttpClient, SaysWhoCannotBeReachedAndNoPassword) {
  std::string url;
  {
    ScriptedClickhouse server;
    url = server.url("load:secret@127.0.0.1");
  }
  Rig rig(url);
  const Answer answer = rig.ask({.sql = "x"});
  EXPECT_EQ(answer.kind, Answer::Kind::no_answer);
  EXPECT_EQ(answer.http_status, 0);
  EXPECT_THAT(answer.text, AllOf(HasSubstr("connect to http://127.0.0.1:"), HasSubstr("as \"load\""),
                                 HasSubstr("Connection refused"), Not(HasSubstr("secret"))));
  Rig nowhere("http://no-such-host.invalid");
  EXPECT_THAT(nowhere.ask({.sql = "x"}).text, HasSubstr("look up the host"));
}

TEST(HttpClient, TriesEachAddressOfAHost) {
  ScriptedClickhouse server;  // of 127.0.0.1 alone; localhost may be ::1 as well
  Rig rig(server.url("localhost"));
  EXPECT_TRUE(rig.ask({.sql = "x"}).ok());
}

/// A port that takes connections and says nothing.
TEST(HttpClient, ASilentServerIsGivenUpInEveryStage) {
  boost::asio::io_context unused;
  const boost::asio::ip::tcp::acceptor silent(unused, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const std::string authority = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  const HttpClient::Limits limits{.connect_timeout = std::chrono::milliseconds(200),
                                  .answer_timeout = std::chrono::milliseconds(200)};
  Rig plain("http://" + authority, limits);
  EXPECT_THAT(plain.ask({.sql = "x"}).text, HasSubstr("no answer within 0.2 s"));
  Rig secure("https://" + authority, limits);
  EXPECT_THAT(secure.ask({.sql = "x"}).text, HasSubstr("no TLS handshake within 0.2 s"));
}

TEST(HttpClient, GivesStatementsUpWhenItGoes) {
  ScriptedClickhouse server;
  server.will({{.how = Reply::How::hold}});
  Rig rig(server.url());
  auto data = std::make_unique<std::string>(large_data());
  rig.send({.sql = "1"});
  rig.send({.sql = "2", .data = *data});
  rig.loop.run_one_for(std::chrono::milliseconds(100));
  rig.client.reset();
  data.reset();
  rig.loop.restart();
  rig.loop.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(rig.loop.stopped());  // nothing is left to wait for
  EXPECT_TRUE(rig.answers.empty());
}

TEST(HttpClient, MayBeUsedAndEndedFromWithinACallback) {
  ScriptedClickhouse server;
  Rig rig(server.url());
  rig.client->send({.sql = "1"}, [&](const Answer&) {
    rig.client->send({.sql = "2"}, [&](const Answer& answer) {
      rig.answers.push_back(answer);
      rig.client.reset();
    });
  });
  rig.await(1);
  EXPECT_TRUE(rig.answers.at(0).ok());
}

TEST(HttpClient, AnExceptionOfACallbackReachesTheLoop) {
  ScriptedClickhouse server;
  Rig rig(server.url());
  rig.client->send({.sql = "1"}, [](const Answer&) { throw std::runtime_error("final"); });
  EXPECT_THROW(rig.await(1), std::runtime_error);
  EXPECT_TRUE(rig.ask({.sql = "2"}).ok());
  EXPECT_EQ(server.requests().at(1).connection, 0U);
}

TEST(HttpClient, AGreetingNeedsNoHeaderOfClickHouses) {
  ScriptedClickhouse server;
  server.will({{.body = "Ok.\n", .clickhouse = false}});
  Rig rig(server.url());
  const Answer greeting = rig.ask({.sql = ""});
  EXPECT_TRUE(greeting.ok()) << "18.16 sends none with it: " << greeting.text;
  EXPECT_EQ(greeting.text, "Ok.\n");
}

}  // namespace
}  // namespace walstorm::clickhouse
