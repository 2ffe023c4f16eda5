#include "orchestrator/report/output.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "orchestrator/report/run_files.h"
#include "tests/orchestrator/report/example_report.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::report::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Scripted final : public Output {
 public:
  Scripted(std::string name, std::string failure, std::vector<std::string>& log)
      : name_(std::move(name)), failure_(std::move(failure)), log_(log) {}
  [[nodiscard]] std::string name() const override { return name_; }
  void conclude(const measure::RunReport& /*report*/) override {
    log_.push_back(name_);
    if (!failure_.empty()) throw std::runtime_error(failure_);
  }

 private:
  std::string name_, failure_;
  std::vector<std::string>& log_;
};

TEST(Outputs, EachFailsForItselfAndInItsOrder) {
  std::vector<std::string> log;
  Outputs outputs;
  outputs.add(std::make_unique<Scripted>("terminal", "", log));
  outputs.add(std::make_unique<Scripted>("metrics.json", "No space left on device", log));
  outputs.add(std::make_unique<Scripted>("report.md", "", log));
  outputs.conclude({});
  EXPECT_THAT(log, ElementsAre("terminal", "metrics.json", "report.md"));
  EXPECT_THAT(outputs.not_written(), ElementsAre("metrics.json: No space left on device"));
}

TEST(Outputs, AFileThatIsWrittenAgainCountsAsItWentLast) {
  Outputs outputs;
  const auto fails = [] { throw std::runtime_error("full"); };
  EXPECT_FALSE(outputs.attempt("search.json", fails));
  EXPECT_TRUE(outputs.attempt("search.json", [] {}));
  EXPECT_THAT(outputs.not_written(), IsEmpty());
}

TEST(Outputs, WhatIsNotThereFailsACommandThatWouldHavePassed) {
  const std::vector<std::string> lost{"metrics.json: full"};
  EXPECT_EQ(exit_code_with(lost, 0), 1);
  EXPECT_EQ(exit_code_with(lost, 99), 99);
  EXPECT_EQ(exit_code_with({}, 0), 0);
  EXPECT_EQ(not_written_text(lost, 0),
            "not written: metrics.json: full\nexit code 1, since what was asked for is not all there\n");
  EXPECT_EQ(not_written_text(lost, 130), "not written: metrics.json: full\n");
}

std::string read(const std::filesystem::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(RunFiles, AreWrittenWhateverTextTheyHold) {
  const tests::TemporaryFolder place;
  const RunFolder folder(place.path(), "q", 0);
  measure::RunReport report = full_report();
  report.failure = "Syst\xE8me satur\xE9";
  report.notes = {"cut \xC3"};
  const config::Config config = report.config;
  MetricsFile(folder, config).conclude(report);
  ReportFile(folder).conclude(report);
  const auto metrics = nlohmann::json::parse(read(folder.path() / "metrics.json"));
  EXPECT_EQ(metrics["run"]["failure"], "Syst\uFFFDme satur\uFFFD");
  EXPECT_THAT(read(folder.path() / "report.md"), HasSubstr("satur"));
}

TEST(RunFiles, HoldNoSecret) {
  const tests::TemporaryFolder place;
  const RunFolder folder(place.path(), "q", 0);
  measure::RunReport report = full_report();
  report.failure = "connect to postgresql://app:planted@db/x: refused";
  report.notes = {"host=db password=planted user=app"};
  const config::Config config = report.config;
  MetricsFile(folder, config).conclude(report);
  ReportFile(folder).conclude(report);
  JunitOutput(JunitFile(folder.path() / "junit.xml")).conclude(report);
  for (const char* file : {"metrics.json", "report.md", "junit.xml"})
    EXPECT_EQ(read(folder.path() / file).find("planted"), std::string::npos) << file;
  EXPECT_TRUE(nlohmann::json::accept(read(folder.path() / "metrics.json")));
}

}  // namespace
}  // namespace walstorm::report::test
