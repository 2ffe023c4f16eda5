#include "orchestrator/process/child_environment.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>

namespace walstorm::process {
namespace {

TEST(ChildEnvironment, HoldsWhatProgramsNeed) {
  for (const char* name :
       {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_PRELOAD", "SSL_CERT_FILE", "ASAN_OPTIONS"}) {
    EXPECT_TRUE(is_given(name, Variables::needed)) << name;
  }
}

TEST(ChildEnvironment, HoldsNoSecretAndNothingThatNobodyAskedFor) {
  for (const char* name : {"DATABASE_URL", "CLICKHOUSE_URL", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY",
                           "GITHUB_TOKEN", "MYSQL_PWD", "WALSTORM_PASSWORD", "NPM_TOKEN"}) {
    EXPECT_FALSE(is_given(name, Variables::needed)) << name;
    EXPECT_FALSE(is_given(name, Variables::libpq)) << name;
  }
}

TEST(ChildEnvironment, HoldsLibpqsVariablesOnlyWhereItIsUsedAgainstANamedServer) {
  for (const char* name : {"PGSSLROOTCERT", "PGSERVICEFILE", "PGPASSFILE", "PGHOST"}) {
    EXPECT_FALSE(is_given(name, Variables::needed)) << name;
    EXPECT_TRUE(is_given(name, Variables::libpq)) << name;
  }
}

TEST(ChildEnvironment, OfACommandThatStartsWorkersHoldsAllButSecrets) {
  for (const char* name : {"PATH", "SSH_AUTH_SOCK", "KUBECONFIG", "SLURM_CONF", "PWD"}) {
    EXPECT_TRUE(is_given(name, Variables::no_secrets)) << name;
  }
  for (const char* name : {"DATABASE_URL", "PGPASSWORD", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "MONGODB_URI",
                           "SENTRY_DSN", "GOOGLE_APPLICATION_CREDENTIALS"}) {
    EXPECT_FALSE(is_given(name, Variables::no_secrets)) << name;
  }
}

TEST(ChildEnvironment, TakesMoreInPlaceOfWhatHasThatName) {
  ::setenv("LANG", "C", 1);
  const auto variables = child_environment(Variables::needed, {"LANG=xx", "EXTRA=1"});
  EXPECT_EQ(std::count(variables.begin(), variables.end(), "LANG=xx"), 1);
  EXPECT_EQ(std::count(variables.begin(), variables.end(), "LANG=C"), 0);
  EXPECT_EQ(std::count(variables.begin(), variables.end(), "EXTRA=1"), 1);
}

}  // namespace
}  // namespace walstorm::process
