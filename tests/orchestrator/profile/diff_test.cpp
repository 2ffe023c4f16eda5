#include "orchestrator/profile/analysis/diff.h"

#include <gmock/gmock.h>
#include <random>

#include "orchestrator/profile/show/diff_text.h"
#include "tests/orchestrator/profile/made_profile.h"

namespace walstorm::profile {
namespace {

using test::profile_of;
using testing::HasSubstr;

const DiffRow& named(const std::vector<DiffRow>& rows, const std::string& name) {
  for (const DiffRow& row : rows) {
    if (row.name == name) return row;
  }
  ADD_FAILURE() << "no row " << name;
  static const DiffRow kNone;
  return kNone;
}

// Binomials by hand: of 10 with p = 1/2, P(X <= 1) = 11/1024.
TEST(ChanceOfSplit, IsTheBinomialsOfBothSides) {
  EXPECT_NEAR(*chance_of_split(1, 1000, 9, 1000), 2 * 11 / 1024.0, 1e-9);
  EXPECT_NEAR(*chance_of_split(9, 1000, 1, 1000), 2 * 11 / 1024.0, 1e-9);
  EXPECT_DOUBLE_EQ(*chance_of_split(5, 1000, 5, 1000), 1);
  // 0 of 3 when a third of the samples is the base's: (2/3)^3, doubled.
  EXPECT_NEAR(*chance_of_split(0, 100, 3, 200), 2 * 8 / 27.0, 1e-9);
}

TEST(ChanceOfSplit, OfNothingIsNotKnown) {
  EXPECT_EQ(chance_of_split(0, 100, 0, 100), std::nullopt);
  EXPECT_EQ(chance_of_split(3, 100, 0, 0), std::nullopt);
}

TEST(ChanceOfSplit, OfManySamplesGoesOnAsItWas) {
  EXPECT_NEAR(*chance_of_split(50'100, 1'000'000, 49'900, 1'000'000),
              *chance_of_split(50'101, 1'000'000, 49'901, 1'000'000), 0.01);
  EXPECT_LT(*chance_of_split(60'000, 1'000'000, 50'000, 1'000'000), 1e-6);
}

// Two profiles of one program differ by chance alone; so called different they are, but rarely.
TEST(ChanceOfSplit, CallsEqualOnesDifferentNoMoreOftenThanItSays) {
  constexpr unsigned kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  std::poisson_distribution<std::uint64_t> base(40), candidate(80);
  int wrong = 0;
  constexpr int kTrials = 4000;
  for (int i = 0; i < kTrials; ++i) {
    if (*chance_of_split(base(random), 1000, candidate(random), 2000) < kDifferentBelow) ++wrong;
  }
  EXPECT_LE(wrong, kTrials * kDifferentBelow * 1.3);
}

TEST(Diff, TellsWhatGrewAndWhatIsWithinChance) {
  const Profile base = profile_of({{{"main", "walstorm::consumer::Compressor::compress"}, 200},
                                   {{"main", "walstorm::consumer::PgoutputDecoder::decode"}, 780},
                                   {{"main", "walstorm::consumer::Batcher::add"}, 20}});
  const Profile now = profile_of({{{"main", "walstorm::consumer::Compressor::compress"}, 400},
                                  {{"main", "walstorm::consumer::PgoutputDecoder::decode"}, 575},
                                  {{"main", "walstorm::consumer::Batcher::add"}, 25}});
  const auto diffs = diff(base, now, Modules(), 25);
  ASSERT_EQ(diffs.size(), 1U);
  const DiffRow& compress = named(diffs[0].modules, "compress");
  EXPECT_TRUE(compress.differs());
  EXPECT_NEAR(compress.delta(), 0.2, 1e-9);
  EXPECT_FALSE(named(diffs[0].modules, "batch").differs());
  EXPECT_TRUE(named(diffs[0].functions, "walstorm::consumer::PgoutputDecoder::decode").differs());
  EXPECT_THAT(diffs[0].conclusion, HasSubstr("compress takes 40.0 % of the CPU time instead of 20.0 %"));
  const std::string text = diff_text(diffs);
  EXPECT_THAT(text, HasSubstr("+20.0 %"));
  EXPECT_THAT(text, HasSubstr("~"));
  EXPECT_THAT(text, HasSubstr("Poisson"));
}

TEST(Diff, WhatOneSideLacksIsZeroThere) {
  const auto diffs = diff(profile_of({{{"main", "f"}, 500}}),
                          profile_of({{{"main", "f"}, 400}, {{"main", "g"}, 100}}), Modules(), 25);
  EXPECT_EQ(named(diffs[0].functions, "g").base_samples, 0U);
  EXPECT_TRUE(named(diffs[0].functions, "g").differs());
}

TEST(Diff, AFunctionWithoutANameIsToldByItsLibrary) {
  const auto diffs = diff(profile_of({{{"main", "[unknown]@liblz4.so.1"}, 500}, {{"main"}, 500}}),
                          profile_of({{{"main"}, 900}}), Modules(), 25);
  EXPECT_THAT(diff_text(diffs), HasSubstr("[liblz4.so.1]"));
  EXPECT_THAT(diff_summary(diffs), HasSubstr("[liblz4.so.1]"));
}

TEST(Diff, OfTheSameSaysThatNothingChanged) {
  const Profile same = profile_of({{{"main", "f"}, 50}, {{"main", "g"}, 60}});
  EXPECT_THAT(diff(same, same, Modules(), 25)[0].conclusion, HasSubstr("no module takes another share"));
}

TEST(Diff, OfTargetsThatOnlyOneSideHasThereIsNone) {
  EXPECT_TRUE(diff(profile_of({{{"main"}, 5}}), profile_of({{{"main"}, 5, Kind::on_cpu, 0, "producer"}}),
                   Modules(), 25)
                  .empty());
}

}  // namespace
}  // namespace walstorm::profile
