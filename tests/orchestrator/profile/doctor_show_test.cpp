// What a diagnosis is shown as, and what a run's folder has of it.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/doctor.h"
#include "orchestrator/profile/doctor/show/doctor_text.h"
#include "orchestrator/profile/profile_folder.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::profile {
namespace {

using doctor::DoctorReport;
using doctor::Role;
using doctor::Watched;
using doctor::Window;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void examine(DoctorReport& report, Role role, const std::string& phase, double cpu_share) {
  Watched watched{role == Role::consumer ? "consumer-0" : "producer-0", role, phase, {}};
  for (int i = 0; i < 4; ++i) {
    Window window;
    window.from_sec = i;
    window.to_sec = i + 1;
    window.cpu_share = cpu_share + 0.01 * i;
    window.run_queue_share = 0.02;
    if (role == Role::consumer) window.sink_wait_ms = 12;
    watched.windows.push_back(window);
  }
  doctor::Diagnosis diagnosis = doctor::diagnose(watched, report.limits);
  report.examined.push_back({std::move(watched), std::move(diagnosis)});
}

DoctorReport example() {
  DoctorReport report;
  examine(report, Role::consumer, "load", 0.95);
  examine(report, Role::producer, "load", 0.1);
  examine(report, Role::consumer, "</script><b>", 0.2);
  return report;
}

TEST(DoctorSection, HasFindingsNextStepsValuesAndLimits) {
  const std::string text = doctor::doctor_section(example(), "profile");
  EXPECT_THAT(text, AllOf(HasSubstr("## Doctor\n"), HasSubstr("- **load**: consumer-0 is cpu-bound"),
                          HasSubstr("Next: see what it computes"), HasSubstr("profile/doctor.html"),
                          HasSubstr("### Doctor: load"), HasSubstr("| figure"), HasSubstr("limit |"),
                          HasSubstr("96.5 % / 98.0 %"),
                          HasSubstr("| waited for a CPU | 2.0 % / 2.0 % | 2.0 % / 2.0 % | 20.0 % |"),
                          HasSubstr("### Doctor's categories")));
  EXPECT_THAT(text, Not(HasSubstr("loop awake")));  // no worker told
}

TEST(DoctorLines, AreOfThoseWhoAil) {
  const auto lines = doctor::doctor_lines(example());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("load: consumer-0 is cpu-bound"));
  DoctorReport fine;
  examine(fine, Role::consumer, "load", 0.1);
  EXPECT_THAT(doctor::doctor_lines(fine), testing::ElementsAre(HasSubstr("all workers are healthy")));
}

TEST(DoctorLines, SayThatAPhaseBrokeOff) {
  DoctorReport fine;
  examine(fine, Role::consumer, "load", 0.1);
  fine.examined.front().broke_off = "failed";
  EXPECT_THAT(doctor::doctor_lines(fine),
              testing::ElementsAre("no worker was at a limit, but the phase \"load\" failed: what the doctor "
                                   "says ends there."));
  EXPECT_THAT(doctor::doctor_section(fine, "profile"), HasSubstr("the phase failed: this is said of what"));
  EXPECT_EQ(doctor::doctor_json(fine)["phases"][0]["workers"][0]["brokeOff"], "failed");
  DoctorReport ailing = example();
  ailing.examined.back().broke_off = "was interrupted";
  EXPECT_THAT(doctor::doctor_lines(ailing),
              testing::ElementsAre(HasSubstr("is cpu-bound"), HasSubstr("was interrupted: what the doctor")));
}

TEST(DoctorJson, HoldsTheSeriesAndWhatWasNotMeasuredAsNull) {
  const json document = json::parse(doctor::doctor_json(example()).dump());
  EXPECT_EQ(document["thresholds"]["runQueueShare"], 0.2);
  ASSERT_EQ(document["phases"].size(), 2U);
  const json& consumer = document["phases"][0]["workers"][0];
  EXPECT_EQ(consumer["category"], "cpu-bound");
  EXPECT_EQ(consumer["windows"], 4);
  EXPECT_EQ(consumer["series"]["cpuShare"].size(), 4U);
  EXPECT_EQ(consumer["series"]["state"][0], "cpu-bound");
  EXPECT_EQ(consumer["series"]["utilization"][0], nullptr);
  EXPECT_EQ(consumer["figures"]["utilization"]["mean"], nullptr);
  EXPECT_EQ(consumer["figures"]["sinkWaitMs"]["median"], 12);
}

