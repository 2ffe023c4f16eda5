#include "producer/content_check.h"

#include <array>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace walstorm::producer {
namespace {

std::vector<RowVersion> rows_from(std::uint64_t first, std::uint64_t count) {
  std::vector<RowVersion> rows;
  for (std::uint64_t i = 0; i < count; ++i) rows.push_back({{first + i}, 0});
  return rows;
}

TEST(Sample, DrawsEveryRowOfAPopulationEquallyOften) {
  // Of 90 frozen rows only 30 are known: each stands for three.
  std::uint64_t remembered = 0;
  std::map<std::uint64_t, int> drawn;
  Random random(11);
  for (int i = 0; i < 10'000; ++i) {
    const auto sample = pick_sample({{rows_from(0, 10), 10}, {rows_from(1000, 30), 90}}, 10, random);
    ASSERT_EQ(sample.size(), 10U);
    for (const RowVersion row : sample) {
      remembered += row.id.value < 1000 ? 1 : 0;
      ++drawn[row.id.value];
    }
  }
  EXPECT_NEAR(static_cast<double>(remembered), 10'000, 500);
  for (const auto& [id, times] : drawn) EXPECT_NEAR(times, id < 1000 ? 1000 : 3000, 300) << "row " << id;
}

TEST(Sample, DrawsNoRowTwiceAndNoMoreThanThereAre) {
  Random random(12);
  const auto sample = pick_sample({{rows_from(0, 10), 10}, {rows_from(100, 5), 50}, {{}, 0}}, 1000, random);
  std::set<std::uint64_t> ids;
  for (const RowVersion row : sample) EXPECT_TRUE(ids.insert(row.id.value).second);
  EXPECT_EQ(ids.size(), 15U);
  EXPECT_TRUE(pick_sample({}, 10, random).empty());
}

class Comparison : public ::testing::Test {
 protected:
  Comparison() {
    source_.encode({RowId::of(0, 1), 0}, kAllColumns, expected_);
    for (std::size_t i = 0; i < kColumnCount; ++i) {
      const EncodedRows::Field& field = expected_.fields()[i];
      if (field.length >= 0)
        actual_[i].emplace(expected_.data(field), static_cast<std::size_t>(field.length));
    }
  }

  RowSource source_{1, 100, 0.5};
  EncodedRows expected_;
  std::array<std::optional<std::string_view>, kColumnCount> actual_;
};

TEST_F(Comparison, FindsNothingInARowThatIsTheSame) {
  EXPECT_TRUE(differing_columns(expected_, actual_).empty());
}

TEST_F(Comparison, NamesEveryColumnThatDiffers) {
  for (std::size_t i = 0; i < kColumnCount; ++i) {
    auto altered = actual_;
    altered[i] = altered[i] ? std::optional<std::string_view>() : "";
    EXPECT_EQ(differing_columns(expected_, altered), std::vector{wire::kTaskRunColumns[i].name});
    altered[i] = "other bytes";
    EXPECT_EQ(differing_columns(expected_, altered), std::vector{wire::kTaskRunColumns[i].name});
  }
}

TEST(ContentReport, CountsAllDifferencesButTellsTen) {
  ContentReport report;
  report.add_match();
  for (int i = 0; i < 25; ++i) report.add_difference(fmt::format("row {} is not there", i));
  EXPECT_EQ(report.sampled, 26U);
  EXPECT_EQ(report.matching, 1U);
  EXPECT_EQ(report.differences.size(), 10U);
}

}  // namespace
}  // namespace walstorm::producer
