#include "orchestrator/report/junit_xml.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>

#include "proto/wire/error.h"
#include "tests/orchestrator/report/example_report.h"
#include "tests/orchestrator/report/golden.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::report::test {
namespace {

using boost::property_tree::ptree;
using testing::HasSubstr;

ptree parsed(const measure::RunReport& report) {
  std::istringstream text(junit_xml(report));
  ptree tree;
  boost::property_tree::read_xml(text, tree, boost::property_tree::xml_parser::trim_whitespace);
  return tree.get_child("testsuites");
}

std::vector<ptree> children(const ptree& tree, const std::string& name) {
  std::vector<ptree> found;
  for (const auto& [key, child] : tree) {
    if (key == name) found.push_back(child);
  }
  return found;
}

std::string attribute(const ptree& tree, const std::string& name) {
  return tree.get<std::string>("<xmlattr>." + name);
}

std::string failure_of(const ptree& test_case) {
  return test_case.get<std::string>("failure.<xmlattr>.message", "");
}

TEST(JunitXml, IsAsItAlwaysWas) {
  expect_golden("junit.xml", junit_xml(full_report()));
}

TEST(JunitXml, HasASuiteOfTheRunAndOneOfEachJudgedPhase) {
  const auto suites = children(parsed(full_report()), "testsuite");
  ASSERT_EQ(suites.size(), 2U);
  EXPECT_EQ(attribute(suites[0], "name"), "quickstart");
  EXPECT_EQ(attribute(suites[0], "time"), "240.000");
  EXPECT_EQ(attribute(suites[0], "timestamp"), "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(attribute(suites[1], "name"), "quickstart.peak");
  EXPECT_EQ(attribute(suites[1], "tests"), "4");
  EXPECT_EQ(attribute(suites[1], "failures"), "3");
  const auto cases = children(suites[1], "testcase");
  ASSERT_EQ(cases.size(), 4U);
  EXPECT_EQ(attribute(cases[0], "name"), "producer.errorRate < 0.01");
  EXPECT_EQ(failure_of(cases[0]), "");
  EXPECT_EQ(failure_of(cases[1]), "observed 35.0 s, limit 1.0 s");
  EXPECT_EQ(attribute(cases[2], "name"),
            "consumer.lagMs.p99 < 2 * phase('baseline').consumer.lagMs.p99 over 10 s");
  EXPECT_EQ(failure_of(cases[3]), "never measured: consumer.parts.created");
}

TEST(JunitXml, SaysOfTheRunWhetherItPassedAndItsLedgerIsClean) {
  const auto of_run = [](const measure::RunReport& report) {
    return children(children(parsed(report), "testsuite").at(0), "testcase");
  };
  measure::RunReport report = full_report();
  EXPECT_EQ(attribute(of_run(report).at(0), "name"), "run passed");
  EXPECT_EQ(failure_of(of_run(report).at(0)), "thresholds-crossed");
  EXPECT_EQ(attribute(of_run(report).at(1), "name"), "ledger is clean");
  EXPECT_EQ(failure_of(of_run(report).at(1)), "");
  report.outcome = measure::Outcome::passed;
  EXPECT_EQ(failure_of(of_run(report).at(0)), "");
  report.changes.missing = 7;
  report.changes.broken_at = "sink";
  EXPECT_THAT(failure_of(of_run(report).at(1)),
              HasSubstr("7 MISSING, 29,400 in transit; BROKEN at the sink"));
  report = bare_report();
  EXPECT_EQ(failure_of(of_run(report).at(0)), "failed: consumer-0 ended in phase \"peak\": signal 9");
  EXPECT_EQ(of_run(report).at(1).get<std::string>("skipped.<xmlattr>.message"), "the ledger was not settled");
}

TEST(JunitXml, StaysWellFormedWhateverNamesAndFailuresHold) {
  measure::RunReport report = full_report();
  report.outcome = measure::Outcome::failed;
  report.failure = "a\x01 <b> & \"c\"\n'd' \x1b[31mé\x7F";
  report.phases[2].name = "p <&> \"q\"";
  const auto suites = children(parsed(report), "testsuite");
  EXPECT_EQ(failure_of(children(suites.at(0), "testcase").at(0)), "failed: a <b> & \"c\" 'd' [31mé");
  EXPECT_EQ(attribute(suites.at(1), "name"), "quickstart.p <&> \"q\"");
}

TEST(JunitFile, IsRefusedBeforehandWhereItCannotBeWritten) {
  const tests::TemporaryFolder folder;
  try {
    const JunitFile file(folder.path() / "no" / "such" / "junit.xml");
    FAIL() << "was taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr("junit.xml: cannot be written: No such file or directory"));
  }
  EXPECT_THROW(JunitFile{folder.path()}, wire::Error);
}

TEST(JunitFile, LeavesNoOlderResultThatCouldBeTakenForThisOne) {
  const tests::TemporaryFolder folder;
  const auto path = folder.path() / "junit.xml";
  std::ofstream(path) << "of yesterday";
  const JunitFile file(path);
  EXPECT_FALSE(std::filesystem::exists(path));
  file.write(full_report());
  std::ifstream written(path);
  std::ostringstream text;
  text << written.rdbuf();
  EXPECT_EQ(text.str(), junit_xml(full_report()));
}

}  // namespace
}  // namespace walstorm::report::test
