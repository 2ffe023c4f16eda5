#include "consumer/sink/clickhouse_sink.h"

#include <chrono>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "consumer/encode/block_form.h"
#include "consumer/sink/flusher.h"
#include "proto/wire/error.h"
#include "tests/support/scripted_clickhouse.h"

namespace walstorm::consumer {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::refusal;
using tests::Reply;
using tests::ScriptedClickhouse;
using tests::SeenRequest;

constexpr const char* kToken = "insert_deduplication_token";

proto::Setup setup_for(const ScriptedClickhouse& server) {
  proto::Setup setup;
  setup.set_run_id("run-1");
  setup.set_worker("consumer-0");
  proto::ConsumerSetup& consumer = *setup.mutable_consumer();
  consumer.set_flush_concurrency_max(4);
  consumer.set_buffered_bytes_max(64U << 20U);
  consumer.set_sink_give_up_ms(20'000);
  proto::ClickhouseSinkSetup& sink = *consumer.mutable_clickhouse();
  sink.set_url(server.url("load:secret@127.0.0.1"));
  sink.set_table("`walstorm`.`task_runs`");
  sink.set_has_deduplication_token(true);
  (*sink.mutable_settings())["wait_for_async_insert"] = "1";
  return setup;
}

/// The sink under a flusher, with back-offs of milliseconds.
struct Rig {
  explicit Rig(const proto::Setup& setup, std::int64_t give_up_us = 20'000'000)
      : sink(loop, meter, setup),
        flusher(
            loop, clock, meter,
            {.concurrency_max = setup.consumer().flush_concurrency_max(),
             .give_up_us = give_up_us,
             .backoff = {.first_us = 4'000, .max_us = 1'000'000}},
            sink, pool,
            {[this](const Batch& batch, std::int64_t, std::int64_t) { acknowledged.push_back(batch.number); },
             [this](const Batch&, const Landing& landing, bool) {
               attempts.push_back({clock.steady_us(), landing});
             }}) {
    BlockLayout columns;
    columns.columns = {{"id", ColumnKind::string, false, 25}, {"row_hash", ColumnKind::hash, false, 20}};
    columns.row_hash = 1;
    layout = std::make_shared<const BlockLayout>(columns);
  }

  [[nodiscard]] std::unique_ptr<Batch> batch(std::uint64_t number, std::size_t rows = 1) {
    auto made = pool.take(layout);
    made->number = number;
    const std::string id = "row of batch " + std::to_string(number);
    const std::vector<Value> row{{ValueKind::text, id}, {ValueKind::text, "1"}};
    for (std::size_t i = 0; i < rows; ++i) {
      made->block->append({.values = row});
      made->changes.add_insert(number);
      made->note(wire::Lsn{0x1000 * number + i}, 0, {});
    }
    return made;
  }

  /// Turns the loop until `happened`.
  void await(const std::function<bool()>& happened) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!happened() && std::chrono::steady_clock::now() < deadline) {
      loop.restart();
      loop.run_one_for(milliseconds(20));
    }
    ASSERT_TRUE(happened());
  }
  void await_acknowledged(std::size_t count) {
    await([&] { return acknowledged.size() >= count; });
  }

  struct Attempt {
    std::int64_t ended_us;
    Landing landing;
  };

  boost::asio::io_context loop;
  wire::SystemClock clock;
  BusyMeter meter{clock};
  BatchPool pool{1U << 20U, [] { return make_block({}); }};
  std::shared_ptr<const BlockLayout> layout;
  std::vector<std::uint64_t> acknowledged;
  std::vector<Attempt> attempts;
  ClickhouseSink sink;
  Flusher flusher;
};

/// What the loop throws.
wire::Error error_of(Rig& rig) {
  try {
    rig.await([] { return false; });
  } catch (const wire::Error& error) {
    return error;
  }
  return {wire::ErrorKind::internal, "it went on"};
}

TEST(ClickhouseSink, OnlyClickHousesEmptyAnswerAcknowledges) {
  ScriptedClickhouse server;
  server.will({{.body = "<html>Log in</html>", .clickhouse = false}, {.body = "words"}});
  Rig rig(setup_for(server));
  rig.flusher.submit(rig.batch(1));
  rig.await([&] { return rig.acknowledged.size() == 1 && rig.attempts.size() == 3; });
}

TEST(ClickhouseSink, InsertsABatchWithItsColumnsNamed) {
  ScriptedClickhouse server;
  Rig rig(setup_for(server));
  auto batch = rig.batch(7, 3);
  std::string encoded;
  batch->block->serialize(encoded);
  rig.flusher.submit(std::move(batch));
  rig.await_acknowledged(1);
  const SeenRequest seen = server.requests().at(0);
  EXPECT_THAT(
      seen.parameters.at("query"),
      AllOf(HasSubstr("INSERT INTO `walstorm`.`task_runs` (`id`, `row_hash`, `_version`, `_is_deleted`"),
            HasSubstr(") FORMAT Native")));
  EXPECT_EQ(seen.body, encoded);
  EXPECT_EQ(seen.parameters.at("wait_for_async_insert"), "1");
  EXPECT_EQ(seen.parameters.at(kToken), "walstorm-run-1-consumer-0-7");
  EXPECT_EQ(seen.headers.count("content-encoding"), 0U);
  EXPECT_THAT(seen.target, Not(HasSubstr("secret")));
  EXPECT_EQ(rig.attempts.at(0).landing.encoded_bytes, encoded.size());
  EXPECT_EQ(rig.attempts.at(0).landing.wire_bytes, encoded.size());
}

TEST(ClickhouseSink, SendsNoSettingThatTheServerDoesNotKnow) {
  ScriptedClickhouse server;
  proto::Setup setup = setup_for(server);
  setup.mutable_consumer()->mutable_clickhouse()->set_has_deduplication_token(false);
  setup.mutable_consumer()->mutable_clickhouse()->clear_settings();
  Rig rig(setup);
  rig.flusher.submit(rig.batch(1));
  rig.await_acknowledged(1);
  EXPECT_EQ(server.requests().at(0).parameters.size(), 1U);
}

TEST(ClickhouseSink, NamesTheFormatAndTheCompression) {
  const std::map<proto::InsertFormat, std::string> formats = {
      {proto::INSERT_FORMAT_NATIVE, "Native"},
      {proto::INSERT_FORMAT_ROW_BINARY, "RowBinary"},
      {proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW, "JSONCompactEachRow"}};
  const std::map<proto::Compression, std::string> encodings = {
      {proto::COMPRESSION_LZ4, "lz4"}, {proto::COMPRESSION_ZSTD, "zstd"}, {proto::COMPRESSION_GZIP, "gzip"}};
  for (const auto& [format, format_name] : formats) {
    for (const auto& [compression, encoding] : encodings) {
      ScriptedClickhouse server;
      proto::Setup setup = setup_for(server);
      setup.mutable_consumer()->set_insert_format(format);
      setup.mutable_consumer()->set_compression(compression);
      Rig rig(setup);
      auto batch = rig.batch(1, 1000);
      std::string encoded;
      batch->block->serialize(encoded);
      Compressor compressor(compression);
      std::string room;
      const std::string compressed(compressor.compress(encoded, room));
      rig.flusher.submit(std::move(batch));
      rig.await_acknowledged(1);
      const SeenRequest seen = server.requests().at(0);
      EXPECT_THAT(seen.parameters.at("query"), testing::EndsWith(" FORMAT " + format_name));
      EXPECT_EQ(seen.headers.at("content-encoding"), encoding);
      EXPECT_EQ(seen.body, compressed);
      EXPECT_EQ(rig.attempts.at(0).landing.encoded_bytes, encoded.size());
      EXPECT_EQ(rig.attempts.at(0).landing.wire_bytes, compressed.size());
    }
  }
}

/// Every way to fail that may pass by itself.
std::vector<Reply> passing_failures() {
  return {refusal(252, "Too many parts (300). Merges are processing significantly slower than inserts"),
          refusal(241, "Memory limit (total) exceeded"),
          refusal(159, "Timeout exceeded", 408),
          {.status = 500, .body = "Code: 209, e.displayText() = DB::NetException: Timeout, e.what() = x"},
          {.exception_code = 202},
          {.body = "Code: 210. DB::NetException: Connection reset by peer"},
          {.status = 502, .body = "<html>Bad Gateway</html>"},
          {.status = 503},
          {.how = Reply::How::cut},
          {.how = Reply::How::cut_within},
          {.how = Reply::How::answer_early, .status = 503}};
}

TEST(ClickhouseSink, ABatchIsSentAgainAsTheSameBytesUnderTheSameTokenUntilItIsLanded) {
  for (const proto::Compression compression :
       {proto::COMPRESSION_NONE, proto::COMPRESSION_LZ4, proto::COMPRESSION_ZSTD, proto::COMPRESSION_GZIP}) {
    for (const Reply& failure : passing_failures()) {
      ScriptedClickhouse server;
      server.will({failure, failure});
      proto::Setup setup = setup_for(server);
      setup.mutable_consumer()->set_compression(compression);
      Rig rig(setup);
      rig.flusher.submit(rig.batch(5, 500));
      rig.await_acknowledged(1);
      const auto requests = server.requests();
      ASSERT_EQ(requests.size(), 3U) << failure.body;
      for (const SeenRequest& request : requests) {
        EXPECT_EQ(request.target, requests[0].target);
        if (failure.how != Reply::How::answer_early) {
          EXPECT_EQ(request.body, requests[2].body);
        }
      }
      EXPECT_EQ(requests[0].parameters.at(kToken), "walstorm-run-1-consumer-0-5");
      ASSERT_EQ(rig.attempts.size(), 3U);
      EXPECT_NE(rig.attempts[0].landing.error, "");
      EXPECT_EQ(rig.attempts[2].landing.error, "");
      EXPECT_EQ(rig.acknowledged, std::vector<std::uint64_t>{5});
      EXPECT_EQ(rig.sink.held_bytes(), 0U);
    }
  }
}

TEST(ClickhouseSink, LosesAndDoublesNothingInAStormOfFailures) {
  constexpr std::uint64_t kBatches = 60;
  constexpr unsigned kSeed = 20;
  std::mt19937 random(kSeed);
  ScriptedClickhouse server;
  const auto failures = passing_failures();
  std::vector<Reply> script;
  std::generate_n(std::back_inserter(script), 80,
                  [&] { return random() % 2 == 0 ? Reply{} : failures[random() % failures.size()]; });
  server.will(script);
  Rig rig(setup_for(server));
  for (std::uint64_t number = 1; number <= kBatches; ++number) rig.flusher.submit(rig.batch(number, number));
  rig.await_acknowledged(kBatches);
  EXPECT_EQ(std::set<std::uint64_t>(rig.acknowledged.begin(), rig.acknowledged.end()).size(), kBatches);
  EXPECT_EQ(rig.acknowledged.size(), kBatches);
  // One body for one token, and one token for each batch.
  std::map<std::string, std::set<std::string>> bodies;
  for (const SeenRequest& request : server.requests()) {
    if (!request.body.empty()) bodies[request.parameters.at(kToken)].insert(request.body);
  }
  EXPECT_EQ(bodies.size(), kBatches);
  for (const auto& [token, variants] : bodies) EXPECT_EQ(variants.size(), 1U) << token;
  EXPECT_EQ(rig.sink.held_bytes(), 0U);
  EXPECT_EQ(rig.flusher.in_flight(), 0U);
}

TEST(ClickhouseSink, BacksOffLongerAfterEachFailureAndSaysWhatToTurn) {
  ScriptedClickhouse server;
  const Reply too_many = refusal(252, "Too many parts (300)");
  server.will({too_many, too_many, too_many, too_many, too_many});
  Rig rig(setup_for(server));
  rig.flusher.submit(rig.batch(1));
  rig.await_acknowledged(1);
  ASSERT_EQ(rig.attempts.size(), 6U);
  EXPECT_THAT(rig.attempts[0].landing.error,
              AllOf(HasSubstr("Code: 252"), HasSubstr("raise consumer.flushBatchSize"),
                    HasSubstr("lower consumer.maxFlushConcurrency")));
  for (std::size_t i = 1; i < rig.attempts.size(); ++i) {
    const std::int64_t least_us = 2'000 << (i - 1);  // half of 4 ms, then twice as long each time
    EXPECT_GE(rig.attempts[i].ended_us - rig.attempts[i - 1].ended_us, least_us) << i;
  }
}

TEST(ClickhouseSink, AnErrorThatWillNotPassEndsItAndSaysWhatToDo) {
  struct Case {
    Reply reply;
    std::vector<std::string> says;
  };
  const std::vector<Case> cases = {
      {refusal(60, "Table walstorm.task_runs does not exist", 404),
       {"Code: 60", "task_runs does not exist", "start of each run"}},
      {refusal(516, "load: Authentication failed", 403),
       {"Code: 516", "user and password in clickhouse.url"}},
      {{.status = 401,
        .body = "Code: 193, e.displayText() = DB::Exception: Wrong password for user load, e.what() = x"},
       {"Code: 193", "user and password in clickhouse.url"}},
      {refusal(164, "Cannot insert in readonly mode"), {"Code: 164", "readonly"}},
      {refusal(16, "No such column x in table", 404), {"Code: 16", "clickhouse.database"}},
      {{.status = 500,
        .body = "Code: 33, e.displayText() = DB::Exception: Cannot read all data, e.what() = x"},
       {"Code: 33", "consumer.insertFormat"}},
      {{.status = 500, .exception_code = 497, .body = "not granted"},
       {"error 497: not granted", "the right to INSERT"}},
      {{.status = 404, .body = "no such page"}, {"HTTP status 404: no such page"}},
      {{.status = 307, .location = "https://elsewhere/"}, {"redirect to https://elsewhere/"}}};
  for (const Case& one : cases) {
    ScriptedClickhouse server;
    server.will({one.reply});
    Rig rig(setup_for(server));
    rig.flusher.submit(rig.batch(3, 2));
    const wire::Error error = error_of(rig);
    EXPECT_EQ(error.kind(), wire::ErrorKind::data);
    const std::string text = error.what();
    EXPECT_THAT(
        text,
        AllOf(HasSubstr("insert the 2 records from 0/3000 to 0/3001 into `walstorm`.`task_runs` at http://"),
              HasSubstr("not confirmed past them"), Not(HasSubstr("secret"))));
    for (const std::string& part : one.says) EXPECT_THAT(text, HasSubstr(part));
    EXPECT_TRUE(rig.acknowledged.empty());
    EXPECT_EQ(rig.flusher.in_flight(), 1U);  // never dropped
    EXPECT_EQ(server.requests().size(), 1U);
  }
}

/// Protobuf refuses to parse a frame with a text that is not: a proxy's page failed the whole run.
TEST(ClickhouseSink, AnAnswerThatIsNotUtf8IsMadeSo) {
  ScriptedClickhouse server;
  const std::string page = "<h1>Service indisponible : syst\xE8me satur\xE9</h1>";
  server.will(
      {{.status = 503, .body = page}, {.status = 503, .body = std::string(999, 'x') + "\u00e9\u00e9"}});
  Rig rig(setup_for(server));
  rig.flusher.submit(rig.batch(1));
  rig.await_acknowledged(1);
  ASSERT_EQ(rig.attempts.size(), 3U);
  EXPECT_THAT(rig.attempts[0].landing.error, HasSubstr("syst\uFFFDme satur\uFFFD"));
  for (const auto& attempt : rig.attempts) {
    proto::MetricsFrame frame;
    frame.mutable_sample()->mutable_consumer()->set_flush_error_last(attempt.landing.error);
    EXPECT_TRUE(proto::MetricsFrame().ParseFromString(frame.SerializeAsString())) << attempt.landing.error;
  }
}

TEST(ClickhouseSink, ALongErrorIsCutShort) {
  ScriptedClickhouse server;
  server.will({refusal(60, std::string(100'000, 'x'), 404)});
  Rig rig(setup_for(server));
  rig.flusher.submit(rig.batch(1));
  EXPECT_LT(std::string(error_of(rig).what()).size(), 1200U);
}

TEST(ClickhouseSink, AServerThatStaysAwayIsGivenUp) {
  auto server = std::make_unique<ScriptedClickhouse>();
  Rig rig(setup_for(*server), 300'000);
  rig.flusher.submit(rig.batch(1));
  rig.await_acknowledged(1);
  server.reset();
  rig.flusher.submit(rig.batch(2));
  const wire::Error error = error_of(rig);
  EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("connect to http://127.0.0.1:"),
                                  HasSubstr("clickhouse.giveUpSec"), Not(HasSubstr("secret"))));
  EXPECT_EQ(rig.acknowledged.size(), 1U);
  EXPECT_EQ(rig.flusher.in_flight(), 1U);
  EXPECT_EQ(rig.sink.held_bytes(), 0U);
}

TEST(ClickhouseSink, SlowAnswersHoldTheirBodiesAndUpToSoManyConnections) {
  ScriptedClickhouse server;
  server.will(std::vector<Reply>(4, Reply{.how = Reply::How::hold}));
  Rig rig(setup_for(server));
  for (std::uint64_t number = 1; number <= 10; ++number) rig.flusher.submit(rig.batch(number, 100));
  rig.await([&] { return server.requests().size() == 4; });
  std::uint64_t bodies = 0;
  for (const SeenRequest& request : server.requests()) bodies += request.body.size();
  EXPECT_GE(rig.sink.held_bytes(), bodies);
  EXPECT_LT(rig.sink.held_bytes(), 3 * bodies);
  EXPECT_TRUE(rig.acknowledged.empty());
  server.release();
  rig.await_acknowledged(10);
  EXPECT_EQ(rig.sink.held_bytes(), 0U);
  for (const SeenRequest& request : server.requests()) EXPECT_LT(request.connection, 4U);
}

TEST(ClickhouseSink, RefusesASetupThatItDoesNotUnderstand) {
  ScriptedClickhouse server;
  proto::Setup setup = setup_for(server);
  setup.mutable_consumer()->set_insert_format(static_cast<proto::InsertFormat>(9));
  EXPECT_THROW(Rig rig(setup), wire::Error);
  setup = setup_for(server);
  setup.mutable_consumer()->mutable_clickhouse()->set_url("load:secret@nowhere");
  try {
    Rig rig(setup);
    FAIL() << "is taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("clickhouse.url"), Not(HasSubstr("secret"))));
  }
}

}  // namespace
}  // namespace walstorm::consumer
