// Google Benchmark's files, beside each other.

#include "orchestrator/compare/bench_changes.h"

#include <gmock/gmock.h>

#include "proto/wire/error.h"

namespace walstorm::compare {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// As Google Benchmark 1.7 writes it.
constexpr const char* kFile = R"({
  "context": {"date": "2026-11-27T20:00:00+00:00", "num_cpus": 2, "library_build_type": "release"},
  "benchmarks": [
    {"name": "decode/min_time:0.100/repeats:2", "run_name": "decode/min_time:0.100/repeats:2",
     "run_type": "iteration", "repetitions": 2, "repetition_index": 0, "threads": 1, "iterations": 10,
     "real_time": 9.0, "cpu_time": 7.0, "time_unit": "us", "items_per_second": 2.0e+06},
    {"name": "decode/min_time:0.100/repeats:2", "run_name": "decode/min_time:0.100/repeats:2",
     "run_type": "iteration", "repetitions": 2, "repetition_index": 1, "threads": 1, "iterations": 10,
     "real_time": 9.0, "cpu_time": 7.0, "time_unit": "us", "items_per_second": 4.0e+06},
    {"name": "decode/min_time:0.100/repeats:2_median", "run_name": "decode/min_time:0.100/repeats:2",
     "run_type": "aggregate", "aggregate_name": "median", "aggregate_unit": "time", "cpu_time": 7.0,
     "time_unit": "us", "items_per_second": 3.0e+06},
    {"name": "plain", "run_name": "plain", "run_type": "iteration", "cpu_time": 7.5, "time_unit": "us"},
    {"name": "broken", "run_name": "broken", "run_type": "iteration", "error_occurred": true,
     "error_message": "no"},
    {"name": "summed_median", "run_name": "summed", "run_type": "aggregate", "aggregate_name": "median",
     "cpu_time": 2, "time_unit": "ms"},
    {"name": "summed_cv", "run_name": "summed", "run_type": "aggregate", "aggregate_name": "cv",
     "cpu_time": 0.1, "time_unit": "ms"}
  ]
})";

Bench bench(const std::string& name, std::vector<double> cpu_ns) {
  return {name, std::move(cpu_ns)};
}

TEST(BenchFile, EachRepetitionIsASampleOfTheTimeOfOneItem) {
  const auto benches = parse_benches(kFile, "f");
  ASSERT_EQ(benches.size(), 3U);
  EXPECT_EQ(benches[0].name, "decode");
  EXPECT_THAT(benches[0].cpu_ns, ElementsAre(500, 250));
  EXPECT_EQ(benches[1].name, "plain");
  EXPECT_THAT(benches[1].cpu_ns, ElementsAre(7500));
  EXPECT_EQ(benches[2].name, "summed");
  EXPECT_THAT(benches[2].cpu_ns, ElementsAre(2e6));
}

TEST(BenchFile, AnythingElseIsNone) {
  for (const char* text : {"", "[]", "{}", "main;f 3\n", R"({"flamebearer": {}})", R"({"benchmarks": 3})"}) {
    EXPECT_FALSE(is_bench_file(text)) << text;
    EXPECT_THROW((void)parse_benches(text, "f"), wire::Error) << text;
  }
  EXPECT_THROW((void)parse_benches(R"({"benchmarks": [{"name": 3}]})", "f"), wire::Error);
}

TEST(BenchFile, WhatIsWrittenIsRead) {
  const std::string text =
      bench_file_text({bench("a/b", {73.64, 8}), bench("c", {9})}, {{"gitRevision", "abc"}});
  EXPECT_THAT(text, HasSubstr("\"gitRevision\":\"abc\""));
  const auto benches = parse_benches(text, "f");
  ASSERT_EQ(benches.size(), 2U);
  EXPECT_EQ(benches[0].name, "a/b");
  EXPECT_THAT(benches[0].cpu_ns, ElementsAre(73.6, 8));
}

TEST(BenchName, LosesHowLongItRan) {
  EXPECT_EQ(bench_name("encode/native/lz4/min_time:0.100/repeats:5"), "encode/native/lz4");
  EXPECT_EQ(bench_name("f/1024/threads:2"), "f/1024/threads:2");
  EXPECT_EQ(bench_name("plain"), "plain");
}

TEST(BenchChanges, AreToldWhereTheRepetitionsCan) {
  const auto changes = bench_changes(
      {bench("slower", {10, 11, 12, 13, 14}), bench("same", {10, 11, 12, 13, 14}), bench("gone", {1})},
      {bench("same", {11, 10, 13, 12, 14.5}), bench("slower", {20, 21, 22, 23, 24}), bench("new", {1})});
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[0].said, Said::worse);
  EXPECT_EQ(changes[1].said, Said::same);
  EXPECT_EQ(changes[2].path, "gone");
  EXPECT_EQ(changes[3].path, "new");
  EXPECT_FALSE(changes[3].change);
  const std::string text = bench_text(changes);
  EXPECT_THAT(text, AllOf(HasSubstr("+83.3 % worse"), HasSubstr(" ~ "), HasSubstr("5, 5"),
                          HasSubstr("12.0 ns"), HasSubstr("of 2 benches, chance alone makes up to 1")));
}

TEST(BenchChanges, OfOneRepetitionAreShownAndNotTold) {
  const std::string text = bench_text(bench_changes({bench("a", {1000})}, {bench("a", {2000})}));
  EXPECT_THAT(text, AllOf(HasSubstr("+100 % ?"), HasSubstr("1.0 µs"), HasSubstr("4 a side could"),
                          Not(HasSubstr("worse"))));
}

}  // namespace
}  // namespace walstorm::compare
