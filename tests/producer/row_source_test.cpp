#include "producer/rows/row_source.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace walstorm::producer {
namespace {

constexpr std::uint64_t kSeed = 9;
constexpr std::int64_t kEpoch2025Us = 789'004'800'000'000;  // 2025-01-01 in microseconds since 2000-01-01

/// A row taken apart again.
class Row {
 public:
  Row(const RowSource& source, RowVersion row, Columns columns = kAllColumns) : columns_(columns) {
    source.encode(row, columns, rows_);
  }

  [[nodiscard]] std::optional<std::string> bytes(std::string_view column) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (wire::kTaskRunColumns[columns_[i]].name != column) continue;
      const EncodedRows::Field& field = rows_.fields()[i];
      if (field.length < 0) return std::nullopt;
      return std::string(rows_.data(field), static_cast<std::size_t>(field.length));
    }
    ADD_FAILURE() << "no column " << column;
    return std::nullopt;
  }
  [[nodiscard]] std::string text(std::string_view column) const { return bytes(column).value(); }
  [[nodiscard]] std::int64_t number(std::string_view column) const { return big_endian(text(column)); }
  [[nodiscard]] bool is_null(std::string_view column) const { return !bytes(column); }
  [[nodiscard]] const EncodedRows& encoded() const { return rows_; }

  static std::int64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(value);
  }

 private:
  Columns columns_;
  EncodedRows rows_;
};

RowSource source() {
  return RowSource(kSeed, 200, 0.5);
}

TEST(RowSource, MakesTheSameRowAgain) {
  const RowVersion row{RowId::of(3, 77), 2};
  const RowSource one = source();
  const RowSource other = source();
  EXPECT_EQ(Row(one, row).encoded().bytes(), Row(other, row).encoded().bytes());
  EXPECT_NE(Row(one, row).encoded().bytes(), Row(RowSource(kSeed + 1, 200, 0.5), row).encoded().bytes());
}

TEST(RowSource, LaysARowOutAsATupleOfBinaryCopy) {
  const Row row(source(), {RowId::of(0, 5), 3});
  const std::string_view tuple = row.encoded().bytes();
  EXPECT_EQ(Row::big_endian(tuple.substr(0, 2)), static_cast<std::int64_t>(kColumnCount));
  std::size_t at = 2;
  for (const EncodedRows::Field& field : row.encoded().fields()) {
    EXPECT_EQ(static_cast<std::int32_t>(Row::big_endian(tuple.substr(at, 4))), field.length);
    at += 4;
    EXPECT_EQ(field.offset, at);
    at += static_cast<std::size_t>(std::max(field.length, 0));
  }
  EXPECT_EQ(at, tuple.size());
}

TEST(RowSource, GivesEveryRowAnIdOfItsOwn) {
  const RowSource rows = source();
  std::set<std::string> ids;
  for (const std::uint32_t slot : {0U, 1U, 35U, 36U, RowId::kSlotsMax - 1}) {
    for (std::uint64_t sequence = 0; sequence < 2000; ++sequence) {
      const Row row(rows, {RowId::of(slot, sequence), 0}, kIdColumn);
      const std::string id = row.text("id");
      ASSERT_EQ(id.size(), 25U);
      ASSERT_EQ(id.front(), 'c');
      ids.insert(id.substr(0, 13));  // the time and the slot alone tell rows apart
    }
  }
  EXPECT_EQ(ids.size(), 5U * 2000);
}

TEST(RowSource, OrdersTheIdsOfASlotByAge) {
  const RowSource rows = source();
  std::string last;
  for (std::uint64_t sequence = 0; sequence < 5000; ++sequence) {
    const std::string id = Row(rows, {RowId::of(1, sequence), 0}, kIdColumn).text("id");
    ASSERT_LT(last, id);
    last = id;
  }
}

