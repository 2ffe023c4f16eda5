#include "orchestrator/config/json/secrets.h"

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

TEST(Secrets, HidesEveryParameterThatNamesOne) {
  EXPECT_EQ(without_secrets("https://ch:8443/?access_token=hunter2&x=1"),
            "https://ch:8443/?access_token=***&x=1");
  EXPECT_EQ(without_secrets("postgres://u@h/db?pass%77ord=hunter2"), "postgres://u@h/db?pass%77ord=***");
  EXPECT_EQ(without_secrets("postgres://u@h/db?a=b&PASSWD=hunter2"), "postgres://u@h/db?a=b&PASSWD=***");
  EXPECT_EQ(without_secrets("postgres://u@h/db?oauth_client_secret=hunter2"),
            "postgres://u@h/db?oauth_client_secret=***");
}

TEST(Secrets, AreHiddenInAWholeText) {
  EXPECT_EQ(hide_secrets("a postgresql://u:hunter2@h/d b\nhttps://v:hunter3@k: see user@host\n"),
            "a postgresql://u:***@h/d b\nhttps://v:***@k: see user@host\n");
  EXPECT_EQ(hide_secrets("host=h password=hunter2 dbname=d"), "host=h password=*** dbname=d");
  EXPECT_EQ(hide_secrets(R"({"a": "postgresql://u:hunter2@h", "b": "x@y", "c": "password=hunter2"})"),
            R"({"a": "postgresql://u:***@h", "b": "x@y", "c": "password=***"})");
  const std::string advice = "write it as postgresql://user:password@host:5432/database";
  EXPECT_EQ(hide_secrets(advice), advice);
  const std::string plain = "look at user and password in clickhouse.url: http://ch:8123 refused user@host";
  EXPECT_EQ(hide_secrets(plain), plain);
}

TEST(Secrets, AreHiddenInAValueAsTheCommandLineHasIt) {
  EXPECT_EQ(shown_value("50"), "50");
  EXPECT_EQ(shown_value(R"("postgresql://u:hunter2@h/d")"), R"("postgresql://u:***@h/d")");
  EXPECT_EQ(shown_value("https://u:hunter2@h"), "https://u:***@h");
  EXPECT_EQ(shown_value(R"({"url": "https://u:hunter2@h", "sslpassword": "hunter2"})"),
            R"({"sslpassword":"***","url":"https://u:***@h"})");
}

TEST(Secrets, LeavesWhatHoldsNoSecret) {
  for (const char* text : {"private", "", "postgres://u@h:5432/db", "postgres://h:5432/db?schema=public",
                           "password authentication failed for user \"load\"", "user@host", "password="}) {
    const std::string expected = std::string(text) == "password=" ? "password=***" : text;
    EXPECT_EQ(without_secrets(text), expected);
  }
}

TEST(Secrets, WhatASentencePutsBehindAUrlIsNoneOfIt) {
  EXPECT_EQ(hide_secrets("check http://127.0.0.1:8123: no answer"), "check http://127.0.0.1:8123: no answer");
  EXPECT_EQ(hide_secrets("(postgresql://u:hunter2@h:5432/db)."), "(postgresql://u:***@h:5432/db).");
}

}  // namespace
}  // namespace walstorm::config
