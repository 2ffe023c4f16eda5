#include "proto/clickhouse/server_error.h"

#include <gtest/gtest.h>
#include <string>

#include "proto/clickhouse/http_client.h"

namespace walstorm::clickhouse {
namespace {

Answer refused(int code, int status) {
  return {.kind = Answer::Kind::refused, .code = code, .http_status = status, .text = ""};
}

TEST(ServerError, IsFoundInEveryFormThatServersWrite) {
  struct Case {
    std::string body;
    int code;
  };
  for (const Case& one : {
           Case{"Code: 60. DB::Exception: Table default.t does not exist. (UNKNOWN_TABLE) (version "
                "24.8.1.1)\n",
                60},
           Case{"Code: 60, e.displayText() = DB::Exception: Table default.t doesn't exist., e.what() = "
                "DB::Exception",
                60},
           Case{"Code: 210. DB::NetException: Connection refused", 210},
           Case{"std::exception. Code: 1001, type: std::bad_alloc, e.what() = std::bad_alloc", 1001},
           Case{"Poco::Exception. Code: 1000, e.code() = 32, e.displayText() = I/O error: Broken pipe", 1000},
       }) {
    const auto found = find_server_error(one.body);
    ASSERT_TRUE(found.has_value()) << one.body;
    EXPECT_EQ(found->code, one.code);
    EXPECT_EQ(found->at, 0U);
  }
}

TEST(ServerError, IsFoundBehindOutput) {
  const std::string output = "1\t2\n3\t4\nCode: 7\n";
  const auto found = find_server_error(output + "Code: 241. DB::Exception: Memory limit exceeded\n");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->code, 241);
  EXPECT_EQ(found->at, output.size());
}

TEST(ServerError, IsNotSeenInWhatOnlyLooksLikeOne) {
  for (const char* body : {"", "Code: ", "Code: x. DB::Exception", "Code: 0. DB::Exception: ", "Code: 60",
                           "Code: 99999999999. DB::Exception", "Status Code: 200. Fine", "DB::Exception"}) {
    EXPECT_FALSE(find_server_error(body).has_value()) << body;
  }
}

TEST(WorthARetry, TheCodeDecidesAndNotTheStatus) {
  for (const int code : {159, 173, 202, 203, 209, 210, 241, 242, 252, 279, 286, 319, 745, 999}) {
    EXPECT_TRUE(worth_a_retry(refused(code, 500))) << code;
    EXPECT_TRUE(worth_a_retry(refused(code, 404))) << code;
  }
  for (const int code : {16, 27, 33, 53, 60, 62, 81, 115, 164, 192, 193, 497, 516, 1001, 1002}) {
    EXPECT_FALSE(worth_a_retry(refused(code, 500))) << code;
    EXPECT_FALSE(worth_a_retry(refused(code, 503))) << code;
  }
}

TEST(WorthARetry, TooManyPartsOfOneInsertAreSoTheNextTimeToo) {
  Answer answer{
      .kind = Answer::Kind::refused, .code = 252, .http_status = 500, .text = "Too many parts (3000)"};
  EXPECT_TRUE(worth_a_retry(answer));
  answer.text = "Too many partitions for single INSERT block (more than 100)";
  EXPECT_FALSE(worth_a_retry(answer));
}

TEST(WorthARetry, TheStatusDecidesWhereThereIsNoCode) {
  for (const int status : {408, 429, 500, 502, 503, 504})
    EXPECT_TRUE(worth_a_retry(refused(0, status))) << status;
  for (const int status : {0, 200, 307, 400, 401, 403, 404, 413, 501}) {
    EXPECT_FALSE(worth_a_retry(refused(0, status))) << status;
  }
}

TEST(WorthARetry, WhatGotNoAnswerIsAndWhatIsDoneIsNot) {
  EXPECT_TRUE(worth_a_retry(Answer{}));
  EXPECT_FALSE(worth_a_retry(Answer{.kind = Answer::Kind::done, .code = 0, .http_status = 200, .text = ""}));
}

}  // namespace
}  // namespace walstorm::clickhouse