TEST(RowSource, CarriesTheRowHashAndTheFixedEpoch) {
  const RowVersion row{RowId::of(2, 0), 4};
  const Row made(source(), row);
  EXPECT_EQ(static_cast<std::uint64_t>(made.number("row_hash")), row_hash(kSeed, row));
  EXPECT_GE(made.number("createdAt"), kEpoch2025Us);
  EXPECT_LT(made.number("createdAt"), kEpoch2025Us + 10'000);
}

TEST(RowSource, KeepsEveryColumnButTheUpdatedOnesOverVersions) {
  const RowSource rows = source();
  for (std::uint64_t sequence = 0; sequence < 50; ++sequence) {
    const RowId id = RowId::of(0, sequence);
    const Row before(rows, {id, 1});
    const Row after(rows, {id, 6});
    for (std::size_t i = 0; i < kColumnCount; ++i) {
      if (i != kIdColumn[0] && std::ranges::find(kUpdateColumns, i) != kUpdateColumns.end()) continue;
      const std::string_view name = wire::kTaskRunColumns[i].name;
      EXPECT_EQ(before.bytes(name), after.bytes(name)) << name;
    }
    EXPECT_NE(before.text("row_hash"), after.text("row_hash"));
    EXPECT_LT(before.number("updatedAt"), after.number("updatedAt"));
  }
}

TEST(RowSource, EncodesASubsetAsInTheWholeRow) {
  const RowSource rows = source();
  const RowVersion row{RowId::of(0, 123), 5};
  const Row whole(rows, row);
  const Row subset(rows, row, kUpdateColumns);
  for (const std::uint8_t column : kUpdateColumns) {
    const std::string_view name = wire::kTaskRunColumns[column].name;
    EXPECT_EQ(subset.bytes(name), whole.bytes(name)) << name;
  }
}

TEST(RowSource, WalksEachRowThroughItsStatesToAnEnd) {
  const std::map<std::string, std::set<std::string>> next{
      {"PENDING", {"QUEUED", "EXECUTING", "CANCELED"}},
      {"QUEUED", {"EXECUTING", "CANCELED"}},
      {"EXECUTING", {"COMPLETED", "FAILED", "CANCELED"}},
      {"COMPLETED", {"COMPLETED"}},
      {"FAILED", {"FAILED"}},
      {"CANCELED", {"CANCELED"}},
  };
  const RowSource rows = source();
  std::map<std::string, int> ends;
  std::set<std::string> walks;
  for (std::uint64_t sequence = 0; sequence < 2000; ++sequence) {
    std::string walk = "PENDING";
    std::string status = walk;
    std::int64_t attempt = 1;
    for (std::uint32_t version = 0; version < 8; ++version) {
      const Row row(rows, {RowId::of(0, sequence), version});
      const std::string now = row.text("status");
      if (version > 0) {
        ASSERT_TRUE(next.at(status).contains(now)) << status << " -> " << now;
        attempt += now == status ? 1 : 0;
        walk += now == status ? "" : " " + now;
      }
      ASSERT_EQ(now == "PENDING", version == 0);
      ASSERT_EQ(row.number("attempt"), attempt);
      status = now;
    }
    walks.insert(walk);
    ++ends[status];
  }
  EXPECT_EQ(ends.size(), 3U);
  EXPECT_GT(ends["COMPLETED"], 1000);
  EXPECT_GT(ends["FAILED"], 100);
  EXPECT_GT(ends["CANCELED"], 100);
  EXPECT_GE(walks.size(), 7U);
}

TEST(RowSource, FillsColumnsAsTheStatusSays) {
  const RowSource rows = source();
  for (std::uint64_t sequence = 0; sequence < 500; ++sequence) {
    for (std::uint32_t version = 0; version < 6; ++version) {
      const Row row(rows, {RowId::of(0, sequence), version});
      const std::string status = row.text("status");
      const bool has_ended = status == "COMPLETED" || status == "FAILED" || status == "CANCELED";
      EXPECT_EQ(row.is_null("output"), status != "COMPLETED");
      EXPECT_EQ(row.is_null("error"), status != "FAILED");
      EXPECT_EQ(row.is_null("completedAt"), !has_ended);
      // A canceled row may have started or not.
      if (status != "CANCELED") {
        EXPECT_EQ(row.is_null("startedAt"), status == "PENDING" || status == "QUEUED");
      }
      if (status == "COMPLETED" || status == "FAILED") {
        EXPECT_EQ(row.number("completedAt") - row.number("startedAt"), row.number("usageDurationMs") * 1000);
        EXPECT_GT(std::bit_cast<double>(row.number("costInCents")), 0);
      }
      for (const std::string_view time : {"createdAt", "updatedAt"}) EXPECT_EQ(row.number(time) % 1000, 0);
    }
  }
}

TEST(RowSource, IsNullOnlyWhereTheTableAllowsItAndThenReallyIs) {
  const RowSource rows = source();
  std::map<std::string_view, int> nulls;
  for (std::uint64_t sequence = 0; sequence < 1000; ++sequence) {
    const Row row(rows, {RowId::of(0, sequence), static_cast<std::uint32_t>(sequence % 6)});
    for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
      if (!row.is_null(column.name)) continue;
      EXPECT_TRUE(column.nullable) << column.name;
      ++nulls[column.name];
    }
  }
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
    if (!column.nullable) continue;
    EXPECT_GT(nulls[column.name], 100) << column.name;
    EXPECT_LT(nulls[column.name], 1000) << column.name;
  }
}

