#include "proto/wire/change_tally.h"

#include <gtest/gtest.h>

namespace walstorm::wire {
namespace {

TEST(ChangeTally, IsTheSameInAnyOrder) {
  ChangeTally one;
  one.add_insert(0xF00D);
  one.add_update(UINT64_MAX);
  one.add_delete(7);
  ChangeTally other;
  other.add_delete(7);
  other.add_insert(0xF00D);
  other.add_update(UINT64_MAX);
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.records(), 3U);
}

TEST(ChangeTally, TellsAnAlteredChangeOfTheSameCount) {
  ChangeTally one;
  ChangeTally other;
  one.add_insert(1);
  other.add_insert(2);
  EXPECT_NE(one, other);
}

TEST(ChangeTally, TellsTwoDoubledRowsThatAnXorAloneWouldNot) {
  ChangeTally one;
  ChangeTally other;
  one.add_insert(5), one.add_insert(5);
  other.add_insert(9), other.add_insert(9);
  EXPECT_EQ(one.hash_xor, other.hash_xor);
  EXPECT_NE(one, other);
}

TEST(ChangeTally, MergesAndCrossesTheWire) {
  ChangeTally one;
  ChangeTally other;
  ChangeTally both;
  one.add_insert(3), both.add_insert(3);
  other.add_update(8), both.add_update(8);
  one.merge(other);
  proto::ChangeTally wire;
  to_proto(one, wire);
  EXPECT_EQ(from_proto(wire), both);
}

TEST(RowTally, ForgetsARemovedRow) {
  RowTally tally;
  tally.add(10);
  tally.add(20);
  tally.remove(10);
  RowTally alone;
  alone.add(20);
  EXPECT_EQ(tally, alone);
}

}  // namespace
}  // namespace walstorm::wire
