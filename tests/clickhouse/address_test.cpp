#include "proto/clickhouse/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void refuses(const std::string& url, const testing::Matcher<std::string>& says) {
  try {
    (void)parse_address(url, "clickhouse.url");
    ADD_FAILURE() << url << " is taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_THAT(std::string(error.what()), AllOf(HasSubstr("clickhouse.url"), says)) << url;
  }
}

TEST(Address, HasThePortsThatClickHouseHas) {
  const Address plain = parse_address("http://ch.example", "clickhouse.url");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host, "ch.example");
  EXPECT_EQ(plain.port, 8123);
  const Address secure = parse_address("https://ch.example/", "clickhouse.url");
  EXPECT_TRUE(secure.tls);
  EXPECT_EQ(secure.port, 8443);
  EXPECT_EQ(secure.shown(), "https://ch.example:8443");
}

TEST(Address, TakesUserPasswordAndDatabaseWhereverTheyStand) {
  const Address before = parse_address("http://load:p%40ss%2Fw@h:1/events", "clickhouse.url");
  EXPECT_EQ(before.user, "load");
  EXPECT_EQ(before.password, "p@ss/w");
  EXPECT_EQ(before.database, "events");
  EXPECT_TRUE(before.settings.empty());
  for (const char* name : {"user", "username"}) {
    const Address behind = parse_address(
        std::string("http://h:1/?") + name + "=load&password=p%40ss&database=events&max_threads=2",
        "clickhouse.url");
    EXPECT_EQ(behind.user, "load");
    EXPECT_EQ(behind.password, "p@ss");
    EXPECT_EQ(behind.database, "events");
    EXPECT_EQ(behind.settings, (std::map<std::string, std::string>{{"max_threads", "2"}}));
  }
}

TEST(Address, ShowsNothingOfAUrlThatIsNotWhole) {
  for (const char* rest :
       {"load:Hunter2", "load:Hun/ter2@host", "load:Hun@ter2@host", "load:Hun?ter2@host",
        "load:Hun#ter2@host", "load:12/Hunter2@host", "load:12?Hunter2@host", "load:12#Hunter2@host"}) {
    for (const std::string scheme : {"http://", "https://"})
      refuses(scheme + rest, AllOf(Not(HasSubstr("Hun")), Not(HasSubstr("ter2"))));
  }
}

TEST(Address, ShowsNoPassword) {
  const Address address = parse_address("http://load:secret@h:1/?password=secret2", "clickhouse.url");
  EXPECT_EQ(address.shown(), "http://h:1 as \"load\"");
  refuses("http://load:secret@h:port", Not(HasSubstr("secret")));
  refuses("http://load:secr%zzet@h", AllOf(HasSubstr("percent-encoding"), Not(HasSubstr("zzet"))));
  refuses("http://load:secret@h/a/b", Not(HasSubstr("secret")));
}

TEST(Address, ReadsItsOwnUrlAgain) {
  for (const char* url : {"http://h", "https://load:p%40s%3As%2F%3F%23%5B@h:9/d%20b?a=1%262&b=%2B%20",
                          "http://[::1]:8124/?x=", "http://:only-a-password@h"}) {
    const Address once = parse_address(url, "clickhouse.url");
    const Address again = parse_address(to_url(once), "clickhouse.url");
    EXPECT_EQ(again.tls, once.tls);
    EXPECT_EQ(again.host, once.host);
    EXPECT_EQ(again.port, once.port);
    EXPECT_EQ(again.user, once.user);
    EXPECT_EQ(again.password, once.password);
    EXPECT_EQ(again.database, once.database);
    EXPECT_EQ(again.settings, once.settings);
  }
  const Address all =
      parse_address("https://load:p%40s%3As%2F%3F%23%5B@h:9/d%20b?a=1%262&b=%2B%20", "clickhouse.url");
  EXPECT_EQ(all.password, "p@s:s/?#[");
  EXPECT_EQ(all.settings.at("b"), "+ ");
  EXPECT_EQ(parse_address("http://[::1]:8124", "clickhouse.url").host, "::1");
  EXPECT_EQ(parse_address("http://[::1]:8124", "clickhouse.url").shown(), "http://[::1]:8124");
}

TEST(Address, RefusesWhatMayStandWithOneStatementAlone) {
  for (const char* parameter : {"session_id=a", "query_id=b", "session_timeout=60"}) {
    try {
      (void)parse_address(std::string("http://h/?") + parameter, "clickhouse.url");
      ADD_FAILURE() << parameter;
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::config);
      EXPECT_THAT(error.what(), testing::HasSubstr("take it out"));
    }
  }
}

TEST(Address, SaysWhatIsWrong) {
  refuses("", HasSubstr("cannot be read as a URL"));
  refuses("localhost", HasSubstr("cannot be read as a URL"));
  refuses("localhost:8123", HasSubstr("http://"));
  refuses("clickhouse://h:9000", AllOf(HasSubstr("\"clickhouse\""), HasSubstr("8123")));
  refuses("http://", HasSubstr("names no host"));
  refuses("http://h:0", HasSubstr("port 0"));
  refuses("http://h:65536", HasSubstr("port 65536"));
  refuses("http://h:port", HasSubstr("port is not a number"));
  refuses("http://h:81x/", HasSubstr("port is not a number"));
  refuses("http://h/a/b", HasSubstr("database"));
  refuses("http://h/?query=SELECT+1", HasSubstr("query="));
  refuses("http://us%0Aer@h", HasSubstr("control characters"));
  refuses("http://h/?password=a%0D%0AX-Other:%20b", HasSubstr("control characters"));
}

}  // namespace
}  // namespace walstorm::clickhouse
