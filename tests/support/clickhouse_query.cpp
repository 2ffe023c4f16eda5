#include "tests/support/clickhouse_query.h"

#include <chrono>
#include <gtest/gtest.h>
#include <optional>
#include <utility>

namespace walstorm::tests {

clickhouse::Answer answer_of(process::EventLoop& loop, const std::string& url,
                             clickhouse::Statement statement) {
  clickhouse::HttpClient::Limits limits;
  limits.answer_bytes_max = 256U << 20U;
  clickhouse::HttpClient client(loop.io(), clickhouse::parse_address(url, "the test's server"), limits);
  std::optional<clickhouse::Answer> answer;
  client.send(std::move(statement), [&](const clickhouse::Answer& said) { answer = said; });
  (void)loop.wait(std::chrono::seconds(90), loop.interrupts(), [&] { return answer.has_value(); });
  EXPECT_TRUE(answer.has_value()) << "no answer from " << url;
  return answer.value_or(clickhouse::Answer());
}

std::string ask_clickhouse(process::EventLoop& loop, const std::string& url, const std::string& sql) {
  clickhouse::Statement statement;
  statement.sql = sql;
  clickhouse::Answer answer = answer_of(loop, url, std::move(statement));
  EXPECT_TRUE(answer.ok()) << sql << "\n" << answer.http_status << ": " << answer.text;
  if (answer.text.ends_with('\n')) answer.text.pop_back();
  return answer.text;
}

}  // namespace walstorm::tests
