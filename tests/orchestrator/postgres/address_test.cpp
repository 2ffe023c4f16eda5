#include "orchestrator/postgres/address/address.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <libpq-fe.h>

#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::postgres {
namespace {

TEST(Address, ReadsAUrlAndNamesAnotherDatabase) {
  const Address address = Address::parse("postgresql://load:s3cret@db.example:5433/app?sslmode=require");
  EXPECT_EQ(address.database(), "app");
  EXPECT_EQ(address.conninfo("other", "walstorm"),
            "application_name='walstorm' client_encoding='UTF8' connect_timeout='10' dbname='other' "
            "host='db.example' "
            "keepalives_count='4' "
            "keepalives_idle='10' keepalives_interval='5' password='s3cret' port='5433' sslmode='require' "
            "tcp_user_timeout='30000' user='load' ");
}

TEST(Address, LeavesTimeoutsThatTheUrlSets) {
  const std::string conninfo =
      Address::parse("postgres://u@h/app?keepalives_idle=99&tcp_user_timeout=7&connect_timeout=3")
          .conninfo("app", "w");
  for (const char* expected : {"keepalives_idle='99'", "tcp_user_timeout='7'", "connect_timeout='3'"}) {
    EXPECT_NE(conninfo.find(expected), std::string::npos) << expected;
  }
}

TEST(Address, TakesPrismasSchemaAsTheSearchPath) {
  const Address address = Address::parse("postgres://u@h/app?schema=jobs&connection_limit=5");
  EXPECT_EQ(address.schema(), "jobs");
  EXPECT_NE(address.conninfo("app", "w").find("options='-csearch_path=\"jobs\"'"), std::string::npos);
}

/// Address::parse throws it.
std::string refusal(const std::string& url) {
  try {
    (void)Address::parse(url);
    ADD_FAILURE() << "did not throw: " << url;
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    return error.what();
  }
  return {};
}

TEST(Address, EscapesTheSchemaAsOptionsAndSearchPathWantIt) {
  // The whole is quoted for libpq once more, which doubles the backslashes.
  const auto option = [](const std::string& in_url) {
    const std::string conninfo = Address::parse("postgres://u@h/app?schema=" + in_url).conninfo("app", "w");
    const auto from = conninfo.find("options=");
    return conninfo.substr(from, conninfo.find(" password", from) - from);
  };
  EXPECT_THAT(option("my%20jobs"), testing::StartsWith(R"(options='-csearch_path="my\\ jobs"')"));
  EXPECT_THAT(option("a%22b"), testing::StartsWith(R"(options='-csearch_path="a""b"')"));
  EXPECT_THAT(option("a%5Cb"), testing::StartsWith(R"(options='-csearch_path="a\\\\b"')"));
  EXPECT_THAT(option("it's"), testing::StartsWith(R"(options='-csearch_path="it\'s"')"));
  EXPECT_THAT(refusal("postgres://u@h/app?schema=pg_jobs"),
              testing::HasSubstr("schema: PostgreSQL keeps names"));
  EXPECT_THAT(refusal("postgres://u@h/app?schema=a%00b"),
              testing::HasSubstr("schema: a name cannot hold %00"));
}

TEST(Address, LeavesOutWhatConcernsAnotherDriverAloneAndSaysSo) {
  const Address address = Address::parse(
      "postgresql://u:p@h/app?sslmode=require&pgbouncer=true&connection_limit=1&pool_timeout=3&"
      "statement_cache_size=0&uselibpqcompat=true&pool_max_conns=9&prepareThreshold=0&channel_binding="
      "prefer");
  EXPECT_THAT(address.ignored(),
              testing::ElementsAre("pgbouncer", "connection_limit", "pool_timeout", "statement_cache_size",
                                   "uselibpqcompat", "pool_max_conns", "prepareThreshold"));
  const std::string conninfo = address.conninfo("app", "w");
  EXPECT_THAT(conninfo, testing::HasSubstr("channel_binding='prefer'"));
  EXPECT_THAT(conninfo, testing::HasSubstr("sslmode='require'"));
  EXPECT_TRUE(Address::parse("postgresql://u:p@h/app").ignored().empty());
}

TEST(Address, TakesTheSchemaByWhicheverWordADriverHasForIt) {
  EXPECT_EQ(Address::parse("postgres://u@h/app?currentSchema=jobs").schema(), "jobs");
  EXPECT_EQ(Address::parse("postgres://u@h/app?search_path=jobs").schema(), "jobs");
  EXPECT_THAT(refusal("postgres://u@h/app?currentSchema=jobs,public"),
              testing::HasSubstr("currentSchema names more than a schema"));
}

TEST(Address, NamesEveryParameterThatHasToBeTakenOut) {
  const std::string why =
      refusal("postgres://u@h/app?sslmode=no-verify&targetServerType=primary&oauth_nothing=1&ssl=false");
  EXPECT_THAT(why, testing::HasSubstr("sslmode=no-verify is node-postgres's: write sslmode=require"));
  EXPECT_THAT(why, testing::HasSubstr("targetServerType is no parameter of libpq"));
  EXPECT_THAT(why, testing::HasSubstr("oauth_nothing is no parameter of libpq"));
  EXPECT_THAT(why, testing::HasSubstr("ssl: write sslmode=require or sslmode=disable"));
  EXPECT_THAT(refusal("postgres://u@h/app?sslmode=sometimes"),
              testing::HasSubstr("sslmode is one of disable, "));
  EXPECT_THAT(Address::parse("postgres://u@h/app?ssl=true").conninfo("app", "w"),
              testing::HasSubstr("sslmode='require'"));
}

TEST(Address, SaysWhichParameterItsLibpqIsTooOldFor) {
  if (PQlibVersion() >= 170'000) {
    EXPECT_THAT(Address::parse("postgres://u@h/app?sslnegotiation=direct").conninfo("app", "w"),
                testing::HasSubstr("sslnegotiation='direct'"));
    return;
  }
  EXPECT_THAT(refusal("postgres://u@h/app?sslnegotiation=direct"),
              testing::HasSubstr("sslnegotiation came with libpq 17, and this is libpq"));
}

TEST(Address, TakesPrismasCertificateForTheServersCa) {
  const auto conninfo = [](const std::string& parameters) {
    return Address::parse("postgres://u@h/app?" + parameters).conninfo("app", "w");
  };
  const std::string strict = conninfo("sslmode=require&sslcert=/etc/ca%20x.pem&sslaccept=strict");
  EXPECT_THAT(strict, testing::HasSubstr("sslrootcert='/etc/ca x.pem'"));
  EXPECT_THAT(strict, testing::HasSubstr("sslmode='verify-full'"));
  EXPECT_THAT(strict, testing::Not(testing::HasSubstr("sslcert=")));
  const std::string unsaid = conninfo("schema=jobs&sslcert=ca.pem");
  EXPECT_THAT(unsaid, testing::HasSubstr("sslrootcert='ca.pem'"));
  EXPECT_THAT(unsaid, testing::HasSubstr("sslmode='require'")) << "no falling back without TLS";
  const std::string any = conninfo("sslcert=ca.pem&sslaccept=accept_invalid_certs");
  EXPECT_THAT(any, testing::Not(testing::HasSubstr("sslrootcert"))) << "nothing is verified then";
  const std::string libpqs = conninfo("sslcert=client.crt&sslkey=client.key&schema=jobs");
  EXPECT_THAT(libpqs, testing::HasSubstr("sslcert='client.crt'"));
  EXPECT_THAT(libpqs, testing::HasSubstr("sslkey='client.key'"));
  EXPECT_THAT(refusal("postgres://u@h/app?sslidentity=client.p12&sslpassword=s3cret"),
              testing::AllOf(testing::HasSubstr("sslidentity (Prisma's) is a PKCS#12 file"),
                             testing::Not(testing::HasSubstr("s3cret"))));
  EXPECT_THAT(refusal("postgres://u@h/app?sslaccept=maybe"), testing::HasSubstr("sslaccept is strict or"));
}

TEST(Address, ShowsNothingOfAUrlWhosePartsCannotBeToldApart) {
  for (const char* rest : {"app:Hunter2", "app:Hunter2/db", "app:Hun/ter2@host", "app:Hun@ter2@host/db",
                           "app:Hun/ter2@host/db?schema=x", "app:12/Hunter2@host", "app:123456Hun",
                           "app:Hun?ter2/x@host", "app:12/Hun?ter2=1@host", "app:Hun ter2/x@host?Hun=1"}) {
    for (const std::string scheme : {"postgresql://", "postgres://"}) {
      const std::string why = refusal(scheme + rest);
      EXPECT_THAT(why, testing::Not(testing::HasSubstr("Hun"))) << why;
      EXPECT_THAT(why, testing::Not(testing::HasSubstr("ter2"))) << why;
      EXPECT_THAT(why, testing::HasSubstr("percent-encoding"));
    }
  }
  for (const std::string scheme : {"jdbc:postgresql", "postgresql+asyncpg", "mysql"}) {
    const std::string why = refusal(scheme + "://app:Hunter2@host/db");
    EXPECT_THAT(why, testing::HasSubstr(scheme + ":// is not what libpq reads"));
    EXPECT_THAT(why, testing::Not(testing::HasSubstr("Hunter2")));
  }
  EXPECT_THAT(refusal("app:Hunter2@host/db"), testing::Not(testing::HasSubstr("Hunter2")));
}

TEST(Address, ReadsSeveralHostsAndSocketsWithParametersBehindThem) {
  const Address several = Address::parse("postgresql://u@a:1,b:2,[::1]:3/app?schema=jobs&pool_size=3");
  EXPECT_EQ(several.schema(), "jobs");
  EXPECT_THAT(several.conninfo("app", "w"), testing::HasSubstr("host='a,b,::1'"));
  EXPECT_EQ(Address::parse("postgresql://u@%2Frun%2Fpg/app").shown(), "/run/pg as \"u\"");
  EXPECT_EQ(Address::parse("postgresql:///app?host=/run/pg&schema=x").shown(), "/run/pg");
}

TEST(Address, ReadsARawQuestionMarkInAPasswordAsLibpqDoes) {
  const Address address = Address::parse("postgres://u:w?rd#1@h/app?schema=x");
  EXPECT_THAT(address.conninfo("app", "w"), testing::HasSubstr("password='w?rd#1'"));
  EXPECT_EQ(address.schema(), "x");
}

TEST(Address, ReadsKeywords) {
  const Address address = Address::parse("host=/run/postgresql user=load dbname=app");
  EXPECT_EQ(address.database(), "app");
  EXPECT_EQ(address.shown(), "/run/postgresql as \"load\"");
}

TEST(Address, QuotesWhatKeywordStringsNeedQuoted) {
  const Address address = Address::parse("postgres://u:it%27s%5Cme@h/app");
  EXPECT_NE(address.conninfo("app", "w").find(R"(password='it\'s\\me')"), std::string::npos);
}

TEST(Address, ShowsNoPassword) {
  EXPECT_EQ(Address::parse("postgres://load:s3cret@127.0.0.1/app").shown(), "127.0.0.1:5432 as \"load\"");
}

TEST(Address, HandsItsPasswordToAProgramByAFile) {
  const Address address = Address::parse("postgres://u:a%3Ab%5Cc@h/app?sslmode=require");
  const std::string conninfo = address.conninfo_with_passfile("app", "/tmp/pass word");
  EXPECT_THAT(conninfo, testing::HasSubstr("dbname='app' host='h' "));
  EXPECT_THAT(conninfo, testing::HasSubstr("passfile='/tmp/pass word' sslmode='require' "));
  EXPECT_THAT(conninfo, testing::HasSubstr("user='u'"));
  EXPECT_THAT(conninfo, testing::Not(testing::HasSubstr("password")));
  EXPECT_EQ(address.passfile_line(), "*:*:*:*:a\\:b\\\\c\n");
  const Address without = Address::parse("postgres://u@h/app");
  EXPECT_EQ(without.conninfo_with_passfile("app", "/tmp/x").find("passfile"), std::string::npos)
      << "then libpq looks where it always does";
  EXPECT_EQ(without.passfile_line(), "");
}

TEST(Address, RefusesASecretThatNoPasswordFileHolds) {
  Address::parse("postgres://u:p@h/app").require_passfile_is_enough();
  EXPECT_THROW(Address::parse("postgres://u:a%0Ab@h/app").require_passfile_is_enough(), wire::Error);
  EXPECT_THROW(Address::parse("postgres://u:a@h/app?sslpassword=b").require_passfile_is_enough(),
               wire::Error);
}

TEST(Address, RefusesWhatCannotBeReadWithoutShowingAnyOfIt) {
  for (const char* url : {"postgresql://u:s3c%ret@h/db", "postgresql://u:s3c#ret@h:x/db?ret=1",
                          "host=h password=a s3cret", "postgres://u:s3c^ret@h/db?s3cret=1"}) {
    try {
      (void)Address::parse(url);
      FAIL() << "did not throw: " << url;
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::config);
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("s3c"))) << url;
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("ret"))) << url;
      EXPECT_THAT(error.what(), testing::HasSubstr("percent-encoding")) << url;
    }
  }
}

