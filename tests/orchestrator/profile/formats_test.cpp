// The files in which profiles come and go.

#include <gmock/gmock.h>
#include <sstream>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/stacks/flamebearer.h"
#include "orchestrator/profile/stacks/folded.h"
#include "orchestrator/profile/stacks/gzip.h"
#include "orchestrator/profile/stacks/pprof.h"
#include "orchestrator/profile/stacks/speedscope.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/profile/made_profile.h"

namespace walstorm::profile {
namespace {

using test::lines_of;
using test::profile_of;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using wire::Error;

Profile example() {
  return profile_of({{{"main", "decode"}, 3},
                     {{"main", "decode", "k:sys_read"}, 1},
                     {{"main", "k:wait"}, 2, Kind::off_cpu, 5'000'000},
                     {{"[unknown]@liblz4.so"}, 4, Kind::on_cpu, 0, "producer", "peak", true}});
}

TEST(Folded, OnCpuStacksWeighSamplesAndOffCpuStacksMicroseconds) {
  EXPECT_EQ(folded_text(example(), Kind::on_cpu),
            "consumer;main;decode 3\nconsumer;main;decode;sys_read_[k] 1\nproducer;[liblz4.so] 4\n");
  EXPECT_EQ(folded_text(example(), Kind::off_cpu), "consumer;main;wait_[k] 5000\n");
}

TEST(Folded, NamesWithBlanksComeBack) {
  std::istringstream in("main;void run<int, long>;sys_read_[k] 12\nmain;no count\n\n# a comment\nmain 1\n");
  const FoldedRead read = read_folded(in, "app");
  EXPECT_THAT(lines_of(read.profile),
              ElementsAre("/app/on-cpu main;void run<int, long>;sys_read 12 0", "/app/on-cpu main 1 0"));
  EXPECT_EQ(read.lines_unread, 1U);
  EXPECT_TRUE(read.profile.frames()[2].kernel);
}

TEST(Folded, AFunctionWithoutANameIsStillOfItsLibrary) {
  std::istringstream in("main;[liblz4.so.1] 4\n");
  const FoldedRead read = read_folded(in, "app");
  EXPECT_EQ(read.profile.frames()[1], (Frame{"[unknown]", "liblz4.so.1", false}));
}

TEST(Pprof, WhatIsWrittenIsRead) {
  const std::string file = pprof_file(example(), {1'000'000, 2.5, 99});
  EXPECT_TRUE(is_gzip(file));
  EXPECT_EQ(lines_of(read_pprof(file, "unused")), lines_of(example()));
}

TEST(Pprof, DamageIsSaidAndNotReadAsNothing) {
  const std::string file = pprof_file(example(), {});
  EXPECT_THROW((void)read_pprof(file.substr(0, file.size() / 2), "t"), Error);
  EXPECT_THROW((void)read_pprof("main;f 3\n", "t"), Error);
  EXPECT_THROW((void)read_pprof("", "t"), Error);
}

TEST(Gzip, UnpacksNoMoreThanItIsTold) {
  const std::string packed = gzip(std::string(1'000'000, 'a'));
  EXPECT_EQ(gunzip(packed, 1'000'000), std::string(1'000'000, 'a'));
  EXPECT_THROW((void)gunzip(packed, 999'999), Error);
}

TEST(Speedscope, EachTargetAndKindIsASampledProfileOfTheSharedFrames) {
  const auto file = nlohmann::json::parse(speedscope_json(example(), "load"));
  EXPECT_EQ(file["$schema"], "https://www.speedscope.app/file-format-schema.json");
  const auto& frames = file["shared"]["frames"];
  ASSERT_EQ(file["profiles"].size(), 3U);
  for (const auto& profile : file["profiles"]) {
    EXPECT_EQ(profile["type"], "sampled");
    ASSERT_EQ(profile["samples"].size(), profile["weights"].size());
    std::uint64_t sum = 0;
    for (const auto& weight : profile["weights"]) sum += weight.get<std::uint64_t>();
    EXPECT_EQ(profile["endValue"], sum);
    for (const auto& sample : profile["samples"]) {
      for (const auto& number : sample) EXPECT_LT(number.get<std::size_t>(), frames.size());
    }
  }
  const auto& consumer = file["profiles"][0];
  EXPECT_EQ(consumer["name"], "consumer, on-cpu");
  EXPECT_EQ(consumer["unit"], "nanoseconds");
  EXPECT_EQ(frames[consumer["samples"][0][0].get<std::size_t>()]["name"], "main");
}

// As GET /render answers: each bar is [offset from the end of the one before, total, self, name].
TEST(Flamebearer, BarsBecomeTheStacksThatTheyAreMadeOf) {
  const auto profile = read_flamebearer(
      R"({"version": 1,
          "flamebearer": {"names": ["total", "main", "read", "decode", "idle"], "numTicks": 100, "maxSelf": 60,
            "levels": [[0, 100, 0, 0], [0, 90, 10, 1, 0, 10, 10, 4], [10, 20, 20, 2, 0, 60, 60, 3]]},
          "metadata": {"format": "single", "sampleRate": 100, "units": "samples"}})",
      "app");
  EXPECT_THAT(
      lines_of(profile),
      UnorderedElementsAre("/app/on-cpu main 10 100000000", "/app/on-cpu idle 10 100000000",
                           "/app/on-cpu main;read 20 200000000", "/app/on-cpu main;decode 60 600000000"));
}

TEST(Flamebearer, WhatIsNoneIsSaid) {
  const auto read = [](const char* text) { return read_flamebearer(text, "t"); };
  EXPECT_THROW((void)read("not json"), Error);
  EXPECT_THROW((void)read("{}"), Error);
  EXPECT_THROW((void)read(R"({"flamebearer": {"names": ["total"], "levels": [[0, 1]]}})"), Error);
  EXPECT_THROW((void)read(R"({"flamebearer": {"names": ["total"], "levels": [[0, 1, 1, 7]]}})"), Error);
  EXPECT_THROW(
      (void)read(R"({"flamebearer": {"names": [], "levels": []}, "metadata": {"format": "double"}})"), Error);
}

}  // namespace
}  // namespace walstorm::profile