TEST(RowSource, SpreadsRowsOverOwnersTasksAndTagsUnevenly) {
  const RowSource rows = source();
  std::map<std::string_view, std::map<std::string, int>> seen;
  for (std::uint64_t sequence = 0; sequence < 5000; ++sequence) {
    const Row row(rows, {RowId::of(0, sequence), 0});
    for (const std::string_view column :
         {"organizationId", "projectId", "environmentId", "queue", "taskIdentifier", "tags"}) {
      ++seen[column][row.text(column)];
    }
  }
  EXPECT_EQ(seen["organizationId"].size(), 8U);
  EXPECT_EQ(seen["projectId"].size(), 24U);
  EXPECT_EQ(seen["environmentId"].size(), 72U);
  EXPECT_EQ(seen["queue"].size(), 5U);
  EXPECT_EQ(seen["taskIdentifier"].size(), 12U);
  EXPECT_GT(seen["tags"].size(), 50U);
  const auto by_count = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [least, most] =
      std::minmax_element(seen["organizationId"].begin(), seen["organizationId"].end(), by_count);
  EXPECT_GT(most->second, 3 * least->second);
}

TEST(RowSource, EncodesTagsAsABinaryArrayOfDistinctTexts) {
  const RowSource rows = source();
  std::map<std::int64_t, int> counts;
  for (std::uint64_t sequence = 0; sequence < 500; ++sequence) {
    const std::string bytes = Row(rows, {RowId::of(0, sequence), 0}).text("tags");
    const std::string_view array = bytes;
    const std::int64_t dimensions = Row::big_endian(array.substr(0, 4));
    EXPECT_EQ(Row::big_endian(array.substr(4, 4)), 0);
    EXPECT_EQ(Row::big_endian(array.substr(8, 4)), 25);
    if (dimensions == 0) {
      EXPECT_EQ(array.size(), 12U);
      ++counts[0];
      continue;
    }
    const std::int64_t elements = Row::big_endian(array.substr(12, 4));
    std::set<std::string_view> tags;
    std::size_t at = 20;
    for (std::int64_t i = 0; i < elements; ++i) {
      const auto length = static_cast<std::size_t>(Row::big_endian(array.substr(at, 4)));
      tags.insert(array.substr(at + 4, length));
      at += 4 + length;
    }
    EXPECT_EQ(at, array.size());
    EXPECT_EQ(tags.size(), static_cast<std::size_t>(elements));
    ++counts[elements];
  }
  EXPECT_EQ(counts.size(), 5U);  // 0 to 4 tags
}

TEST(RowSource, ReusesItsBufferWhenItHasGrown) {
  const RowSource rows(kSeed, 1024, 1);
  EncodedRows out;
  const auto fill = [&] {
    out.clear();
    for (std::uint64_t i = 0; i < 100; ++i) rows.encode({RowId::of(0, i), 5}, kAllColumns, out);
    return out.bytes().data();
  };
  const char* const first = fill();
  EXPECT_EQ(fill(), first);
}

}  // namespace
}  // namespace walstorm::producer
