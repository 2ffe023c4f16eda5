// Waits for locks, told from the others.

#include "orchestrator/profile/analysis/contention.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/analysis/call_site.h"
#include "orchestrator/profile/show/contention_text.h"
#include "tests/orchestrator/profile/made_profile.h"

namespace walstorm::profile {
namespace {

using test::lines_of;
using test::profile_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kSec = 1'000'000'000;

Profile example() {
  return profile_of({{{"main", "work"}, 100, Kind::on_cpu, 2 * kSec},
                     {{"main", "walstorm::consumer::Queue::push", "std::mutex::lock",
                       "__lll_lock_wait@libc.so.6", "k:futex_wait"},
                      40,
                      Kind::off_cpu,
                      3 * kSec},
                     {{"main", "walstorm::consumer::Queue::pop", "k:futex_wait"}, 10, Kind::off_cpu, kSec},
                     {{"main", "k:do_epoll_wait"}, 20, Kind::off_cpu, 4 * kSec}});
}

TEST(Contention, IsTheWaitsForLocksBySite) {
  const auto all = analyse_contention(example(), Modules(), 25);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].wall_ns, 10 * kSec);
  EXPECT_EQ(all[0].off_cpu_ns, 8 * kSec);
  EXPECT_EQ(all[0].waits, 70U);
  EXPECT_EQ(all[0].lock_ns, 4 * kSec);
  EXPECT_EQ(all[0].lock_waits, 50U);
  ASSERT_EQ(all[0].sites.size(), 2U);
  EXPECT_EQ(all[0].sites[0].function, "walstorm::consumer::Queue::push");
  EXPECT_DOUBLE_EQ(all[0].sites[0].share, 0.3);
  EXPECT_THAT(all[0].conclusion, AllOf(HasSubstr("40.0 % of its wall time"), HasSubstr("Queue::push")));
  EXPECT_EQ(analyse_contention(example(), Modules(), 1)[0].sites.size(), 1U);
}

TEST(Contention, NoneIsAnAnswerThatSaysHowMuchWasLookedAt) {
  const auto all = analyse_contention(
      profile_of({{{"main"}, 10}, {{"main", "k:do_epoll_wait"}, 20, Kind::off_cpu, 4 * kSec}}), Modules(),
      25);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0].conclusion, AllOf(HasSubstr("consumer: no contention"), HasSubstr("4 s off the CPU"),
                                       HasSubstr("20 sampled waits")));
}

TEST(Contention, ALittleIsCalledSo) {
  const auto all = analyse_contention(profile_of({{{"main", "k:futex_wait"}, 1, Kind::off_cpu, kSec / 100},
                                                  {{"main", "k:do_epoll_wait"}, 9, Kind::off_cpu, 4 * kSec}}),
                                      Modules(), 25);
  EXPECT_THAT(all[0].conclusion, HasSubstr("consumer: hardly any contention: of 4.0 s off the CPU"));
}

TEST(Contention, IsNotKnownWhereWaitsAreNot) {
  EXPECT_TRUE(analyse_contention(profile_of({{{"main"}, 10}}), Modules(), 25).empty());
  const std::string waits(kNotSampled);
  EXPECT_TRUE(
      analyse_contention(profile_of({{{"main"}, 10}, {{waits}, 0, Kind::off_cpu, kSec}}), Modules(), 25)
          .empty());
}

TEST(Contention, APreemptedThreadWaitsForNoLock) {
  const Profile profile =
      profile_of({{{"main", "k:futex_wake", std::string(kPreempted)}, 5, Kind::off_cpu, kSec}});
  EXPECT_EQ(analyse_contention(profile, Modules(), 25)[0].lock_ns, 0U);
}

TEST(Contention, TheStacksOfThePageAreThoseOfLocks) {
  EXPECT_THAT(lines_of(lock_stacks(example(), Modules())),
              ElementsAre(HasSubstr("Queue::push"), HasSubstr("Queue::pop")));
}

TEST(Contention, IsTextAndJson) {
  ContentionReport report{analyse_contention(example(), Modules(), 25), {}};
  report.phases.emplace_back("load", report.all);
  EXPECT_THAT(contention_section(report, "profile"),
              AllOf(HasSubstr("## Contention\n"), HasSubstr("profile/contention.html"),
                    HasSubstr("| walstorm::consumer::Queue::push |")));
  const auto json = contention_json(report);
  EXPECT_EQ(json["all"][0]["lockSec"], 4.0);
  EXPECT_EQ(json["phases"][0]["targets"][0]["sites"][1]["waits"], 10);
  EXPECT_EQ(contention_section({}, "profile"), "");
}

TEST(CallSite, IsOursElseWhatIsNobodysElse) {
  const auto site = [](const std::vector<std::string>& frames) {
    const Profile profile = profile_of({{frames}});
    return call_site(profile, profile.stacks().front()).function;
  };
  EXPECT_EQ(site({"main", "walstorm::a", "google::protobuf::b", "malloc"}), "walstorm::a");
  EXPECT_EQ(site({"main", "pqAddTuple@libpq.so.5", "realloc@libc.so.6"}), "pqAddTuple");
  EXPECT_EQ(site({"main", "std::vector::push_back", "operator new"}), "main");
  EXPECT_EQ(site({"malloc@libc.so.6", "k:brk"}), "malloc");
  EXPECT_EQ(site({}), kUnknown);
}

TEST(CallSite, IsShownWithoutTemplateArguments) {
  EXPECT_EQ(without_template_arguments("a::Block<b::Encoder<int> >::append<char>"), "a::Block::append");
  EXPECT_EQ(without_template_arguments("plain"), "plain");
  EXPECT_EQ(without_template_arguments("A::operator<"), "A::operator<");
  EXPECT_EQ(without_template_arguments("cut<short"), "cut<short");
}

}  // namespace
}  // namespace walstorm::profile
