#include "orchestrator/config/environment.h"

#include <gtest/gtest.h>

#include "config_verbs.h"
#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

const Environment kNothing = [](const std::string&) { return std::nullopt; };

TEST(Environment, ReadsAnEnvFileAsDotenvDoes) {
  const auto variables = parse_env_file(
      "# a comment\r\n"
      "PLAIN=value\r\n"
      "export EXPORTED = spaced \n"
      "QUOTED=\"a b # c\" # comment\n"
      "SINGLE='x=y'\n"
      "COMMENTED=value # comment\n"
      "URL=postgres://u:p#1@h/db?a=b\n"
      "EMPTY=\n"
      "no assignment\n");
  const std::map<std::string, std::string> expected{
      {"PLAIN", "value"}, {"EXPORTED", "spaced"}, {"QUOTED", "a b # c"},
      {"SINGLE", "x=y"},  {"COMMENTED", "value"}, {"URL", "postgres://u:p#1@h/db?a=b"},
      {"EMPTY", ""}};
  EXPECT_EQ(variables, expected);
}

TEST(Environment, TheNamedFileWinsOverTheProcessAndTheProcessOverEnvLocal) {
  const TemporaryFolder working_dir;
  const TemporaryFolder config_dir;
  working_dir.write(".env.local", "A=working\nB=working\nC=working\n");
  config_dir.write(".env.local", "A=config\nB=config\nC=config\nD=config\n");
  const auto named = working_dir.write("named.env", "A=named\n");
  const Environment process = [](const std::string& name) {
    return name == "A" || name == "B" ? std::optional<std::string>("process") : std::nullopt;
  };
  const Environment environment =
      layered_environment(process, named, working_dir.path(), config_dir.path() / "config.json");
  EXPECT_EQ(environment("A"), "named");
  EXPECT_EQ(environment("B"), "process");
  EXPECT_EQ(environment("C"), "working");
  EXPECT_EQ(environment("D"), "config");
  EXPECT_EQ(environment("E"), std::nullopt);
}

TEST(Environment, AnEmptyVariableIsNotSet) {
  const TemporaryFolder folder;
  folder.write(".env.local", "DATABASE_URL=\n");
  EXPECT_EQ(layered_environment(kNothing, {}, folder.path(), {})("DATABASE_URL"), std::nullopt);
}

TEST(Environment, AMissingNamedFileIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(
      static_cast<void>(layered_environment(kNothing, folder.path() / "none.env", folder.path(), {})),
      wire::Error);
}

TEST(Environment, ExpandsNamesAndReportsTheMissing) {
  const Environment environment = [](const std::string& name) {
    return name == "USER" ? std::optional<std::string>("load${X}") : std::nullopt;
  };
  std::vector<std::string> missing;
  const auto note = [&](const std::string& name) { missing.push_back(name); };
  EXPECT_EQ(expand("a ${USER} b ${NONE}c ${open", environment, note), "a load${X} b ${NONE}c ${open");
  EXPECT_EQ(missing, std::vector<std::string>{"NONE"});
}

}  // namespace
}  // namespace walstorm::config
