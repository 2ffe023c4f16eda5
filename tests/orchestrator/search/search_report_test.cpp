#include "orchestrator/search/search_report.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "orchestrator/search/search_json.h"
#include "orchestrator/search/search_text.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/report/golden.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::search {
namespace {

using measure::Bottleneck;
using measure::VerdictState;
using ::testing::HasSubstr;
using ::testing::IsNull;
using ::testing::Not;

ValueTrial made_up(double value, Purpose purpose, Judged judged, VerdictState verdict, double lag_p99_ms) {
  ValueTrial trial;
  trial.value = value;
  trial.purpose = purpose;
  trial.judged = judged;
  trial.load_sec = purpose == Purpose::bisect || purpose == Purpose::bracket ? 20 : 40;
  trial.trial.run = "stress-" + std::to_string(static_cast<int>(value));
  trial.trial.outcome = measure::Outcome::passed;
  trial.trial.duration_sec = trial.load_sec + 5;
  trial.trial.verdict = verdict;
  trial.trial.bottleneck = verdict == VerdictState::sustained ? Bottleneck::none : Bottleneck::sink;
  trial.trial.why = verdict == VerdictState::sustained ? "100.0 % of the records due were written"
                                                       : "records waited at least 3 s at the end of the load";
  if (verdict != VerdictState::sustained) trial.trial.advice = "raise consumer.flushBatchSize (now 50)";
  trial.trial.figures = {
      {"producer.throughput", value},         {"consumer.throughput", std::min(value, 10'000.0)},
      {"consumer.lagMs.p50", lag_p99_ms / 2}, {"consumer.lagMs.p99", lag_p99_ms},
      {"producer.cpuMicrosPerRecord", 3.1},   {"consumer.cpuMicrosPerRecord", 4.2}};
  return trial;
}

SearchReport converged() {
  SearchReport report;
  report.name = "stress";
  report.phase = "peak";
  report.config = R"({"producer":{"batchSize":50},"seed":1})";
  report.started_at_unix_us = 1'769'860'800'000'000;
  report.ended_at_unix_us = report.started_at_unix_us + 312'000'000;
  report.unthrottled = made_up(40'000, Purpose::bracket, Judged::unclear, VerdictState::marginal, 900).trial;
  report.trials = {made_up(5000, Purpose::bracket, Judged::passes, VerdictState::sustained, 20),
                   made_up(8000, Purpose::bracket, Judged::passes, VerdictState::sustained, 24),
                   made_up(9000, Purpose::bracket, Judged::passes, VerdictState::sustained, 30),
                   made_up(11'250, Purpose::bracket, Judged::fails, VerdictState::falling_behind, 3400),
                   made_up(10'062, Purpose::bisect, Judged::fails, VerdictState::falling_behind, 800),
                   made_up(9900, Purpose::bisect, Judged::passes, VerdictState::sustained, 95),
                   made_up(10'062, Purpose::repeat, Judged::fails, VerdictState::falling_behind, 1300),
                   made_up(9900, Purpose::confirm, Judged::passes, VerdictState::sustained, 97)};
  report.last_passing = 9900;
  report.first_failing = 10'062;
  report.width = 162.0 / 9900;
  report.confirmed = true;
  report.stop_reason = "converged";
  return report;
}

TEST(SearchReport, TellsOfTrialsWhoseRunFailed) {
  SearchReport report = converged();
  EXPECT_EQ(failed_trials(report), 0U);
  for (const std::size_t index : {4U, 6U}) {  // both of the first failing value
    report.trials[index].trial.outcome = measure::Outcome::failed;
    report.trials[index].trial.verdict = VerdictState::failed;
    report.trials[index].trial.failure = "consumer-0: the sink was unreachable for 60 s\nmore of it";
  }
  EXPECT_EQ(failed_trials(report), 2U);
  EXPECT_EQ(bound_by(report), "failed run");
  const std::string text = search::search_text(report, "/out", false);
  EXPECT_THAT(
      text,
      HasSubstr("first failing   10,062/s: run failed; consumer-0: the sink was unreachable for 60 s\n"));
  EXPECT_THAT(
      text,
      HasSubstr("failed runs     2, whose values count as failing: 10,062/s: consumer-0: the sink was"));
  EXPECT_THAT(search::trial_line(report, 4),
              HasSubstr("10,062/s fails: its run failed: consumer-0: the sink"));
  EXPECT_EQ(nlohmann::json::parse(search::search_json(report))["failedRuns"], 2);
}

TEST(SearchReport, NamesWhatBoundTheFirstFailingValue) {
  EXPECT_EQ(bound_by(converged()), "sink");
  SearchReport by_threshold = converged();
  for (ValueTrial& trial : by_threshold.trials) {
    if (trial.judged == Judged::fails) trial.trial.crossed = {"consumer.lagMs.p99 < 500"};
  }
  EXPECT_EQ(bound_by(by_threshold), "threshold consumer.lagMs.p99 < 500");
  SearchReport nothing_failed = converged();
  nothing_failed.first_failing.reset();
  EXPECT_EQ(bound_by(nothing_failed), "");
}

TEST(SearchReport, BlamesTheNextGreaterValueForOneThatWasOnlyNotShownToPass) {
  SearchReport report = converged();
  for (ValueTrial& trial : report.trials) {
    if (trial.value != 10'062) continue;
    trial.judged = Judged::unclear;
    trial.lag_creep_ms = 87;
    trial.trial.verdict = VerdictState::sustained;
    trial.trial.bottleneck = Bottleneck::none;
  }
  EXPECT_EQ(bound_by(report), "sink");
  EXPECT_EQ(blamed_trial(report)->value, 11'250);
  EXPECT_EQ(confidence(report), "medium");
  EXPECT_THAT(search::search_text(report, "/out", false),
              HasSubstr("not shown to pass: its lag crept up by 87.0 ms"));
}

TEST(SearchReport, SaysThatTheGeneratorWasTheLimitAndNotThePipeline) {
  SearchReport report = converged();
  for (ValueTrial& trial : report.trials) {
    if (trial.judged != Judged::fails) continue;
    trial.trial.verdict = VerdictState::generator_limited;
    trial.trial.bottleneck = Bottleneck::postgres_write;
  }
  EXPECT_EQ(bound_by(report), "generator (postgres-write)");
  EXPECT_THAT(search::search_text(report, "/out", false), HasSubstr("the load generator was the limit"));
}

TEST(SearchReport, IsAsSureAsItsTrialsAgree) {
  EXPECT_EQ(confidence(converged()), "high");
  SearchReport once = converged();
  once.trials.erase(once.trials.begin() + 6);
  EXPECT_EQ(confidence(once), "medium");
  SearchReport contradicted = converged();
  contradicted.trials[6].judged = Judged::passes;
  EXPECT_EQ(confidence(contradicted), "medium");
  SearchReport unconfirmed = converged();
  unconfirmed.confirmed = false;
  EXPECT_EQ(confidence(unconfirmed), "low");
}

TEST(SearchReport, FindsTheKneeBeforeLatencyRises) {
  const SearchReport report = converged();
  const ValueTrial* bend = knee(report);
  ASSERT_NE(bend, nullptr);
  EXPECT_EQ(bend->value, 9000);
  SearchReport few = converged();
  few.trials.resize(3);
  EXPECT_THAT(knee(few), IsNull());
}

TEST(SearchJson, HasBothEndsOfTheBracketWithTheirRuns) {
  const auto json = nlohmann::json::parse(search::search_json(converged()));
  EXPECT_EQ(json["lastPassing"]["targetThroughput"], 9900);
  EXPECT_EQ(json["lastPassing"]["achieved"], 9900);
  EXPECT_EQ(json["lastPassing"]["run"], "stress-9900");
  EXPECT_EQ(json["firstFailing"]["targetThroughput"], 10'062);
  EXPECT_EQ(json["boundBy"], "sink");
  EXPECT_EQ(json["stopReason"], "converged");
  EXPECT_EQ(json["confirmation"]["passed"], true);
  EXPECT_EQ(json["trials"].size(), 8U);
}

TEST(SearchJson, HasNullForWhatIsNotKnown) {
  SearchReport report;
  report.name = "stress";
  const auto json = nlohmann::json::parse(search::search_json(report));
  for (const char* key :
       {"lastPassing", "firstFailing", "width", "boundBy", "stopReason", "confirmation", "knee"})
    EXPECT_TRUE(json[key].is_null()) << key;
}

TEST(SearchJson, IsReadBackSoThatASearchGoesOn) {
  const tests::TemporaryFolder folder;
  const auto file = folder.path() / search::kSearchFile;
  std::ofstream(file) << search::search_json(converged());
  const SearchReport read = search::read_search(file);
  const SearchReport written = converged();
  ASSERT_EQ(read.trials.size(), written.trials.size());
  for (std::size_t i = 0; i < read.trials.size(); ++i) {
    EXPECT_EQ(read.trials[i].value, written.trials[i].value);
    EXPECT_EQ(read.trials[i].purpose, written.trials[i].purpose);
    EXPECT_EQ(read.trials[i].judged, written.trials[i].judged);
    EXPECT_EQ(read.trials[i].trial.figures, written.trials[i].trial.figures);
    EXPECT_EQ(read.trials[i].trial.verdict, written.trials[i].trial.verdict);
  }
  EXPECT_TRUE(read.unthrottled);
  EXPECT_EQ(read.phase, written.phase);
  EXPECT_EQ(read.config, written.config);
}

TEST(SearchJson, RefusesWhatIsNoSearch) {
  const tests::TemporaryFolder folder;
  const auto file = folder.path() / search::kSearchFile;
  EXPECT_THROW((void)search::read_search(file), wire::Error);
  for (const char* text : {"", "[]", "{\"schemaVersion\": 2}", "{\"schemaVersion\": 1}"}) {
    std::ofstream(file) << text;
    EXPECT_THROW((void)search::read_search(file), wire::Error) << text;
  }
}

TEST(SearchText, IsAsItAlwaysWas) {
  report::test::expect_golden("search.txt", search::search_text(converged(), "/out/stress-search", false));
  report::test::expect_golden("search.md", search::search_md(converged()));
}

TEST(SearchText, HasNoTableWithoutTrials) {
  EXPECT_THAT(search::search_text(SearchReport{}, "/out", false), Not(HasSubstr("trial  value")));
}

TEST(SearchText, SaysWhatIsKnownWhileItGoesOn) {
  SearchReport report = converged();
  EXPECT_EQ(search::progress_text(report, 9980, 2, 28),
            "trial 9: 9,980/s; passes up to 9,900/s; fails from 10,062/s; about 56 s left");
}

}  // namespace
}  // namespace walstorm::search
