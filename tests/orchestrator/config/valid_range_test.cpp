// The limits of every number: the last value within is taken, the first outside is refused, in words.
#include <cmath>
#include <gtest/gtest.h>

#include "config_verbs.h"
#include "orchestrator/config/json/schema.h"

namespace walstorm::config {
namespace {

struct Range {
  std::string pointer;
  double min;
  double max;
};

void PrintTo(const Range& range, std::ostream* out) {
  *out << range.pointer;
}

std::string config_with(const std::string& pointer, double value, bool whole) {
  // Wide enough for every value to pass the rules between keys.
  Json document = Json::parse(R"({"phases": [{"name": "a", "durationSec": 1}], "producer": {"batchSize": 1,
                                  "connections": 1, "workerCount": 1, "payloadSizeKB": 0.0625}})");
  document[Pointer(pointer)] = whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
  return document.dump();
}

class ValidRange : public testing::TestWithParam<Range> {};

TEST_P(ValidRange, TakesItsLimitsAndNothingBeyond) {
  const auto& [pointer, min, max] = GetParam();
  const auto node = schema_at(Pointer(pointer), Json::parse(config_with(pointer, min, true)));
  ASSERT_TRUE(node);
  const bool whole = node->value("type", "") == "integer";
  const double step = whole ? 1 : 0.01;
  const auto number = [](double value) {
    return std::trunc(value) == value ? Json(static_cast<std::int64_t>(value)).dump() : Json(value).dump();
  };
  gives(config_with(pointer, min, whole), pointer, min);
  gives(config_with(pointer, max, whole), pointer, max);
  rejects(config_with(pointer, min - step, whole),
          {"config.json: " + pointer + ": " + number(min - step) + ": must be at least " + number(min)});
  rejects(config_with(pointer, max + step, whole),
          {"config.json: " + pointer + ": " + number(max + step) + ": must be at most " + number(max)});
}

INSTANTIATE_TEST_SUITE_P(
    OfTheSchema, ValidRange,
    testing::Values(Range{"/phases/0/durationSec", 1, 604800}, Range{"/phases/0/records", 1, 1e11},
                    Range{"/phases/0/targetThroughput", 1, 1e7}, Range{"/producer/maxLiveRows", 1, 1e7},
                    Range{"/producer/preloadRows", 0, 1e9}, Range{"/database/giveUpSec", 1, 86400},
                    Range{"/producer/insertUpdateRatio", 0, 1}, Range{"/producer/deleteRatio", 0, 1},
                    Range{"/producer/batchSize", 1, 100000}, Range{"/producer/payloadSizeKB", 0, 10240},
                    Range{"/producer/payloadEntropy", 0, 1}, Range{"/producer/connections", 1, 256},
                    Range{"/producer/workerCount", 1, 64}, Range{"/consumer/flushBatchSize", 1, 1e6},
                    Range{"/consumer/flushIntervalMs", 1, 60000},
                    Range{"/consumer/maxFlushConcurrency", 1, 1024},
                    Range{"/consumer/mockClickhouseDelay", 0, 60000},
                    Range{"/consumer/mock/maxRecordsPerSec", 0, 1e7},
                    Range{"/consumer/mock/jitterMs", 0, 60000}, Range{"/consumer/mock/errorRate", 0, 1},
                    Range{"/clickhouse/giveUpSec", 1, 86400}, Range{"/consumer/maxBufferedMB", 1, 16384},
                    Range{"/drain/timeoutSec", 0.1, 86400}, Range{"/stop/graceSec", 0.1, 600}));

TEST(ValidRange, OfTheSeedIsWhatEveryJsonToolKeeps) {
  gives(R"({"seed": 9007199254740991})", "/seed", 9007199254740991);
  rejects(R"({"seed": 9007199254740992})",
          {"config.json: /seed: 9007199254740992: must be at most 9007199254740991"});
  rejects(R"({"seed": -1})", {"config.json: /seed: -1: must be at least 0"});
}

/// Of a schema node and everything below it.
void expect_bounded(const Json& node, const std::string& where) {
  const Json type = node.is_object() ? node.value("type", Json()) : Json();
  if (type == "integer" || type == "number") {
    EXPECT_TRUE(node.contains("minimum") && node.contains("maximum"))
        << where << " has a side without a limit";
  }
  if (type == "array") {
    EXPECT_TRUE(node.contains("maxItems")) << where << " has no limit";
  }
  for (const auto& [key, child] : node.items()) {
    if (child.is_structured()) expect_bounded(child, where + "/" + key);
  }
}

TEST(ValidRange, IsGivenForEveryNumberAndListOfTheSchema) {
  expect_bounded(schema(), "");
}

TEST(ValidRange, EveryDefaultIsWithinIt) {
  Json document = Json::object();
  complete(schema(), document);
  document["consumer"]["useMockClickhouse"] = true;  // the sink is no matter of ranges
  const auto refusal = refusal_of({.file = document.dump()});
  EXPECT_FALSE(refusal) << refusal->message;
}

}  // namespace
}  // namespace walstorm::config
