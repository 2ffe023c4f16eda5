#include "orchestrator/postgres/schema_copy.h"

#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

TEST(SchemaCopy, LeavesOutSettingsThatTheServerDoesNotKnow) {
  const std::string dump =
      "-- a dump\nSET lock_timeout = 0;\nSET transaction_timeout = 0;\nSELECT "
      "pg_catalog.set_config('search_path', '', "
      "false);\nCREATE FUNCTION f() AS $$\nSET transaction_timeout = 0;\n$$;\nSET transaction_timeout = 0;\n";
  EXPECT_EQ(without_unknown_settings(dump, {"lock_timeout"}),
            "-- a dump\nSET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
            "CREATE FUNCTION f() AS $$\nSET transaction_timeout = 0;\n$$;\nSET transaction_timeout = 0;\n")
      << "only the preamble is pg_dump's own";
  EXPECT_EQ(without_unknown_settings(dump, {"lock_timeout", "transaction_timeout"}), dump);
}

TEST(SchemaCopy, LeavesOutWhatNamesRolesOrWatchesStatements) {
  const ArchiveList list = split_archive_list(
      ";\n; Archive created\n; POLICY x\n"
      "215; 1259 16390 TABLE public TaskRun POLICY owner\n"
      "3245; 3256 16400 POLICY public TaskRun tenant owner\n"
      "3246; 3256 16401 POLICY public TaskRun EVENT TRIGGER owner\n"
      "3247; 0 16385 ROW SECURITY public TaskRun owner\n"
      "3248; 1418 16402 USER MAPPING - USER MAPPING app SERVER far owner\n"
      "3249; 3466 16403 EVENT TRIGGER - guard owner\n"
      "3250; 1255 16404 FUNCTION public policy() owner\n");
  EXPECT_EQ(list.copied,
            ";\n; Archive created\n; POLICY x\n215; 1259 16390 TABLE public TaskRun POLICY owner\n"
            "3250; 1255 16404 FUNCTION public policy() owner\n");
  EXPECT_EQ(list.left_out,
            (std::map<std::string, int>{
                {"EVENT TRIGGER", 1}, {"POLICY", 2}, {"ROW SECURITY", 1}, {"USER MAPPING", 1}}));
}

TEST(SchemaCopy, ANameIsADatabaseOfTheSameServerAndAUrlIsAnyOther) {
  const Address server = Address::parse("postgresql://load:s3cret@db:5433/home");
  config::Database settings;
  EXPECT_FALSE(schema_source(settings, server).has_value());
  settings.copy_schema_from = "app";
  EXPECT_EQ(schema_source(settings, server)->shown(), "\"app\" at db:5433 as \"load\"");
  settings.copy_schema_from = "postgresql://reader@elsewhere/shop?schema=jobs";
  EXPECT_EQ(schema_source(settings, server)->shown(), "\"shop\" at elsewhere:5432 as \"reader\"");
  EXPECT_EQ(schema_source(settings, server)->address.schema(), "jobs");
}

TEST(SchemaCopy, AUrlHasToNameADatabase) {
  config::Database settings;
  settings.copy_schema_from = "postgresql://u:s3cret@h";
  try {
    (void)schema_source(settings, Address{});
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_STREQ(error.what(), "database.copySchemaFrom: the URL of h:5432 as \"u\" names no database");
  }
}

TEST(SchemaCopy, ToolsAreAsNewAsTheServerOrNone) {
  process::EventLoop loop;
  const DumpTools tools = find_dump_tools(loop, 14);
  EXPECT_GE(tools.major, 14);
  EXPECT_EQ(find_dump_tools(loop, tools.major).pg_dump, tools.pg_dump);
  try {
    (void)find_dump_tools(loop, 99);
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_NE(std::string(error.what()).find("install postgresql-client-99 or a newer one"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace walstorm::postgres
