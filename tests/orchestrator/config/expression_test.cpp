#include "orchestrator/config/expression.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>

namespace walstorm::config {
namespace {

using Comparison = Expression::Comparison;

Expression parsed(const std::string& text) {
  const auto result = parse_expression(text);
  if (const auto* error = std::get_if<ExpressionError>(&result)) {
    ADD_FAILURE() << text << ": column " << error->column << ": " << error->message;
    return {};
  }
  return std::get<Expression>(result);
}

/// Of the left side of "<sum> < x", with figures by their text.
std::optional<double> value(const std::string& sum, const std::map<std::string, double>& figures = {}) {
  return value_of(parsed(sum + " < x").left, [&](const Expression::Figure& figure) {
    const auto at = figures.find(figure.text());
    return at == figures.end() ? std::nullopt : std::optional(at->second);
  });
}

void refuses(const std::string& text, std::size_t column, const std::string& message) {
  const auto result = parse_expression(text);
  const auto* error = std::get_if<ExpressionError>(&result);
  ASSERT_TRUE(error) << text << " was taken";
  EXPECT_EQ(error->column, column) << text;
  EXPECT_EQ(error->message, message) << text;
}

TEST(Expression, ComparesInSixWays) {
  const std::vector<std::pair<const char*, Comparison>> all{
      {"a < 1", Comparison::less},      {"a<=1", Comparison::at_most}, {"a > 1", Comparison::greater},
      {"a >= 1", Comparison::at_least}, {"a == 1", Comparison::equal}, {"a != 1", Comparison::unequal}};
  for (const auto& [text, comparison] : all) EXPECT_EQ(parsed(text).comparison, comparison) << text;
  EXPECT_TRUE(holds(Comparison::less, 1, 2));
  EXPECT_FALSE(holds(Comparison::less, 2, 2));
  EXPECT_TRUE(holds(Comparison::at_most, 2, 2));
  EXPECT_FALSE(holds(Comparison::at_most, 3, 2));
  EXPECT_TRUE(holds(Comparison::greater, 3, 2));
  EXPECT_FALSE(holds(Comparison::greater, 2, 2));
  EXPECT_TRUE(holds(Comparison::at_least, 2, 2));
  EXPECT_FALSE(holds(Comparison::at_least, 1, 2));
  EXPECT_TRUE(holds(Comparison::equal, 2, 2));
  EXPECT_FALSE(holds(Comparison::equal, 1, 2));
  EXPECT_TRUE(holds(Comparison::unequal, 1, 2));
  EXPECT_FALSE(holds(Comparison::unequal, 2, 2));
}

TEST(Expression, ReckonsAsPeopleDo) {
  EXPECT_EQ(value("1 + 2 * 3"), 7);
  EXPECT_EQ(value("(1 + 2) * 3"), 9);
  EXPECT_EQ(value("8 - 2 - 1"), 5);
  EXPECT_EQ(value("8 / 2 / 2"), 2);
  EXPECT_EQ(value("-2 * -(3 - 1)"), 4);
  EXPECT_EQ(value("--2"), 2);
  EXPECT_EQ(value("2 - -1"), 3);
  EXPECT_EQ(value("1.5e3 + 0.25"), 1500.25);
  EXPECT_EQ(value("a.b - c", {{"a.b", 10}, {"c", 4}}), 6);
  EXPECT_EQ(value("a.b-c", {{"a.b", 10}, {"c", 4}}), 6);
}

TEST(Expression, NamesFiguresOfThisPhaseAndOfOthers) {
  const auto figures =
      parsed("consumer.lagMs.p2_5 < 2 * phase('a \"b\"').x.y + phase( \"it's\" ).z * 2").figures();
  ASSERT_EQ(figures.size(), 3U);
  EXPECT_EQ(figures[0].path, "consumer.lagMs.p2_5");
  EXPECT_EQ(figures[0].phase, "");
  EXPECT_EQ(figures[0].column, 1U);
  EXPECT_EQ(figures[1].phase, "a \"b\"");
  EXPECT_EQ(figures[1].path, "x.y");
  EXPECT_EQ(figures[1].column, 27U);
  EXPECT_EQ(figures[2].phase, "it's");
  EXPECT_EQ(figures[2].path, "z");
  EXPECT_EQ(parsed("phase < 1").figures()[0].path, "phase");
}

TEST(Expression, TakesAMinusInARoleOnly) {
  EXPECT_EQ(parsed("processes.consumer-0.rssMaxBytes < 1").figures()[0].path,
            "processes.consumer-0.rssMaxBytes");
  EXPECT_EQ(
      value("processes.postgres-walsender.cpuUserSec-1", {{"processes.postgres-walsender.cpuUserSec", 3}}),
      2);
}

TEST(Expression, HasNoValueWhereAFigureHasNoneOrTheResultIsNoNumber) {
  EXPECT_EQ(value("2 * a"), std::nullopt);
  EXPECT_EQ(value("a / b", {{"a", 1}, {"b", 0}}), std::nullopt);
  EXPECT_EQ(value("a / b", {{"a", 0}, {"b", 0}}), std::nullopt);
  EXPECT_EQ(value("1e300 * 1e300"), std::nullopt);
  EXPECT_EQ(value("a * 0", {}), std::nullopt);
}

TEST(Expression, HasNoValueWhereAnyStepOfItIsNoNumber) {
  EXPECT_EQ(value("1 / (1 / a)", {{"a", 0}}), std::nullopt);
  EXPECT_EQ(value("1 / (a / b)", {{"a", 5}, {"b", 0}}), std::nullopt);
  EXPECT_EQ(value("-1 / (-a / b) + 3", {{"a", 5}, {"b", 0}}), std::nullopt);
  EXPECT_EQ(value("a / (1e300 * 1e300)", {{"a", 5}}), std::nullopt);
  EXPECT_EQ(value("1 / a", {{"a", INFINITY}}), std::nullopt);
  EXPECT_EQ(value("1 / a", {{"a", NAN}}), std::nullopt);
  EXPECT_EQ(value("1 / (1 / a)", {{"a", 4}}), 4.0);
}

TEST(Expression, AsksForEveryFigureSoThatAllThatAreMissingCanBeNamed) {
  int asked = 0;
  EXPECT_EQ(value_of(parsed("a + b * phase('p').c < 1").left,
                     [&](const Expression::Figure&) -> std::optional<double> {
                       ++asked;
                       return std::nullopt;
                     }),
            std::nullopt);
  EXPECT_EQ(asked, 3);
}

TEST(Expression, SaysWhatIsWrongAndInWhichColumn) {
  refuses("a", 2, "a comparison belongs here (<, <=, >, >=, == or !=), not the end");
  refuses("", 1, "a number or a figure belongs here, not the end");
  refuses("a = 1", 3, "a lone =; write == for \"is equal to\"");
  refuses("a ! 1", 3, "a comparison belongs here (<, <=, >, >=, == or !=), not \"!\"");
  refuses("a < 1 < 2", 7, "one comparison only: make two thresholds of it");
  refuses("a < 1 && b < 2", 7, "\"&\" is too much here");
  refuses("a < 1 b", 7, "\"b\" is too much here");
  refuses("a < 1)", 6, "\")\" is too much here");
  refuses("(a + 1 < 2", 8, "a ) belongs here, not \"<\"");
  refuses("a < ", 5, "a number or a figure belongs here, not the end");
  refuses("a < * 2", 5, "a number or a figure belongs here, not \"*\"");
  refuses("a < +2", 5, "a number or a figure belongs here, not \"+\"");
  refuses("lag < 100ms", 10,
          "a number has no unit here: the figure's name says it (lagMs is in milliseconds)");
  refuses("rate < 5%", 9, "a number has no unit here: the figure's name says it (lagMs is in milliseconds)");
  refuses("a < 1e999", 5, "is no number that can be had");
  refuses("a. < 1", 4, "the rest of the figure belongs here, not \"<\"");
  refuses("a < phase(b).c", 11, "a phase's name in quotes belongs here: phase('baseline')");
  refuses("a < phase('b.c", 11, "the quote that begins here does not end");
  refuses("a < phase('').c", 11, "a phase has a name");
  refuses("a < phase('b'.c", 14, "a ) belongs here, not \".\"");
  refuses("a < phase('b')", 15, "a figure of phase \"b\" belongs here: .consumer.lagMs.p99");
  refuses("a < phase('b').3", 16, "a figure belongs here, not \"3\"");
  refuses("1 < 2", 1, "names no figure, such as consumer.lagMs.p99");
}

TEST(Expression, CountsColumnsInCharacters) {
  refuses("phase('Übermaß').a < µ", 22, "a number or a figure belongs here, not \"µ\"");
}

TEST(Expression, IsAsDeepAsItsTextIsLongAndNoDeeper) {
  const std::string deep(99, '(');
  EXPECT_EQ(parsed(deep + "a" + std::string(99, ')') + "<1").figures().size(), 1U);
  refuses(deep, 100, "a number or a figure belongs here, not the end");
}

}  // namespace
}  // namespace walstorm::config
