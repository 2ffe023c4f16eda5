// What a profile is shown as: the page, the JSON, the texts, and what is missing for one.

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>

#include <nlohmann/json.hpp>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/commands.h"
#include "orchestrator/profile/profile_folder.h"
#include "orchestrator/profile/record/perf_ability.h"
#include "orchestrator/profile/show/flame_page.h"
#include "orchestrator/profile/show/missing_names.h"
#include "orchestrator/profile/show/profile_report.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/profile/made_profile.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::profile {
namespace {

using nlohmann::json;
using test::lines_of;
using test::profile_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Profile example() {
  return profile_of({{{"main", "walstorm::consumer::Compressor::compress"}, 150},
                     {{"main", "k:do_epoll_wait"}, 20, Kind::off_cpu, 6'000'000'000},
                     {{"</script><b>"}, 50, Kind::on_cpu, 0, "producer", "peak"}});
}

ProfileReport report_of(const Profile& profile) {
  ProfileReport report;
  report.how = {"perf", {"cycles"}, 99, "frame pointers"};
  report.all = analyse(profile.of_phase(std::nullopt), Modules(), 25);
  for (const std::string& phase : profile.phases())
    report.phases.push_back({phase, 10, analyse(profile.of_phase(phase), Modules(), 25), 0.1, 0.01});
  report.profiler_cpu_sec = 0.2;
  report.profiler_cpu_share = 0.01;
  return report;
}

/// The data in a page.
json data_of(const std::string& page) {
  const std::string begin = "id=\"data\">";
  const auto from = page.find(begin) + begin.size();
  return json::parse(page.substr(from, page.find("</script>", from) - from));
}

TEST(FlamePage, HoldsTheStacksAndNeedsNoNetwork) {
  const std::string page = flame_page(example(), Modules(), "a run", {{"consumer", "it waits"}});
  EXPECT_THAT(page, AllOf(Not(HasSubstr("src=")), Not(HasSubstr("href=")), Not(HasSubstr("@import")),
                          Not(HasSubstr("fetch("))));
  const json data = data_of(page);
  EXPECT_EQ(data["title"], "a run");
  EXPECT_EQ(data["says"]["consumer"], "it waits");
  EXPECT_EQ(data["phases"], json({"load", "peak"}));
  EXPECT_EQ(data["targets"], json({"consumer", "producer"}));
  ASSERT_EQ(data["stacks"].size(), 3U);
  const json& stack = data["stacks"][0];
  EXPECT_EQ(stack[3], 150);
  EXPECT_EQ(stack[4], 1'500'000);
  EXPECT_EQ(data["frames"][stack[7][1].get<std::size_t>()][0], "walstorm::consumer::Compressor::compress");
}

TEST(FlamePage, NoNameEndsItsScript) {
  EXPECT_THAT(flame_page(example(), Modules(), "t", {}), Not(HasSubstr("</script><b>")));
}

TEST(FlamePage, OfAComparisonHoldsBothSidesOfAStack) {
  const Profile base =
      profile_of({{{"main", "walstorm::consumer::Compressor::compress"}, 70}, {{"gone"}, 5}});
  const json data = data_of(flame_page(example(), Modules(), "t", {}, &base));
  EXPECT_EQ(data["compares"], true);
  ASSERT_EQ(data["stacks"].size(), 4U);
  EXPECT_EQ(data["stacks"][0][5], 70);
}

TEST(ProfileJson, NamesFiguresWithTheirUnitsAndKnowsWhatWasNotMeasured) {
  const json document = json::parse(to_json(report_of(example())).dump());
  const json& consumer = document["all"][0];
  EXPECT_EQ(consumer["target"], "consumer");
  EXPECT_EQ(consumer["samples"], 150);
  EXPECT_DOUBLE_EQ(consumer["cpuSec"], 1.5);
  EXPECT_DOUBLE_EQ(consumer["wallPerCpu"], 5);
  EXPECT_EQ(document["limits"]["samplesMin"], 100);
  EXPECT_EQ(document["phases"][1]["targets"][0]["wallPerCpu"], nullptr);  // nothing off-CPU there
}

TEST(ProfileSection, HasTheConclusionTheLimitsAndTheTables) {
  const std::string text = profile_section(report_of(example()), "profile");
  EXPECT_THAT(text, AllOf(HasSubstr("## Profile\n"), HasSubstr("consumer waits for 80 % of its time"),
                          HasSubstr("compute-bound from 80 %"), HasSubstr("profile/flame.html"),
                          HasSubstr("| compress"), HasSubstr("walstorm::consumer::Compressor::compress"),
                          HasSubstr("took 1.00 % of a CPU"), HasSubstr("**peak**: producer")));
}

TEST(ProfileSection, SaysOfAPhaseThatBrokeOffThatItDid) {
  ProfileReport report = report_of(profile_of({{{"main"}, 3}}));
  EXPECT_THAT(profile_section(report, "profile"), Not(HasSubstr("### Profile by phase")));
  report.phases[0].broke_off = "failed";
  EXPECT_THAT(
      profile_section(report, "profile"),
      HasSubstr("- **load** (failed: its stacks end there): consumer: too little data to conclude from: "
                "3 samples"));
  EXPECT_EQ(json::parse(to_json(report).dump())["phases"][0]["brokeOff"], "failed");
  report.phases[0].targets.clear();
  EXPECT_THAT(profile_section(report, "profile"), HasSubstr("its stacks end there): nothing was sampled\n"));
}

TEST(ProfileSection, SaysWhatTheKernelCounted) {
  ProfileReport report = report_of(example());
  report.all[0].counted_cpu_ns = 1'600'000'000;
  EXPECT_THAT(profile_section(report, "profile"),
              HasSubstr("150 samples, 1.50 s of CPU (the kernel counted 1.60 s)"));
  const json document = json::parse(to_json(report).dump());
  EXPECT_EQ(document["all"][0]["cpuSecCounted"], 1.6);
  EXPECT_TRUE(document["all"][1]["cpuSecCounted"].is_null());
}

TEST(ProfileSection, CountsOneSampleAsOne) {
  EXPECT_THAT(profile_section(report_of(profile_of({{{"main"}, 1}})), "profile"), HasSubstr("\n1 sample, "));
}

TEST(ProfileFolder, ThePageSaysHowItWasSampledAndWhereStacksAreBroken) {
  const tests::TemporaryFolder folder;
  const Profile profile =
      profile_of({{{"main"}, 150}, {{"f@liblz4.so.1"}, 50, Kind::on_cpu, 0, "consumer", "load", true}});
  write_profile_folder(folder.path(), "run", profile, report_of(profile), Modules(), {});
  const json says = data_of(read_file(folder.path() / "flame.html"))["says"];
  EXPECT_EQ(says[""], "Sampled by perf (cycles) at 99 Hz, unwound by frame pointers.");
  EXPECT_THAT(says["consumer"].get<std::string>(),
              HasSubstr("25 % of the stacks are broken, 25 % in liblz4.so.1"));
}

TEST(BrokenStacks, OfATargetWithManyAreToldByLibrary) {
  const auto told = [](std::uint64_t broken) {
    return broken_stacks(
        analyse(profile_of({{{"main"}, 100 - broken},
                            {{"f@liblz4.so.1"}, broken, Kind::on_cpu, 0, "consumer", "load", true}}),
                Modules(), 25));
  };
  EXPECT_THAT(told(5), testing::IsEmpty());
  EXPECT_THAT(told(27),
              testing::ElementsAre(HasSubstr(
                  "consumer: 27 % of the stacks are broken, 27 % in liblz4.so.1: there no way was found")));
}

TEST(MissingNames, AreToldWithWhatWouldTellThem) {
  const Profile profile = profile_of({{{"main", "[unknown]@liblz4.so.1"}, 20}, {{"main"}, 80}});
  const auto sentences = missing_names(profile);
  ASSERT_EQ(sentences.size(), 1U);
  EXPECT_THAT(sentences[0], AllOf(HasSubstr("20 % of the samples of consumer"), HasSubstr("liblz4.so.1")));
  EXPECT_TRUE(missing_names(profile_of({{{"main", "[unknown]@x"}, 5}, {{"main"}, 95}})).empty());
}

TEST(ProfileFolder, HoldsEachPhaseInEveryFormatAndIsReadAgain) {
  const tests::TemporaryFolder folder;
  const Profile profile = example();
  write_profile_folder(folder.path() / "profile", "run", profile, report_of(profile), Modules(),
                       {{"load", {1'000'000, 10, 99}}, {"peak", {20'000'000, 10, 99}}});
  for (const char* file :
       {"flame.html", "profile.json", "all.folded", "all.off-cpu.folded", "all.speedscope.json", "all.pb.gz",
        "load.folded", "load.pb.gz", "peak.speedscope.json"})
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "profile" / file)) << file;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "profile" / "peak.off-cpu.folded"));
  process::EventLoop loop;
  EXPECT_EQ(lines_of(load_profile(loop, folder.path().string())), lines_of(profile));
  EXPECT_EQ(lines_of(load_profile(loop, (folder.path() / "profile" / "all.pb.gz").string())),
            lines_of(profile));
}

