#include "consumer/stream/slot_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walstorm::consumer {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

SlotState healthy() {
  return {.plugin = "pgoutput",
          .wal_status = "reserved",
          .invalidation_reason = "",
          .conflicting = false,
          .confirmed = {},
          .holder = std::nullopt};
}

std::string why(const SlotState& state) {
  const auto error = why_unusable("s", state);
  return error ? error->what() : "";
}

TEST(SlotState, HealthySlotCanBeRead) {
  EXPECT_EQ(why(healthy()), "");
  SlotState behind = healthy();
  behind.wal_status = "unreserved";
  EXPECT_EQ(why(behind), "") << "its WAL is in danger, and still there";
}

TEST(SlotState, LostWalNamesTheSettingToRaise) {
  SlotState state = healthy();
  state.wal_status = "lost";
  EXPECT_THAT(why(state), AllOf(HasSubstr("\"s\""), HasSubstr("lost"), HasSubstr("max_slot_wal_keep_size")));
}

TEST(SlotState, ReasonOfTheServerDecidesWhatToDo) {
  SlotState state = healthy();
  state.wal_status = "lost";  // the server sets both
  state.invalidation_reason = "idle_timeout";
  EXPECT_THAT(why(state), AllOf(HasSubstr("idle_timeout"), HasSubstr("idle_replication_slot_timeout"),
                                Not(HasSubstr("max_slot_wal_keep_size"))));
  state.invalidation_reason = "wal_removed";
  EXPECT_THAT(why(state), HasSubstr("max_slot_wal_keep_size"));
}

TEST(SlotState, ConflictAndForeignPluginAreRefused) {
  SlotState state = healthy();
  state.conflicting = true;
  EXPECT_THAT(why(state), HasSubstr("recovery"));
  state = healthy();
  state.plugin = "wal2json";
  EXPECT_THAT(why(state), HasSubstr("wal2json"));
  EXPECT_EQ(why_unusable("s", state)->kind(), wire::ErrorKind::config);
}

TEST(SlotState, HolderIsNamedAndWhatIsHiddenLeftOut) {
  EXPECT_EQ(
      in_use("s", {42, "u", "pg_recvlogical", "10.0.0.1"}),
      "replication slot \"s\" is in use by the server's process 42, user u, application pg_recvlogical, "
      "from 10.0.0.1: stop that client, or SELECT pg_terminate_backend(42)");
  EXPECT_THAT(in_use("s", {42, "u", "", ""}), Not(HasSubstr("application")));
}

TEST(SlotState, WhatMayPassIsTriedAgain) {
  for (const char* state : {"", "55006", "57P01", "57P02", "57P03", "53300", "08006", "08003", "40001"}) {
    EXPECT_TRUE(may_pass(state)) << state;
  }
}

TEST(SlotState, WhatWillNotPassIsFinal) {
  for (const char* state :
       {"55000", "58P01", "28P01", "28000", "3D000", "57P04", "42704", "08P01", "22023", "XX000"}) {
    EXPECT_FALSE(may_pass(state)) << state;
  }
  EXPECT_THAT(std::string(advice_for("55000")), HasSubstr("max_slot_wal_keep_size"));
  EXPECT_THAT(std::string(advice_for("58P01")), HasSubstr("max_slot_wal_keep_size"));
  EXPECT_THAT(std::string(advice_for("28P01")), HasSubstr("pg_hba.conf"));
}

}  // namespace
}  // namespace walstorm::consumer
