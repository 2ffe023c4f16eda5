#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "orchestrator/live/live_lines.h"
#include "orchestrator/live/live_view.h"
#include "orchestrator/text/format.h"
#include "tests/orchestrator/report/example_report.h"
#include "tests/orchestrator/report/golden.h"

namespace walstorm::live {
namespace {

using report::test::example_second;
using report::test::expect_golden;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<config::Phase> plan() {
  return {{.name = "warmup",
           .duration_sec = 30,
           .load = config::ConstantLoad{1000},
           .records = {},
           .warmup = true},
          {.name = "baseline",
           .duration_sec = 60,
           .load = config::ConstantLoad{5000},
           .records = {},
           .warmup = false},
          {.name = "ramp",
           .duration_sec = 15,
           .load = config::RampLoad{1000, 9000},
           .records = 50'000,
           .warmup = false}};
}

std::vector<PhaseProgress> progress() {
  return {{"warmup", 30, 30.2, Stage::ended, measure::VerdictState::sustained},
          {"baseline", 60, 12.04, Stage::loading, {}},
          {"ramp", 15, 0, Stage::waiting, {}}};
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

TEST(LiveLines, AreAsTheyAlwaysWere) {
  expect_golden("live_wide.txt", joined(live_lines(progress(), example_second(), {120, 40})));
  expect_golden("live_narrow.txt", joined(live_lines(progress(), example_second(), {60, 40})));
}

TEST(LiveLines, NeverExceedTheScreen) {
  std::vector<PhaseProgress> many;
  for (int i = 0; i < 50; ++i) {
    many.push_back({fmt::format("step {}", i), 10, 0, i < 20 ? Stage::ended : Stage::waiting, {}});
  }
  many[20].stage = Stage::loading;
  for (const std::size_t rows : {1U, 2U, 6U, 7U, 8U, 24U, 200U}) {
    for (const std::size_t columns : {1U, 20U, 80U}) {
      const auto lines = live_lines(many, example_second(), {columns, rows});
      EXPECT_LE(lines.size(), std::max<std::size_t>(1, rows - 1)) << rows;
      for (const auto& line : lines) EXPECT_LE(text::display_width(line), columns);
      EXPECT_THAT(joined(lines), HasSubstr(columns >= 20 ? "step 20" : "")) << rows;
    }
  }
}

TEST(LiveLines, SaysWhatAPhaseIsDoing) {
  auto phases = progress();
  phases[1].stage = Stage::draining;
  EXPECT_THAT(joined(live_lines(phases, example_second(), {})), HasSubstr("draining"));
}

TEST(LiveLines, ShowsTheTimeOfAPhaseWhoseLengthNobodyKnows) {
  std::vector<PhaseProgress> phases{
      {.name = "preload", .planned_sec = 0, .elapsed_sec = 7.6, .stage = Stage::loading, .verdict = {}}};
  EXPECT_EQ(live_lines(phases, {}, {})[0], "preload [" + std::string(30, '.') + "] 7 s");
  phases[0].stage = Stage::ended;
  EXPECT_EQ(live_lines(phases, {}, {})[0], "preload [" + std::string(30, '#') + "] ended");
}

TEST(PlainLine, IsAsItAlwaysWas) {
  measure::Second draining = example_second();
  draining.draining = true;
  draining.target_per_sec.reset();
  draining.sent_to_received_bytes.reset();
  std::string text = plain_line(example_second()) + "\n" + plain_line(draining) + "\n";
  for (const config::Phase& phase : plan()) text += phase_start_line(phase) + "\n";
  expect_golden("live_plain.txt", text);
}

TEST(LiveView, PrintsAPlainLineEveryTenSecondsWhereThereIsNoTerminal) {
  std::ostringstream out;
  {
    LiveView view(
        out, [] { return std::nullopt; }, plan());
    view.phase_started(1);
    measure::Second second = example_second();
    for (int i = 0; i < 30; ++i) {
      // Closed a little early now and then, as by a timer.
      second.at_unix_us += 1'000'000 + (i % 2 == 0 ? 3'000 : -3'000);
      view.show(second);
    }
    view.phase_ended(1, measure::VerdictState::sustained);
  }
  const std::string text = out.str();
  EXPECT_THAT(text, HasSubstr("phase baseline: 60 s at 5,000/s\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(LiveView, RedrawsInPlaceOnATerminal) {
  std::ostringstream out;
  LiveView view(
      out,
      [] {
        return Screen{100, 24};
      },
      plan());
  view.phase_started(1);
  EXPECT_EQ(out.str(), "");
  view.show(example_second());
  const std::string first = out.str();
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 8) << "three phases, five processes";
  EXPECT_THAT(first, Not(HasSubstr("\x1b")));
  out.str("");
  view.show(example_second());
  EXPECT_THAT(out.str(), ::testing::StartsWith("\x1b[8F\x1b[J"));
}

TEST(LiveView, MakesRoomForOtherLinesAndGoesWithoutATrace) {
  std::ostringstream out;
  {
    LiveView view(
        out,
        [] {
          return Screen{100, 24};
        },
        plan());
    view.phase_started(1);
    view.show(example_second());
    out.str("");
    view.print("something happened\n");
    EXPECT_THAT(out.str(), ::testing::StartsWith("\x1b[8F\x1b[Jsomething happened\nwarmup"));
    out.str("");
    view.phase_ended(1, measure::VerdictState::sustained);
    view.print("the phase's report\n");
    EXPECT_EQ(out.str(), "\x1b[8F\x1b[Jthe phase's report\n") << "no figures of a phase that is over";
    view.phase_started(2);
    view.show(example_second());
    out.str("");
  }
  EXPECT_EQ(out.str(), "\x1b[8F\x1b[J");
}

}  // namespace
}  // namespace walstorm::live