TEST(FileStem, OfAPhaseIsAFileNameAndNeverThatOfAll) {
  EXPECT_EQ(file_stem("peak load/2"), "peak_load_2");
  EXPECT_EQ(file_stem("all"), "phase-all");
  EXPECT_EQ(file_stem(".."), "phase-..");
}

TEST(LoadProfile, KnowsAFileByWhatIsInIt) {
  const tests::TemporaryFolder folder;
  process::EventLoop loop;
  const auto load = [&](const std::string& text) {
    write_file(folder.path() / "app.txt", text);
    return lines_of(load_profile(loop, (folder.path() / "app.txt").string()));
  };
  EXPECT_THAT(load("main;f 3\n"), testing::ElementsAre("/app/on-cpu main;f 3 0"));
  EXPECT_THAT(load(R"({"flamebearer": {"names": ["total", "f"], "levels": [[0, 2, 0, 0], [0, 2, 2, 1]]},
                      "metadata": {"units": "samples"}})"),
              testing::ElementsAre("/app/on-cpu f 2 0"));
  EXPECT_THROW((void)load("what is this?\n"), wire::Error);
  EXPECT_THROW((void)load_profile(loop, "/nowhere"), wire::Error);
  EXPECT_THROW((void)load_profile(loop, folder.path().string()), wire::Error);
  EXPECT_THROW((void)load_profile(loop, "ftp://u:hunter2@h/render"), wire::Error);
}

