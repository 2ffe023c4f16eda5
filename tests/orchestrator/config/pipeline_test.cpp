#include "orchestrator/config/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_verbs.h"

namespace walstorm::config {
namespace {

using Json = nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string pipeline(const std::string& more) {
  Json json = Json::parse(R"({"phases": [{"name": "load", "durationSec": 10, "targetThroughput": 500}]})");
  json.update(Json::parse(more), true);
  return pipeline_of(load_given({.file = with_mock(json.dump())}));
}

TEST(Pipeline, IsTheSameUnderAnotherNameAndInAnotherFolder) {
  EXPECT_EQ(difference_text(pipeline(R"({"name": "a", "description": "b"})"),
                            pipeline(R"({"name": "c", "profiling": {"outputDir": "/there"}})")),
            "");
}

TEST(Pipeline, NamesEveryKeyThatDiffersWithBothValues) {
  const std::string earlier = pipeline(R"({"producer": {"batchSize": 50}})");
  const std::string now =
      pipeline(R"({"producer": {"batchSize": 200}, "thresholds": ["producer.errorRate < 1"],
                                "database": {"settings": {"work_mem": "8MB"}}})");
  const std::string text = difference_text(earlier, now);
  EXPECT_THAT(text, AllOf(HasSubstr("producer.batchSize (was 50, is 200)"),
                          HasSubstr("thresholds (was [], is [\"producer.errorRate < 1\"])"),
                          HasSubstr("database.settings.work_mem (was not set, is \"8MB\")")));
  EXPECT_EQ(difference_text(earlier, pipeline(R"({"phases": [{"name": "load", "durationSec": 9}],
                                                  "producer": {"batchSize": 50, "targetThroughput": 500}})")),
            "phases.0.durationSec (was 10, is 9)");
}

TEST(Pipeline, HoldsNoPassword) {
  const std::string text = pipeline(R"({"database": {"url": "postgresql://load:secret@db/app"}})");
  EXPECT_THAT(text, AllOf(HasSubstr("***"), Not(HasSubstr("secret"))));
}

TEST(Pipeline, IsRefusedWithWhatDiffers) {
  const std::string earlier = pipeline("{}");
  EXPECT_NO_THROW(require_same_pipeline("out/x", earlier, earlier));
  try {
    require_same_pipeline("out/x", earlier, pipeline(R"({"seed": 7})"));
    ADD_FAILURE() << "was taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr("out/x was begun with another config: seed (was 1, is 7). Resume"));
  }
}

}  // namespace
}  // namespace walstorm::config
