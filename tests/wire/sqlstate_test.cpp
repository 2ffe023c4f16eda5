#include "proto/postgres/sqlstate.h"

#include <gtest/gtest.h>

#include "proto/postgres/time_limits.h"

namespace walstorm::postgres {
namespace {

TEST(Sqlstate, OfOthersATimeLimitOrACancelIsWorthAnotherTry) {
  for (const char* sqlstate : {"40001", "40P01", "55P03", "57014"}) {
    EXPECT_EQ(refusal_of(sqlstate), Refusal::rolled_back) << sqlstate;
    EXPECT_FALSE(rollback_advice(sqlstate).empty()) << sqlstate;
  }
}

TEST(Sqlstate, OfAnEndedSessionAsksForAnotherOne) {
  for (const char* sqlstate : {"", "08006", "25P03", "25P04", "57P01", "57P02", "57P03", "57P05"}) {
    EXPECT_EQ(refusal_of(sqlstate), Refusal::session_ended) << sqlstate;
  }
}

TEST(Sqlstate, OfAServerThatLacksSomethingIsNotTheStatementsFault) {
  for (const char* sqlstate : {"53100", "53200", "53300", "57000", "58030"}) {
    EXPECT_EQ(refusal_of(sqlstate), Refusal::unavailable) << sqlstate;
  }
}

TEST(Sqlstate, OfWhatWouldBeRefusedAgainIsFinal) {
  for (const char* sqlstate : {"08P01", "22P05", "23505", "40002", "42P01", "57P04", "58P01", "XX000"}) {
    EXPECT_EQ(refusal_of(sqlstate), Refusal::final) << sqlstate;
  }
}

TEST(TimeLimits, AreThoseThatTheServerKnows) {
  EXPECT_EQ(lift_time_limits_sql(130'000),
            "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; ");
  EXPECT_EQ(lift_time_limits_for_transaction_sql(170'002),
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL "
            "idle_in_transaction_session_timeout = 0; SET LOCAL idle_session_timeout = 0; SET LOCAL "
            "transaction_timeout = 0; ");
}

}  // namespace
}  // namespace walstorm::postgres
