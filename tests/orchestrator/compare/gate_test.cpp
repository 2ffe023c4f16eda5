#include "orchestrator/compare/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::compare {
namespace {

using ::testing::HasSubstr;
using Comparison = config::Expression::Comparison;

const std::vector<std::string> kKnown{"consumer.cpuMicrosPerRecord", "consumer.lagMs.p50",
                                      "consumer.lagMs.p99", "processes.consumer-0.rssMaxBytes"};

void gives(const std::string& text, const std::string& path, Comparison comparison, double limit) {
  const Gate gate = parse_gate(text, kKnown);
  EXPECT_EQ(gate.text, text);
  EXPECT_EQ(gate.path, path) << text;
  EXPECT_EQ(gate.comparison, comparison) << text;
  EXPECT_DOUBLE_EQ(gate.limit, limit) << text;
}

void rejects(const std::string& text, const std::string& message) {
  try {
    (void)parse_gate(text, kKnown);
    ADD_FAILURE() << text << " was taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr("--fail-on \"" + text + "\": "));
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(Gate, IsAFigureAComparisonAndAPercentage) {
  gives("consumer.cpuMicrosPerRecord > +5%", "consumer.cpuMicrosPerRecord", Comparison::greater, 0.05);
  gives("consumer.lagMs.p99 < -3%", "consumer.lagMs.p99", Comparison::less, -0.03);
  gives("consumer.lagMs.p99>=0.5 %", "consumer.lagMs.p99", Comparison::at_least, 0.005);
  gives("  consumer.lagMs.p99 <=  200%  ", "consumer.lagMs.p99", Comparison::at_most, 2);
  gives("processes.consumer-0.rssMaxBytes > 10%", "processes.consumer-0.rssMaxBytes", Comparison::greater,
        0.1);
}

TEST(Gate, ThatCannotBeReadSaysHowToWriteOne) {
  for (const char* text :
       {"", "consumer.lagMs.p99", "consumer.lagMs.p99 > 5", "consumer.lagMs.p99 > five%", "> 5%",
        "consumer.lagMs.p99 > ++5%", "consumer.lagMs.p99 > +-5%x", "consumer.lagMs.p99 > %",
        "consumer.lagMs.p99 == 5%", "consumer.lagMs.p99 > 5% or so", "consumer.lagMs.p99 > inf%"}) {
    rejects(text, "write a figure and by how much it may change");
  }
}

TEST(Gate, OfAFigureThatIsNotThereNamesTheOneThatMayBeMeant) {
  rejects("consumer.lagMs.p9 > 5%", "unknown figure consumer.lagMs.p9; did you mean consumer.lagMs.p99?");
  rejects("consumer.lagMs > 5%", "consumer.lagMs is several figures");
  rejects("processes.consumer-1.rssMaxBytes > 5%", "did you mean processes.consumer-0.rssMaxBytes?");
}

}  // namespace
}  // namespace walstorm::compare
