#include <array>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "tests/orchestrator/cli/cli_verbs.h"

namespace walstorm {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array<const char*, 10> kCommands{"run",     "check",  "clean", "search",  "sweep",
                                                "compare", "report", "list",  "profile", "profile-diff"};

std::string help(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  const auto* answer = std::get_if<Answer>(&parsed);
  if (answer == nullptr || answer->exit_code != 0) {
    ADD_FAILURE() << "is no help";
    return {};
  }
  return answer->text;
}

/// The words of a line as a shell makes them; "..." holds a word together.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words{""};
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c != ' ' || quoted) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// The examples of a help text, without what is said behind them.
std::vector<std::string> examples_in(const std::string& text) {
  std::istringstream lines(text.substr(text.find("Examples:")));
  std::vector<std::string> examples;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  walstorm ")) examples.push_back(line.substr(2, line.find("   ", 2) - 2));
  }
  return examples;
}

TEST(Help, OfTheProgramNamesEveryCommandAndTheOptionsUsedMost) {
  for (const auto& words : std::vector<std::vector<const char*>>{{"-h"}, {"--help"}, {"x.json", "--help"}}) {
    const std::string text = help(words);
    for (const char* command : kCommands) EXPECT_THAT(text, HasSubstr(std::string("\n  ") + command + "  "));
    for (const char* part :
         {"Examples:", "Exit codes:", "-t, --throughput N", "--set KEY.PATH=VALUE", "--dry-run"})
      EXPECT_THAT(text, HasSubstr(part));
    EXPECT_THAT(text, Not(HasSubstr("--vary"))) << "is of one command alone";
    EXPECT_THAT(text, Not(HasSubstr("--profile"))) << "is in run's own help";
  }
}

TEST(Help, OfACommandShowsItsOptionsAndNoOthers) {
  const auto shows = [](const char* command, std::initializer_list<const char*> has,
                        std::initializer_list<const char*> lacks) {
    const std::string text = help({command, "--help"});
    EXPECT_EQ(text, help({"--help", command})) << "wherever the flag stands";
    for (const char* part : has) EXPECT_THAT(text, HasSubstr(part)) << command;
    for (const char* part : lacks) EXPECT_THAT(text, Not(HasSubstr(part))) << command;
  };
  shows("run", {"CONFIG", "--throughput", "--junit", "--dry-run", "--profile", "--pyroscope"},
        {"--force", "--vary", "--resume"});
  shows("check", {"CONFIG", "--throughput", "--set"}, {"--junit", "--dry-run", "--force", "--seed"});
  shows("clean", {"CONFIG", "--force", "--dry-run"}, {"--junit", "--throughput", "--output"});
  shows("search", {"--max", "--precision", "--dry-run"}, {"--junit", "--vary", "--fail-on"});
  shows("sweep", {"--vary", "--repeats", "--dry-run"}, {"--junit", "--precision", "--fail-on"});
  shows("compare", {"BASE", "--fail-on", "--force", "--output"}, {"CONFIG", "--vary", "  -t, "});
  shows("profile", {"SOURCE", "--top"}, {"CONFIG", "--throughput", "--profile TOOL", "--baseline"});
  shows("profile-diff", {"BASE", "CANDIDATE", "--top", "--output"}, {"CONFIG", "--baseline"});
  shows("report", {"DIR"}, {"CONFIG", "--output", "--throughput"});
  shows("list", {"DIR", "--output"}, {"CONFIG", "--throughput", "--force"});
}

TEST(Help, FitsATerminalOf100Columns) {
  std::vector<std::string> texts{help({"--help"})};
  for (const char* command : kCommands) texts.push_back(help({command, "--help"}));
  for (const std::string& text : texts) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
    EXPECT_THAT(text, testing::EndsWith("\n"));
  }
}

TEST(Help, EveryExampleIsACommandLine) {
  std::size_t count = examples_in(help({"--help"})).size();
  EXPECT_GE(count, 2U);
  for (const char* command : kCommands) {
    const auto examples = examples_in(help({command, "--help"}));
    EXPECT_GE(examples.size(), 2U) << command;
    for (const std::string& example : examples) {
      const auto words = shell_words(example);
      std::vector<const char*> argv;
      for (std::size_t i = 1; i < words.size(); ++i) argv.push_back(words[i].c_str());
      SCOPED_TRACE(example);
      taken(argv);
      for (const std::string& word : words) {
        if (!word.starts_with("configs/")) continue;
        EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(WALSTORM_CONFIGS).parent_path() / word));
      }
    }
  }
}

}  // namespace
}  // namespace walstorm
