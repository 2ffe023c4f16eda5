// What workers write of themselves, read: CPU samples and heaps by gperftools, with names.

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/heap/heap_report.h"
#include "orchestrator/profile/preload/cpu_samples.h"
#include "orchestrator/profile/preload/gperftools.h"
#include "orchestrator/profile/preload/heap_dump.h"
#include "orchestrator/profile/preload/symbols.h"
#include "orchestrator/profile/preload/worker_probes.h"
#include "orchestrator/profile/stacks/folded.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/profile/made_profile.h"

namespace walstorm::profile {

/// Functions whose addresses the made files hold.
int called_here(int value) {
  return value + 1;
}
int calls_it(int value) {
  return value - 1;
}

namespace {

using test::lines_of;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string own_maps() {
  std::ifstream in("/proc/self/maps");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::uint64_t address_of(int (*function)(int)) {
  return reinterpret_cast<std::uint64_t>(function);
}

std::string words(const std::vector<std::uint64_t>& all) {
  std::string bytes(all.size() * sizeof(std::uint64_t), '\0');
  std::memcpy(bytes.data(), all.data(), bytes.size());
  return bytes;
}

TEST(CpuSamples, AreReadToTheirTrailerAndTheMapsBehindIt) {
  const CpuSamples samples = read_cpu_samples(
      words({0, 3, 0, 10'101, 0, 2, 2, 0x10, 0x20, 1, 1, 0x30, 0, 1, 0}) + "00-10 r-xp /x\n");
  EXPECT_EQ(samples.period_us, 10'101U);
  ASSERT_EQ(samples.stacks.size(), 2U);
  EXPECT_EQ(samples.stacks[0].count, 2U);
  EXPECT_THAT(samples.stacks[0].addresses, ElementsAre(0x10, 0x20));
  EXPECT_EQ(samples.maps, "00-10 r-xp /x\n");
  EXPECT_TRUE(samples.complete);
}

TEST(CpuSamples, OfAProcessThatWasKilledAreReadAsFarAsTheyGo) {
  const CpuSamples samples = read_cpu_samples(words({0, 3, 0, 10'101, 0, 2, 1, 0x10, 1, 2, 0x20}));
  ASSERT_EQ(samples.stacks.size(), 1U);
  EXPECT_FALSE(samples.complete);
}

TEST(CpuSamples, AnythingElseIsRefused) {
  EXPECT_THROW((void)read_cpu_samples(""), wire::Error);
  EXPECT_THROW((void)read_cpu_samples("heap profile: 1: 2 [3: 4] @ heapprofile\n and more of it"),
               wire::Error);
  EXPECT_THROW((void)read_cpu_samples(words({0, 3, 0, 10'101, 0, 1, 1ULL << 40U, 0x10})), wire::Error);
}

TEST(CpuSamples, GetTheNamesOfTheirAddresses) {
  CpuSamples samples;
  samples.period_us = 10'000;
  samples.maps = own_maps();
  // Behind the innermost one are return addresses: what was called ends there.
  samples.stacks = {{3, {address_of(called_here), address_of(calls_it) + 1}}, {1, {1}}};
  EXPECT_THAT(
      lines_of(named(samples, "load", "consumer", std::nullopt)),
      ElementsAre(
          "load/consumer/on-cpu walstorm::profile::calls_it;walstorm::profile::called_here 3 30000000 "
          "broken",
          "load/consumer/on-cpu [unknown] 1 10000000 broken"));
}

TEST(CpuSamples, StandForTheCpuTimeThatTheProcessTook) {
  CpuSamples samples;
  samples.period_us = 2'000;
  samples.stacks = {{3, {1}}, {1, {2}}};
  EXPECT_THAT(lines_of(named(samples, "load", "consumer", 16'000)),
              ElementsAre("load/consumer/on-cpu [unknown] 4 16000000 broken"));
}

TEST(Symbols, KnowTheObjectToo) {
  Symbols symbols(own_maps());
  EXPECT_EQ(symbols.at(address_of(called_here)),
            (Frame{"walstorm::profile::called_here", "profile_test", false}));
  EXPECT_THAT(symbols.at(reinterpret_cast<std::uint64_t>(&std::malloc)).object, HasSubstr("libc."));
  EXPECT_EQ(Symbols("").at(1).function, kUnknown);
}

const char* const kHeap =
    "heap profile:      3:     4096 [    50:   100000] @ heapprofile\n"
    "     2:     4000 [    40:    90000] @ 0x0000000000000011 0x21\n"
    "     1:       96 [    10:    10000] @\n"
    "\nMAPPED_LIBRARIES:\n00-10 r-xp /x\n";

TEST(HeapDump, HoldsWhatIsInUseAndWhatWasTaken) {
  const HeapDump dump = read_heap_dump(kHeap);
  EXPECT_EQ(dump.in_use, (Blocks{3, 4096}));
  EXPECT_EQ(dump.taken, (Blocks{50, 100'000}));
  ASSERT_EQ(dump.stacks.size(), 2U);
  EXPECT_EQ(dump.stacks[0].in_use, (Blocks{2, 4000}));
  EXPECT_EQ(dump.stacks[0].taken, (Blocks{40, 90'000}));
  EXPECT_THAT(dump.stacks[0].addresses, ElementsAre(0x11, 0x21));
  EXPECT_THAT(dump.stacks[1].addresses, IsEmpty());
  EXPECT_EQ(dump.maps, "00-10 r-xp /x\n");
}

TEST(HeapDump, AnythingElseAndHalfOfOneAreRefused) {
  EXPECT_THROW((void)read_heap_dump("what is this?\n"), wire::Error);
  EXPECT_THROW((void)read_heap_dump(std::string_view(kHeap).substr(0, 150)), wire::Error);
}

/// A heap of two places: what they have in use, and have taken.
HeapDump heap_of(Blocks here_in_use, Blocks here_taken, Blocks there_in_use) {
  HeapDump dump;
  dump.in_use = here_in_use;
  dump.in_use += there_in_use;
  dump.taken = here_taken;
  dump.taken += there_in_use;
  dump.stacks = {{here_in_use, here_taken, {address_of(called_here) + 1}},
                 {there_in_use, there_in_use, {address_of(calls_it) + 1}}};
  dump.maps = own_maps();
  return dump;
}

TEST(HeapBook, TellsWhetherMemoryGrewAndWhere) {
  HeapBook book;
  book.add("load", "consumer", heap_of({1, 1'000'000}, {5, 9'000'000}, {1, 500'000}),
           heap_of({4, 6'000'000}, {50, 90'000'000}, {1, 500'000}), 20'000'000, 25'500'000);
  const auto targets = analyse_heap(book, 25);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_TRUE(targets[0].grew);
  EXPECT_EQ(targets[0].figures.grown_bytes(), 5'000'000);
  EXPECT_THAT(targets[0].conclusion,
              AllOf(HasSubstr("consumer: memory in use grew by 5.0 MB"), HasSubstr("1.5 MB at the beginning"),
                    HasSubstr("walstorm::profile::called_here"), HasSubstr("resident: 20")));
  ASSERT_EQ(targets[0].sites.size(), 2U);
  EXPECT_EQ(targets[0].sites[0].function, "walstorm::profile::called_here");
  EXPECT_EQ(targets[0].sites[0].figures.taken, (Blocks{45, 81'000'000}));
  EXPECT_EQ(targets[0].sites[1].figures.grown_bytes(), 0);
}

TEST(HeapBook, ALittleMoreIsNoGrowth) {
  HeapBook book;
  book.add("load", "consumer", heap_of({1, 60'000'000}, {1, 60'000'000}, {}),
           heap_of({2, 62'000'000}, {3, 65'000'000}, {}), std::nullopt, std::nullopt);
  const auto targets = analyse_heap(book, 25);
  EXPECT_FALSE(targets[0].grew);
  EXPECT_THAT(targets[0].conclusion, HasSubstr("hardly grew: 60.0 MB at the beginning, 62.0 MB at the end"));
}

TEST(HeapBook, WorkersOfATargetAreAddedUp) {
  HeapBook book;
  for (int worker = 0; worker < 2; ++worker) {
    book.add("load", "producer", heap_of({1, 1000}, {1, 1000}, {}), heap_of({3, 3000}, {4, 4000}, {}), 10,
             20);
  }
  EXPECT_EQ(book.totals().at({"load", "producer"}).end, (Blocks{6, 6000}));
  EXPECT_EQ(book.totals().at({"load", "producer"}).rss_end_bytes, 40U);
  ASSERT_EQ(book.stacks().size(), 1U);
  EXPECT_EQ(book.stacks()[0].figures.taken, (Blocks{6, 6000}));
}

TEST(HeapBook, IsShownAsStacksOfBlocksAndBytes) {
  HeapBook book;
  book.add("load", "consumer", heap_of({1, 1000}, {1, 1000}, {1, 500}), heap_of({3, 3000}, {9, 9000}, {}), {},
           {});
  EXPECT_THAT(
      lines_of(book.profile()),
      testing::UnorderedElementsAre("load/consumer/in-use walstorm::profile::called_here 3 3000 broken",
                                    "load/consumer/grown walstorm::profile::called_here 2 2000 broken",
                                    "load/consumer/taken walstorm::profile::called_here 8 8000 broken"));
  EXPECT_EQ(folded_text(book.profile(), Kind::in_use), "consumer;walstorm::profile::called_here 3000\n");
}

TEST(HeapSection, HasTheConclusionTheTableAndWhatCountingCost) {
  HeapBook book;
  book.add("", "consumer", heap_of({1, 1'000'000}, {5, 9'000'000}, {}),
           heap_of({4, 6'000'000}, {50, 90'000'000}, {}), 20'000'000, 25'500'000);
  HeapReport report{"tcmalloc's heap profiler", analyse_heap(book, 25), {}, {}};
  EXPECT_THAT(heap_section(report, "profile"),
              AllOf(HasSubstr("## Heap\n"), HasSubstr("grew by 5.0 MB"), HasSubstr("profile/heap.html"),
                    HasSubstr("| walstorm::profile::called_here |"), HasSubstr("+5.0 MB"),
                    HasSubstr("Counting 45 allocations cost")));
  EXPECT_EQ(heap_json(report)["all"][0]["grownBytes"], 5'000'000);
  EXPECT_EQ(heap_json(report)["all"][0]["phase"], nullptr);
  EXPECT_EQ(heap_section({}, "profile"), "");
}

TEST(Gperftools, AreCarriedBeforeWhatIsPreloadedAnyway) {
  const Gperftools found{"/l/libprofiler.so.0", "/l/libtcmalloc.so.4"};
  ::setenv("LD_PRELOAD", "", 1);
  EXPECT_THAT(variables_of(found, Carried::heap_profiler, "/d/consumer-0"),
              testing::IsSupersetOf(
                  {std::string("LD_PRELOAD=/l/libtcmalloc.so.4"), std::string("HEAPPROFILE=/d/consumer-0")}));
  ::setenv("LD_PRELOAD", "/l/other.so", 1);
  EXPECT_THAT(
      variables_of(found, Carried::sampler, "/d/p"),
      testing::IsSupersetOf({std::string("LD_PRELOAD=/l/libprofiler.so.0:/l/other.so"),
                             std::string("CPUPROFILE=/d/p.cpu"), std::string("CPUPROFILE_FREQUENCY=1000"),
                             std::string("TCMALLOC_STACKTRACE_METHOD=generic_fp")}));
  ::unsetenv("LD_PRELOAD");
  EXPECT_THAT(variables_of(found, Carried::nothing, "/d/p"), IsEmpty());
  EXPECT_THAT(variables_of({}, Carried::sampler, "/d/p"), IsEmpty());
}

TEST(Gperftools, WhatIsMissingIsToldWithThePackage) {
  for (const config::Finding& finding : {judge_sampler({}), judge_heap({})}) {
    EXPECT_EQ(finding.level, config::Level::note);
    EXPECT_THAT(finding.todo, HasSubstr("apt-get install libgoogle-perftools4"));
  }
  const Gperftools found{"/l/p", "/l/t"};
  EXPECT_EQ(judge_sampler(found).level, config::Level::ok);
  EXPECT_THAT(judge_sampler(found).says, HasSubstr("PostgreSQL and ClickHouse cannot"));
  EXPECT_EQ(judge_heap(found).level, config::Level::ok);
}

TEST(WorkerProbes, SignalOnlyWhoTakesIt) {
  const int signal = SIGRTMIN + 9;
  EXPECT_FALSE(has_handler(::getpid(), signal));
  std::signal(signal, [](int) {});
  EXPECT_TRUE(has_handler(::getpid(), signal));
  std::signal(signal, SIG_DFL);
  EXPECT_FALSE(has_handler(0, signal));
}

}  // namespace
}  // namespace walstorm::profile
