#include "orchestrator/profile/stacks/perf_script.h"

#include <gmock/gmock.h>
#include <sstream>

#include "tests/orchestrator/profile/made_profile.h"

namespace walstorm::profile {
namespace {

using test::lines_of;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

PerfScript::Result read(const std::string& text, double frequency_hz = 99) {
  PerfScript script("load", frequency_hz, [](pid_t pid, const std::string& comm) {
    return pid == 666 ? std::nullopt : std::optional(comm);
  });
  std::istringstream in(text);
  script.read(in);
  return script.finish();
}

TEST(PerfScript, ASampleBecomesAStackFromItsBeginningToWhereItIs) {
  const auto result = read(
      "walstorm-consum 26569/26569 17549.526569:   10101010          cpu-clock: \n"
      "\tffffffff820c8e1b unix_write_space ([kernel.kallsyms])\n"
      "\t          10a929 __libc_recv (/usr/lib/x86_64-linux-gnu/libc.so.6)\n"
      "\t          152b06 main (/opt/walstorm/bin/walstorm-consumer)\n"
      "\t           2724a __libc_start_call_main (/usr/lib/x86_64-linux-gnu/libc.so.6)\n"
      "\n");
  EXPECT_THAT(lines_of(result.profile),
              ElementsAre("load/walstorm-consum/on-cpu "
                          "__libc_start_call_main;main;__libc_recv;unix_write_space 1 10101010"));
  EXPECT_EQ(result.profile.frames()[3], (Frame{"unix_write_space", "[kernel]", true}));
  EXPECT_EQ(result.profile.frames()[1], (Frame{"main", "walstorm-consumer", false}));
  EXPECT_EQ(result.samples, 1U);
  EXPECT_EQ(result.lines_unread, 0U);
  EXPECT_FALSE(result.waits_known);
}

TEST(PerfScript, EqualStacksAreCounted) {
  const std::string sample = "a 1/1 1.5: 100 cpu-clock: \n\t  1f f (x)\n\t  2f _start (x)\n\n";
  EXPECT_THAT(lines_of(read(sample + sample + sample).profile), ElementsAre("load/a/on-cpu _start;f 3 300"));
}

TEST(PerfScript, ANameWithBlanksAndACpuNumberAreUnderstood) {
  const auto result = read("tokio worker (2) 12/13 [003] 1.5: 100 cpu-clock:u: \n\t  1f main (x)\n\n");
  EXPECT_THAT(lines_of(result.profile), ElementsAre("load/tokio worker (2)/on-cpu main 1 100"));
}

TEST(PerfScript, SymbolsOfCppKeepTheirNameAndLoseTheirArguments) {
  const auto result = read(
      "a 1/1 1.5: 100 cpu-clock: \n"
      "\t 1f walstorm::consumer::Batcher::add(walstorm::consumer::Row const&, int (*)(void)) const+0x4b "
      "(/x/a "
      "b (deleted))\n"
      "\t 2f void (anonymous namespace)::run<int>(std::vector<int, std::allocator<int> >) (/x/y)\n"
      "\t 3f main+0x1 (/x/y)\n\n");
  EXPECT_THAT(lines_of(result.profile),
              ElementsAre("load/a/on-cpu main;void (anonymous "
                          "namespace)::run<int>;walstorm::consumer::Batcher::add 1 100"));
  EXPECT_EQ(result.profile.frames()[2].object, "a b (deleted)");
}

TEST(PerfScript, FramesWithoutASymbolAndInlinedOnesStay) {
  const auto result = read(
      "a 1/1 1.5: 100 cpu-clock: \n\t 11204 [unknown] (/usr/lib/liblz4.so.1.9.4)\n\t 5 helper (inlined)\n"
      "\t 7 [unknown] ([unknown])\n\t 6 main (/x/y)\n\n");
  EXPECT_THAT(lines_of(result.profile), ElementsAre("load/a/on-cpu main;[unknown];helper;[unknown] 1 100"));
  EXPECT_EQ(result.profile.frames()[3].object, "liblz4.so.1.9.4");
  EXPECT_EQ(result.profile.frames()[1].object, "");
}

TEST(PerfScript, AStackThatDoesNotReachItsBeginningIsBroken) {
  const auto result = read(
      "a 1/1 1.5: 100 cpu-clock: \n\t 1 f (x)\n\t 5616eaed8618 [unknown] ([unknown])\n\n"
      "a 1/1 1.5: 100 cpu-clock: \n\n"
      "a 1/1 1.5: 100 cpu-clock: \n\t 1 kthread ([kernel.kallsyms])\n\t 1 ret_from_fork_asm "
      "([kernel.kallsyms])\n\n");
  EXPECT_THAT(lines_of(result.profile),
              ElementsAre("load/a/on-cpu [unknown];f 1 100 broken", "load/a/on-cpu  1 100 broken",
                          "load/a/on-cpu ret_from_fork_asm;kthread 1 100"));
}

TEST(PerfScript, AThreadOfCppBeginsInTheLibrarysRoutine) {
  EXPECT_FALSE(
      is_broken({{"[unknown]", "libstdc++.so.6.0.30", false}, {"DB::merge", "libclickhouse.so", false}}));
  EXPECT_FALSE(is_broken({{"execute_native_thread_routine", "libstdc++.so.6", false}}));
  EXPECT_FALSE(is_broken({{"Poco::Net::HTTPServerConnection::run", "libPocoNet.so.80", false}}));
  EXPECT_TRUE(is_broken({{"[unknown]", "libclickhouse.so", false}}));
}

TEST(PerfScript, UnwindingThatRunsInACircleIsOneFrame) {
  std::string text = "a 1/1 1.5: 100 cpu-clock: \n\t 1 f (x)\n";
  for (int i = 0; i < 100; ++i) text += "\t 7f53bf5c6310 [unknown] ([unknown])\n";
  EXPECT_THAT(lines_of(read(text + "\n").profile), ElementsAre("load/a/on-cpu [unknown];f 1 100 broken"));
}

TEST(PerfScript, EventsThatCountNoTimeWeighAPeriodOfTheFrequency) {
  const std::string sample = "a 1/1 1.5: 2345678 cycles:P: \n\t 1 main (x)\n\n";
  EXPECT_THAT(lines_of(read(sample, 100).profile), ElementsAre("load/a/on-cpu main 1 10000000"));
  EXPECT_THAT(lines_of(read(sample, 0).profile), ElementsAre("load/a/on-cpu main 1 0"));
}

TEST(PerfScript, AWaitLastsFromTheSwitchOutToTheSwitchIn) {
  const auto result = read(
      "a 1/1 1.000000: PERF_RECORD_SWITCH IN         \n"
      "a 1/1 1.100000: 1 sched:sched_switch: prev_comm=a prev_pid=1 prev_prio=120 prev_state=S ==> "
      "next_comm=b next_pid=2 next_prio=120\n"
      "\t 1 __schedule ([kernel.kallsyms])\n\t 1 main (x)\n\n"
      "a 1/1 1.100000: PERF_RECORD_SWITCH OUT        \n"
      "a 1/1 1.350000: PERF_RECORD_SWITCH IN         \n"
      "a 1/1 1.5: 100 cpu-clock: \n\t 1 main (x)\n\n");
  EXPECT_THAT(lines_of(result.profile),
              UnorderedElementsAre("load/a/off-cpu main;__schedule 1 250000000", "load/a/on-cpu main 1 100"));
  EXPECT_TRUE(result.waits_known);
}

TEST(PerfScript, SampledWaitsStandForAllOfTheThread) {
  std::string text;
  const auto at = [](int tenths) { return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10); };
  for (int i = 0; i < 10; ++i) {
    if (i < 2)
      text += "a 1/1 " + at(10 + 4 * i) + ": 1 sched:sched_switch: prev_state=S ==> x\n\t 1 main (x)\n\n";
    text += "a 1/1 " + at(10 + 4 * i) + ": PERF_RECORD_SWITCH OUT\n";
    text += "a 1/1 " + at(13 + 4 * i) + ": PERF_RECORD_SWITCH IN\n";
  }
  // Ten waits of 0.3 s; the two whose stacks were taken weigh 1.5 s each.
  EXPECT_THAT(lines_of(read(text).profile), ElementsAre("load/a/off-cpu main 2 3000000000"));
}

TEST(PerfScript, WaitsOfWhichNoneWasSampledAreNotForgotten) {
  EXPECT_THAT(lines_of(read("a 1/1 1.0: PERF_RECORD_SWITCH OUT\na 1/1 3.0: PERF_RECORD_SWITCH IN\n").profile),
              ElementsAre("load/a/off-cpu [waits, not sampled] 0 2000000000 broken"));
}

TEST(PerfScript, OneThatWouldHaveGoneOnWaitsForACpu) {
  const auto result = read(
      "a 1/1 1.1: 1 sched:sched_switch: prev_comm=a prev_pid=1 prev_prio=120 prev_state=R+ ==> next_comm=b\n"
      "\t 1 main (x)\n\n"
      "a 1/1 1.1: PERF_RECORD_SWITCH OUT preempt\n"
      "a 1/1 1.2: PERF_RECORD_SWITCH IN\n");
  EXPECT_THAT(lines_of(result.profile), ElementsAre("load/a/off-cpu main;[ready, no CPU free] 1 100000000"));
}

TEST(PerfScript, AWaitBeforeTheFirstSwitchAndOneAtTheEndAreOfTheRecordingsLength) {
  const auto result = read(
      "a 1/9 1.0: 100 cpu-clock: \n\t 1 main (x)\n\n"
      "a 1/1 1.5: PERF_RECORD_SWITCH IN\n"
      "a 1/1 1.5: 100 cpu-clock: \n\t 1 main (x)\n\n"
      "a 1/1 2.0: 1 sched:sched_switch: prev_state=S ==> next_comm=b\n\t 1 main (x)\n\n"
      "a 1/1 2.0: PERF_RECORD_SWITCH OUT\n"
      "a 1/9 4.0: 100 cpu-clock: \n\t 1 main (x)\n\n");
  EXPECT_THAT(lines_of(result.profile),
              UnorderedElementsAre("load/a/off-cpu main 1 2500000000", "load/a/on-cpu main 3 300"));
}

TEST(PerfScript, ThreadsThatHardlyRunSayNothingAboutWaiting) {
  std::string text =
      "a 1/2 1.0: 1 sched:sched_switch: prev_state=S ==> next_comm=b\n\t 1 clone3 (x)\n\n"
      "a 1/2 1.0: PERF_RECORD_SWITCH OUT\na 1/2 9.0: PERF_RECORD_SWITCH IN\n";
  for (int i = 0; i < 30; ++i) text += "a 1/1 1.5: 100 cpu-clock: \n\t 1 main (x)\n\n";
  const auto result = read(text);
  EXPECT_THAT(lines_of(result.profile), ElementsAre("load/a/on-cpu main 30 3000"));
  EXPECT_EQ(result.idle_threads, 1U);
}

TEST(PerfScript, OtherProcessesAndLinesThatNobodyKnowsAreCounted) {
  const auto result = read(
      "# captured on: Fri Nov 27\n"
      "b 666/666 1.5: 100 cpu-clock: \n\t 1 main (x)\n\n"
      "Warning: something is amiss\n"
      "a 1/1 1.5: 100 cpu-clock: \n\t 1 main (x)\n\n");
  EXPECT_THAT(lines_of(result.profile), ElementsAre("load/a/on-cpu main 1 100"));
  EXPECT_EQ(result.not_ours, 1U);
  EXPECT_EQ(result.lines_unread, 1U);
}

TEST(PerfScript, NothingAtAllIsAnEmptyProfile) {
  EXPECT_THAT(lines_of(read("").profile), IsEmpty());
}

TEST(ReadableSymbol, IsWhatAPersonWouldWrite) {
  EXPECT_EQ(readable_symbol("_ZN8walstorm8consumer7Batcher12record_addedEv"),
            "walstorm::consumer::Batcher::record_added");
  EXPECT_EQ(readable_symbol("__libc_start_main@@GLIBC_2.34"), "__libc_start_main");
  EXPECT_EQ(readable_symbol("std::string[abi:cxx11]::size() const"), "std::string::size");
  EXPECT_EQ(readable_symbol("operator<<(std::ostream&, int)"), "operator<<");
  EXPECT_EQ(readable_symbol("Foo::operator()(int)"), "Foo::operator()");
  EXPECT_EQ(readable_symbol("Foo::operator->() const"), "Foo::operator->");
  EXPECT_EQ(readable_symbol("a(b"), "a(b");
  EXPECT_EQ(readable_symbol("[kernel_symbol]"), "[kernel_symbol]");
}

TEST(ReadableSymbol, LongTemplateArgumentsAreCutToWhoseLambdaItIs) {
  EXPECT_EQ(readable_symbol("std::_Function_handler<void (walstorm::consumer::WalMessage const&), "
                            "walstorm::consumer::Pipeline::Pipeline(int, long)::{lambda(int)#5}>::_M_invoke"),
            "std::_Function_handler<…walstorm::consumer::Pipeline::Pipeline…>::_M_invoke");
  EXPECT_EQ(readable_symbol("std::map<std::string, std::vector<std::string>, std::less<void> >::find(int)"),
            "std::map<…>::find");
}

}  // namespace
}  // namespace walstorm::profile
