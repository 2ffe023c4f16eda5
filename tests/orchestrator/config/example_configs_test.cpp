#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <vector>

#include "config_verbs.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/figures/figures.h"

namespace walstorm::config {
namespace {

std::vector<std::filesystem::path> examples() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(WALSTORM_CONFIGS)) {
    if (entry.path().filename() != "walstorm.schema.json") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class ExampleConfig : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ExampleConfig, LoadsExplainsItselfAndNamesTheSchema) {
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const Config config =
      load({.file = GetParam(), .overrides = {}, .env_file = {}}, nothing, "/", measure::figure_names());
  EXPECT_EQ(config.name, GetParam().stem().string());
  EXPECT_GT(config.description.size(), 80U);
  EXPECT_EQ(config.database.url, std::nullopt);
  std::ifstream file(GetParam());
  EXPECT_EQ(nlohmann::json::parse(file).at("$schema"), "./walstorm.schema.json");
}

INSTANTIATE_TEST_SUITE_P(InTheFolder, ExampleConfig, testing::ValuesIn(examples()), [](const auto& example) {
  std::string name = example.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ExampleConfigs, AreThoseOfTheReadme) {
  std::vector<std::string> names;
  for (const auto& path : examples()) names.push_back(path.stem().string());
  EXPECT_EQ(names, (std::vector<std::string>{"burst", "ci-smoke", "full-stack", "large-transactions",
                                             "quickstart", "ramp", "small-transactions", "soak", "steady",
                                             "stress", "sweep-batch-concurrency", "thresholds",
                                             "update-heavy", "wide-rows", "write-modes"}));
}

TEST(ExampleConfigs, QuickstartTakesHalfAMinuteOfLoad) {
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const std::filesystem::path file = std::filesystem::path(WALSTORM_CONFIGS) / "quickstart.json";
  double seconds = 0;
  for (const Phase& phase :
       load({.file = file, .overrides = {}, .env_file = {}}, nothing, "/", measure::figure_names()).phases) {
    seconds += phase.duration_sec;
  }
  EXPECT_EQ(seconds, 35);
}

}  // namespace
}  // namespace walstorm::config