TEST(DoctorPage, IsWholeAndNeedsNoNetwork) {
  const std::string page = doctor::doctor_page(example(), "a run: doctor");
  EXPECT_THAT(page,
              AllOf(HasSubstr("default-src 'none'"), HasSubstr("Dygraph="), HasSubstr(".dygraph-legend"),
                    Not(HasSubstr("sourceMappingURL")), Not(HasSubstr("@import")), Not(HasSubstr("@DATA@")),
                    Not(HasSubstr("@CHART_LIBRARY@")), Not(HasSubstr("</script><b>"))));
}

TEST(DoctorAbility, SaysWhatCannotBeRead) {
  process::ProcActivity own;
  own.run_queue_us = 1;
  own.voluntary_switches = own.involuntary_switches = 1;
  for (const config::Finding& finding : judge_doctor_ability(own))
    EXPECT_EQ(finding.level, config::Level::ok);
  own.run_queue_us.reset();
  const auto findings = judge_doctor_ability(own);
  EXPECT_EQ(findings[1].what, "schedstat");
  EXPECT_EQ(findings[1].level, config::Level::warning);
  EXPECT_THAT(findings[1].todo, HasSubstr("CONFIG_SCHED_INFO"));
  EXPECT_EQ(judge_doctor_ability(std::nullopt).front().level, config::Level::warning);
}

proto::MetricsFrame sample_at(std::int64_t taken_us) {
  proto::MetricsFrame frame;
  frame.mutable_sample()->set_taken_unix_us(taken_us);
  frame.mutable_sample()->mutable_consumer();
  return frame;
}

/// The profiler writes profile.json anew; the doctor adds to it.
TEST(Doctor, LeavesWhatTheProfilerWrote) {
  const tests::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "profile");
  write_file(folder.path() / "profile" / "profile.json", R"({"version": 1, "all": [1]})");
  config::Config config;
  config.consumer.max_flush_concurrency = 10;
  config.consumer.max_buffered_mb = 64;
  Doctor doctor(config, folder.path());
  doctor.begin_phase("load", {{"consumer-0", doctor::Role::consumer, std::nullopt}});
  proto::MetricsFrame ready;
  ready.mutable_phase_ready()->set_at_unix_us(1);
  doctor.take("consumer-0", ready);
  doctor.take("consumer-0", sample_at(1'000'001));
  doctor.take("producer-9", sample_at(1'000'001));  // nobody's patient
  doctor.end_phase();
  measure::RunReport report;
  report.name = "test";
  report.profile_section = "## Profile\n";
  doctor.conclude(report);
  const json profile = json::parse(read_file(folder.path() / "profile" / "profile.json"));
  EXPECT_EQ(profile["all"], json({1}));
  EXPECT_EQ(profile["doctor"]["phases"][0]["workers"][0]["category"], "too-little-data");
  EXPECT_THAT(report.profile_section, AllOf(HasSubstr("## Profile\n"), HasSubstr("## Doctor\n")));
  EXPECT_EQ(read_section(folder.path()), report.profile_section);
  EXPECT_THAT(report.profile_pages, testing::ElementsAre("doctor.html"));
  EXPECT_THAT(read_file(folder.path() / "profile" / "doctor.html"), HasSubstr("test: doctor"));
}

/// A loop's figures are the doctor's alone, so nobody else would have refused them.
TEST(Doctor, WhatCannotBeOfALoopIsANoteAndNoFailure) {
  const tests::TemporaryFolder folder;
  config::Config config;
  config.consumer.max_buffered_mb = 64;
  Doctor doctor(config, folder.path());
  doctor.begin_phase("load", {{"consumer-0", doctor::Role::consumer, std::nullopt}});
  proto::MetricsFrame broken = sample_at(1);
  broken.mutable_sample()->mutable_loop()->mutable_delay_us()->set_count(5);  // in no bucket
  doctor.take("consumer-0", broken);
  measure::RunReport report;
  doctor.conclude(report);
  EXPECT_THAT(report.notes, testing::ElementsAre(HasSubstr("doctor: consumer-0 told something of its loop")));
}

}  // namespace
}  // namespace walstorm::profile
