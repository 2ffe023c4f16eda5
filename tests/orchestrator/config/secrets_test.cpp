#include "orchestrator/config/secrets.h"

#include <gtest/gtest.h>

namespace walstorm::config {
namespace {

TEST(Secrets, HidesThePasswordBeforeTheHost) {
  EXPECT_EQ(without_secrets("postgresql://load:hunter2@db:5432/app"), "postgresql://load:***@db:5432/app");
  EXPECT_EQ(without_secrets("postgresql://:hunter2@db/app"), "postgresql://:***@db/app");
}

TEST(Secrets, OfAUrlWhosePartsCannotBeToldApartOnlyTheSchemeIsShown) {
  for (const char* rest : {"u:p@ss/w?rd#1:2@db/app", "app:Hunter2", "app:Hunter2/db", "app:Hun/ter2@host",
                           "app:Hun@ter2@host/db", "app:Hun?ter2@host", "app:Hun#ter2@host",
                           "app:12/Hunter2@host", "app:12?Hunter2@host", "app:123456"}) {
    for (const std::string scheme : {"postgresql://", "postgres://", "http://", "https://",
                                     "jdbc:postgresql://", "postgresql+asyncpg://"}) {
      EXPECT_EQ(without_secrets(scheme + rest), scheme + "***");
    }
  }
}

TEST(Secrets, ShowsTheRestOfEveryUrlThatCanBeRead) {
  for (const char* url :
       {"postgres://a:1,b:2,[::1]:3/app", "postgres://u@%2Frun%2Fpg/app", "postgres:///app?host=/run/pg",
        "http://[::1]:8123/?max_threads=2", "http://h:/x", "https://u@h:8443/db?a=b"}) {
    EXPECT_EQ(without_secrets(url), url);
  }
}

TEST(Secrets, HidesPasswordsInTheQuery) {
  EXPECT_EQ(without_secrets("https://ch:8443/?user=u&password=hunter2&x=1"),
            "https://ch:8443/?user=u&password=***&x=1");
  EXPECT_EQ(without_secrets("postgres://u@h:5432/db?password=p@ss"), "postgres://u@h:5432/db?password=***");
  EXPECT_EQ(without_secrets("postgres://u:a@h/db?sslpassword=b&password=c"),
            "postgres://u:***@h/db?sslpassword=***&password=***");
}

TEST(Secrets, HidesPasswordsOfKeywordStrings) {
  EXPECT_EQ(without_secrets("host=h password=hunter2 dbname=d"), "host=h password=*** dbname=d");
  EXPECT_EQ(without_secrets("host=h password = 'a \\'b' dbname=d"), "host=h password = *** dbname=d");
  EXPECT_EQ(without_secrets("password='never closed"), "password=***");
}

TEST(Secrets, LeavesWhatHoldsNoSecret) {
  for (const char* text : {"private", "", "postgres://u@h:5432/db", "postgres://h:5432/db?schema=public",
                           "password authentication failed for user \"load\"", "user@host", "password="}) {
    const std::string expected = std::string(text) == "password=" ? "password=***" : text;
    EXPECT_EQ(without_secrets(text), expected);
  }
}

}  // namespace
}  // namespace walstorm::config