TEST(Address, RefusesWhatLibpqRefusesAndSaysWhatToWrite) {
  try {
    (void)Address::parse("postgres://u@h/app?no_such_option=1");
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_NE(std::string(error.what()).find("no_such_option"), std::string::npos) << error.what();
  }
}

/// Of a user's own server, libpq's variables fill in what the URL leaves open, and it is said which did.
TEST(Address, TakesWhatTheUrlLeavesOpenFromTheEnvironmentAndSaysSo) {
  const Variables environment{{"PGHOSTADDR", "10.0.0.7"},
                              {"PGPORT", "6000"},
                              {"PGUSER", "app"},
                              {"PGPASSWORD", "secret"},
                              {"PGOPTIONS", "-c jit=off"},
                              {"PGDATABASE", "other"},
                              {"PGAPPNAME", "other"},
                              {"PGTZ", "CET"},
                              {"PGSSLMODE", ""}};
  const Address address = Address::parse("postgresql://db:5433/?schema=app", "database.url", environment);
  EXPECT_THAT(address.variables(),
              testing::UnorderedElementsAre("PGHOSTADDR", "PGUSER", "PGPASSWORD", "PGOPTIONS"));
  EXPECT_THAT(address.shown(), testing::StartsWith("db (10.0.0.7):5433 as \"app\" (with PG"));
  EXPECT_THAT(address.shown(), testing::Not(testing::HasSubstr("secret")));
  const std::string conninfo = address.conninfo("walstorm_profiling", "walstorm");
  EXPECT_THAT(conninfo,
              testing::AllOf(testing::HasSubstr("hostaddr='10.0.0.7'"), testing::HasSubstr("port='5433'"),
                             testing::HasSubstr("password='secret'"),
                             testing::HasSubstr("options='-c jit=off -csearch_path=\"app\"'"),
                             testing::HasSubstr("dbname='walstorm_profiling'"),
                             testing::HasSubstr("application_name='walstorm'")));
}

