#include "orchestrator/report/junit_xml.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>

#include "orchestrator/config/json/secrets.h"
#include "orchestrator/measure/ledger/ledger.h"
#include "orchestrator/report/phase_text.h"
#include "orchestrator/report/threshold_text.h"
#include "orchestrator/text/format.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::report {
namespace {

using boost::property_tree::ptree;
using measure::Outcome;

/// XML 1.0 has no way to write most control characters, and makes a blank of the others in an attribute.
std::string clean(const std::string& raw) {
  std::string text = wire::to_utf8(raw);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  std::erase_if(text, is_control);
  return text;
}

struct Case {
  std::string name;
  std::string failure;  ///< why it failed, or was skipped; empty when it passed
  bool skipped = false;
};

struct Suite {
  std::string name;
  std::optional<std::int64_t> started_at_unix_us;
  double duration_sec = 0;
  std::vector<Case> cases;
};

std::string seconds_text(double sec) {
  return fmt::format("{:.3f}", std::max(0.0, sec));
}

Suite suite_of(const measure::RunReport& report) {
  Suite suite{report.name,
              report.started_at_unix_us,
              static_cast<double>(report.ended_at_unix_us - report.started_at_unix_us) / 1e6,
              {}};
  std::string why;
  if (report.outcome != Outcome::passed) {
    why = measure::to_string(report.outcome);
    if (!report.failure.empty()) why += ": " + report.failure;
  }
  suite.cases.push_back({"run passed", why});
  if (!measure::is_clean(report)) {
    suite.cases.push_back(
        {"ledger is clean", fmt::format("changes: {}; rows: {}; content: {}", ledger_text(report.changes),
                                        ledger_text(report.rows), ledger_text(report.content))});
  } else {
    const bool is_settled = report.changes.produced && report.changes.acknowledged;
    suite.cases.push_back({"ledger is clean", is_settled ? "" : "the ledger was not settled", !is_settled});
  }
  return suite;
}

Suite suite_of(const measure::RunReport& report, const measure::PhaseReport& phase) {
  Suite suite{fmt::format("{}.{}", report.name, phase.name),
              phase.started_at_unix_us,
              phase.duration_sec.value_or(0),
              {}};
  for (const measure::ThresholdResult& threshold : phase.thresholds) {
    std::string observed = observed_text(threshold);
    suite.cases.push_back({expression_text(threshold), threshold.passed ? "" : std::move(observed)});
  }
  return suite;
}

ptree tree_of(const Suite& suite) {
  ptree tree;
  const auto failures = std::count_if(suite.cases.begin(), suite.cases.end(),
                                      [](const Case& c) { return !c.failure.empty() && !c.skipped; });
  const auto skipped =
      std::count_if(suite.cases.begin(), suite.cases.end(), [](const Case& c) { return c.skipped; });
  tree.put("<xmlattr>.name", clean(suite.name));
  tree.put("<xmlattr>.tests", suite.cases.size());
  tree.put("<xmlattr>.failures", failures);
  tree.put("<xmlattr>.errors", 0);
  tree.put("<xmlattr>.skipped", skipped);
  if (suite.started_at_unix_us) tree.put("<xmlattr>.timestamp", text::iso_time(*suite.started_at_unix_us));
  tree.put("<xmlattr>.time", seconds_text(suite.duration_sec));
  for (const Case& each : suite.cases) {
    ptree& node = tree.add_child("testcase", ptree());
    node.put("<xmlattr>.name", clean(each.name));
    node.put("<xmlattr>.classname", clean(suite.name));
    node.put("<xmlattr>.time", seconds_text(suite.duration_sec));
    if (each.failure.empty()) continue;
    node.put(each.skipped ? "skipped.<xmlattr>.message" : "failure.<xmlattr>.message", clean(each.failure));
  }
  return tree;
}

[[noreturn]] void fail(wire::ErrorKind kind, const std::filesystem::path& path) {
  throw wire::Error(kind,
                    fmt::format("--junit {}: cannot be written: {}; name a file in a folder that exists",
                                path.string(), std::strerror(errno)));
}

}  // namespace

std::string junit_xml(const measure::RunReport& report) {
  std::vector<Suite> suites{suite_of(report)};
  for (const measure::PhaseReport& phase : report.phases) {
    if (!phase.thresholds.empty()) suites.push_back(suite_of(report, phase));
  }
  ptree document;
  ptree& root = document.add_child("testsuites", ptree());
  root.put("<xmlattr>.name", clean("walstorm " + report.name));
  for (const Suite& suite : suites) root.add_child("testsuite", tree_of(suite));
  std::ostringstream text;
  boost::property_tree::write_xml(text, document,
                                  boost::property_tree::xml_writer_make_settings<std::string>(' ', 2));
  return text.str();
}

JunitFile::JunitFile(std::filesystem::path path) : path_(std::move(path)) {
  errno = 0;
  if (!std::ofstream(path_, std::ios::binary)) fail(wire::ErrorKind::config, path_);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path_, ignored)) std::filesystem::remove(path_, ignored);
}

void JunitFile::write(const measure::RunReport& report) const {
  errno = 0;
  std::ofstream file(path_, std::ios::binary);
  file << config::hide_secrets(junit_xml(report)) << std::flush;
  if (file) return;
  // Half a document would be taken for a result that cannot be read.
  const int why = errno;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path_, ignored)) std::filesystem::remove(path_, ignored);
  errno = why;
  fail(wire::ErrorKind::unavailable, path_);
}

}  // namespace walstorm::report