std::vector<std::string> notes_of(const PerfFacts& facts) {
  std::vector<std::string> notes;
  for (const config::Finding& finding : judge_perf_ability(facts).findings) {
    if (finding.level != config::Level::ok)
      notes.push_back(finding.what + ": " + finding.says + "; " + finding.todo);
  }
  return notes;
}

TEST(PerfAbility, WithoutPerfThereIsNothing) {
  const PerfAbility ability = judge_perf_ability({});
  EXPECT_FALSE(ability.on_cpu);
  EXPECT_THAT(notes_of({}), testing::ElementsAre(HasSubstr("linux-perf")));
}

TEST(PerfAbility, ARefusalIsToldWithTheSettingAndTheWayOut) {
  PerfFacts facts{
      "/usr/bin/perf", false, 4, 1, false, "Error:\n  Access to performance monitoring is limited.", {}};
  EXPECT_FALSE(judge_perf_ability(facts).on_cpu);
  EXPECT_THAT(
      notes_of(facts),
      testing::ElementsAre(AllOf(HasSubstr("perf_event_paranoid is 4"), HasSubstr("Access to performance"),
                                 HasSubstr("sysctl kernel.perf_event_paranoid=1"), HasSubstr("--cap-add"))));
}

TEST(PerfAbility, OfAllThatPerfSaysTheReasonIsTold) {
  const std::string said =
      "event syntax error: 'sched:sched_switch'\n  \\___ can't access trace events\n\nRun 'perf list'\n\n "
      "Usage: "
      "perf record [<options>]\n\n    -e, --event <event>   event selector\n";
  EXPECT_THAT(notes_of({"/usr/bin/perf", false, 1, 0, true, {}, said}),
              testing::ElementsAre(
                  AllOf(HasSubstr("sched_switch' can't access trace events;"), Not(HasSubstr("Usage")))));
}

TEST(PerfAbility, OffCpuMayBeMissingAlone) {
  const PerfFacts facts{"/usr/bin/perf", false, 1, 0, true, {}, "Can't open tracing/events"};
  const PerfAbility ability = judge_perf_ability(facts);
  EXPECT_TRUE(ability.on_cpu);
  EXPECT_FALSE(ability.off_cpu);
  EXPECT_THAT(notes_of(facts), testing::ElementsAre(AllOf(
                                   HasSubstr("off-CPU"), HasSubstr("how long the processes wait is known"))));
}

TEST(PerfAbility, RootOnAMachineWithoutCountersLacksNothing) {
  const PerfFacts facts{"/usr/bin/perf", true, 2, 0, false, {}, {}};
  EXPECT_TRUE(judge_perf_ability(facts).off_cpu);
  EXPECT_THAT(notes_of(facts), testing::IsEmpty());
  EXPECT_THAT(judge_perf_ability(facts).findings[0].says, HasSubstr("cpu-clock"));
}

TEST(PerfAbility, WhatIsHiddenOfTheKernelIsTold) {
  EXPECT_THAT(notes_of({"/usr/bin/perf", false, 2, 0, true, {}, "no"}),
              testing::Contains(HasSubstr("its part of the stacks is not recorded")));
  EXPECT_THAT(notes_of({"/usr/bin/perf", true, 2, 2, true, {}, {}}),
              testing::ElementsAre(HasSubstr("kptr_restrict")));
}

}  // namespace
}  // namespace walstorm::profile