TEST(Address, OfAPrivateServerKnowsNothingOfTheEnvironment) {
  const Address address = Address::on_socket("/tmp/folder", "walstorm");
  EXPECT_THAT(address.variables(), testing::IsEmpty());
  EXPECT_THAT(address.conninfo("postgres", "walstorm"),
              testing::AllOf(testing::HasSubstr("host='/tmp/folder'"), testing::HasSubstr("port='5432'")));
}

/// libpq's order: the connection string, the service, the variable.
TEST(Address, SpellsOutTheServiceThatIsNamed) {
  const tests::TemporaryFolder folder;
  std::ofstream(folder.path() / "services") << "[app]\nhost=db\nport=6000\nuser=load\n";
  ::setenv("PGSERVICEFILE", (folder.path() / "services").c_str(), 1);
  const Variables environment{{"PGSERVICE", "app"}, {"PGPORT", "7000"}, {"PGPASSWORD", "secret"}};
  const Address by_variable = Address::parse("postgresql:///?user=me", "database.url", environment);
  EXPECT_EQ(by_variable.shown(), "db:6000 as \"me\" (with PGSERVICE, PGPASSWORD from the environment)");
  const Address by_url = Address::parse("service=app", "database.url", {});
  EXPECT_EQ(by_url.shown(), "db:6000 as \"load\"");
  EXPECT_THAT(by_url.conninfo("x", "walstorm"), testing::Not(testing::HasSubstr("service")));
  const Address missing = Address::parse("service=nowhere", "database.url", {});
  EXPECT_THAT(missing.conninfo("x", "walstorm"), testing::HasSubstr("service='nowhere'"));
  ::unsetenv("PGSERVICEFILE");
}

}  // namespace
}  // namespace walstorm::postgres
