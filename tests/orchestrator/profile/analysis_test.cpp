#include "orchestrator/profile/analysis/analysis.h"

#include <gmock/gmock.h>

#include "proto/wire/error.h"
#include "tests/orchestrator/profile/made_profile.h"

namespace walstorm::profile {
namespace {

using test::profile_of;
using test::Seen;
using testing::HasSubstr;

struct Placed {
  std::string self, own, waits;
};

Placed placed(const std::vector<std::string>& frames, Kind kind = Kind::on_cpu,
              const std::string& target = "consumer") {
  const Modules modules;
  const Profile profile = profile_of({{frames, 1, kind, 0, target}});
  const Modules::Place place = modules.place(profile, profile.stacks().front());
  return {modules.all()[place.self].name, place.own ? modules.all()[*place.own].name : "",
          place.waits ? modules.all()[*place.waits].name : ""};
}

const ModuleRow& module_row(const TargetAnalysis& target, const std::string& name) {
  for (const ModuleRow& row : target.modules) {
    if (row.module == name) return row;
  }
  ADD_FAILURE() << "no module " << name;
  static const ModuleRow kNone;
  return kNone;
}

TargetAnalysis analysis_of(const std::vector<Seen>& seen) {
  const auto all = analyse(profile_of(seen), Modules(), 25);
  EXPECT_EQ(all.size(), 1U);
  return all.front();
}

TEST(Fits, AStarStandsForAnyText) {
  EXPECT_TRUE(fits("a*c", "abbc"));
  EXPECT_TRUE(fits("*b*", "abc"));
  EXPECT_TRUE(fits("abc", "abc"));
  EXPECT_TRUE(fits("*", ""));
  EXPECT_FALSE(fits("a*c", "abcd"));
  EXPECT_FALSE(fits("", "a"));
}

TEST(Modules, TheTableIsReadAndSaysWhatEachModuleDoes) {
  const Modules modules;
  EXPECT_GT(modules.all().size(), 20U);
  for (const Module& module : modules.all()) {
    EXPECT_FALSE(module.says.empty()) << module.name;
    EXPECT_FALSE(module.rules.empty()) << module.name;
    EXPECT_EQ(modules.named(module.name), &module) << module.name << " is there twice";
  }
  EXPECT_THROW(Modules("[a] own\nnonsense\n"), wire::Error);
  EXPECT_THROW(Modules("[a] nowhere\n"), wire::Error);
}

TEST(Modules, AStackIsWhereItsInnermostFramesAre) {
  EXPECT_EQ(
      placed({"main", "walstorm::consumer::Compressor::compress", "LZ4F_compressUpdate@liblz4.so.1"}).self,
      "compress");
  EXPECT_EQ(placed({"main", "walstorm::consumer::PgoutputDecoder::decode"}).self, "decode");
  EXPECT_EQ(
      placed({"main", "recv@libc.so.6", "k:__x64_sys_recvfrom", "k:unix_stream_recvmsg", "k:copy_page"}).self,
      "kernel: network");
  EXPECT_EQ(placed({"main", "recv@libc.so.6", "k:strange"}).self, "kernel");
  EXPECT_EQ(placed({"nobody@nothing"}).self, "other");
  EXPECT_EQ(placed({}).self, "other");
}

TEST(Modules, AnOwnModuleCountsWhatItCalls) {
  EXPECT_EQ(
      placed({"walstorm::consumer::ChangeIntake::on_wal",
              "walstorm::consumer::EncodedBlock<walstorm::consumer::NativeEncoder>::add", "memcpy@libc.so.6"})
          .own,
      "encode");
  EXPECT_EQ(placed({"main", "boost::asio::detail::scheduler::run"}).own, "");
}

TEST(Modules, WhatIsLeftOverIsToldByItsCallers) {
  EXPECT_EQ(placed({"main@postgres", "WalSndLoop@postgres", "[unknown]@postgres"}).self, "walsender");
  EXPECT_EQ(placed({"main@postgres", "WalSndLoop@postgres", "memcpy@libc.so.6"}).own, "walsender");
  EXPECT_EQ(placed({"main@postgres", "ServerLoop@postgres"}).self, "postgres");
  EXPECT_EQ(
      placed({"main", "boost::asio::detail::scheduler::run", "walstorm::consumer::Pipeline::beat"}).self,
      "consumer");
}

TEST(Modules, ClickhousesStacksAreClickhouses) {
  const auto of_clickhouse = [](const std::vector<std::string>& frames) {
    return placed(frames, Kind::on_cpu, "clickhouse");
  };
  const Placed merge =
      of_clickhouse({"[unknown]@libstdc++.so.6", "DB::StorageMergeTree::mergeTask@libclickhouse.so.18.16",
                     "[unknown]@libclickhouse.so.18.16", "LZ4_compress_fast@liblz4.so.1"});
  EXPECT_EQ(merge.own, "clickhouse merge");
  EXPECT_EQ(merge.self, "compression") << "and not what the consumer's compression is";
  EXPECT_EQ(
      of_clickhouse({"Poco::Net::HTTPServerConnection::run@libPocoNet.so.80",
                     "DB::MergeTreeBlockOutputStream::write@libclickhouse.so.18.16", "memcpy@libc.so.6"})
          .own,
      "clickhouse insert");
  EXPECT_EQ(of_clickhouse({"[unknown]@libclickhouse.so.18.16"}).self, "clickhouse");
  EXPECT_EQ(of_clickhouse({"DB::MergeTreeData::f@libclickhouse.so.18.16", "[unknown]@libjemalloc.so.2"}).self,
            "allocate");
  EXPECT_EQ(placed({"LZ4_compress_fast@liblz4.so.1"}).own, "compress");
}

TEST(Modules, OfTheKernelOnlyTheKernelsPartCounts) {
  // tcp_sendmsg is the kernel's name; a function of that name elsewhere is not.
  EXPECT_EQ(placed({"main", "tcp_sendmsg@my.so"}).self, "other");
}

TEST(Modules, AWaitIsNamedByWhatItWaitsFor) {
  EXPECT_EQ(placed({"main", "k:do_epoll_wait", "k:schedule"}, Kind::off_cpu).waits,
            "wait: for the other side");
  EXPECT_EQ(placed({"main", "k:futex_wait", "k:schedule"}, Kind::off_cpu).waits, "wait: lock");
  EXPECT_EQ(placed({"main", "k:do_epoll_wait", "[ready, no CPU free]"}, Kind::off_cpu).waits,
            "wait: ready, no CPU free");
  EXPECT_EQ(placed({"main", "k:schedule"}, Kind::off_cpu).waits, "wait: other");
  EXPECT_EQ(placed({"main", "k:do_epoll_wait"}, Kind::on_cpu).waits, "");
}

TEST(Analysis, SharesAreOfTheTargetsOwnTime) {
  const auto all = analyse(profile_of({{{"main", "walstorm::consumer::Batcher::add"}, 30},
                                       {{"main", "walstorm::consumer::Batcher::add", "memcpy@libc.so.6"}, 10},
                                       {{"main"}, 60},
                                       {{"main"}, 5, Kind::on_cpu, 0, "producer"}}),
                           Modules(), 2);
  ASSERT_EQ(all.size(), 2U);
  const TargetAnalysis& consumer = all[0];
  EXPECT_EQ(consumer.samples, 100U);
  EXPECT_EQ(consumer.cpu_ns, 1'000'000'000U);
  ASSERT_EQ(consumer.functions.size(), 2U);  // as many as asked for
  EXPECT_EQ(consumer.functions[0].function, "main");
  EXPECT_DOUBLE_EQ(consumer.functions[0].share, 0.6);
  EXPECT_DOUBLE_EQ(consumer.functions[0].total_share, 1);
  EXPECT_DOUBLE_EQ(consumer.functions[1].share, 0.3);
  EXPECT_DOUBLE_EQ(consumer.functions[1].total_share, 0.4);
  EXPECT_DOUBLE_EQ(module_row(consumer, "batch").share, 0.3);
  EXPECT_DOUBLE_EQ(*module_row(consumer, "batch").share_with_callees, 0.4);
  EXPECT_EQ(module_row(consumer, "copy memory").samples_with_callees, std::nullopt);
}

TEST(Analysis, AFunctionThatCallsItselfIsCountedOnce) {
  const TargetAnalysis target = analysis_of({{{"main", "f", "f", "f"}, 7}});
  EXPECT_DOUBLE_EQ(target.functions[0].total_share, 1);
  EXPECT_EQ(target.functions[0].samples, 7U);
}

TEST(Analysis, WallOverCpuIsNullWhereWaitingWasNotMeasured) {
  const TargetAnalysis blind = analysis_of({{{"main", "walstorm::consumer::Batcher::add"}, 100}});
  EXPECT_EQ(blind.wall_per_cpu, std::nullopt);
  EXPECT_EQ(blind.off_cpu_ns, std::nullopt);
  EXPECT_EQ(module_row(blind, "batch").wall_per_cpu, std::nullopt);
  const TargetAnalysis seeing = analysis_of(
      {{{"main", "walstorm::consumer::Batcher::add"}, 100},
       {{"main", "walstorm::consumer::Batcher::add", "k:futex_wait"}, 4, Kind::off_cpu, 3'000'000'000}});
  EXPECT_DOUBLE_EQ(*seeing.wall_per_cpu, 4);
  EXPECT_DOUBLE_EQ(*module_row(seeing, "batch").wall_per_cpu, 4);
  EXPECT_EQ(seeing.waits.front().wait, "wait: lock");
  EXPECT_DOUBLE_EQ(seeing.waits.front().share, 0.75);
}

TEST(Analysis, BrokenStacksAreAShareOfAll) {
  const TargetAnalysis target =
      analysis_of({{{"main"}, 60}, {{"f"}, 40, Kind::on_cpu, 0, "consumer", "load", true}});
  EXPECT_DOUBLE_EQ(*target.broken_share, 0.4);
  EXPECT_THAT(target.conclusion, HasSubstr("40 % of the stacks are broken"));
}

TEST(Analysis, BrokenStacksAreCountedWhereTheirCallersAreLost) {
  const auto broken = [](std::vector<std::string> frames, std::uint64_t samples) {
    return Seen{std::move(frames), samples, Kind::on_cpu, 0, "consumer", "load", true};
  };
  const TargetAnalysis target = analysis_of({{{"main"}, 59},
                                             broken({"[unknown]@", "LZ4_compress@liblz4.so.1"}, 20),
                                             broken({"LZ4_hash@liblz4.so.1", "memcpy@libc.so.6"}, 10),
                                             broken({"[unknown]@"}, 10),
                                             broken({"f@[heap]", "strange@libx.so"}, 1)});
  ASSERT_EQ(target.broken_in.size(), 3U);
  EXPECT_EQ(target.broken_in[0].object, "liblz4.so.1");
  EXPECT_EQ(target.broken_in[0].samples, 30U);
  EXPECT_DOUBLE_EQ(target.broken_in[0].share, 0.3);
  EXPECT_EQ(target.broken_in[1].object, "");
  EXPECT_EQ(target.broken_in[2].object, "libx.so");
  EXPECT_EQ(broken_text(target),
            "41 % of the stacks are broken, 30 % in liblz4.so.1, 10 % in code of no known file");
}

TEST(Conclusion, OfTooFewSamplesThereIsNone) {
  EXPECT_EQ(analysis_of({{{"main"}, 99}}).conclusion,
            "consumer: too little data to conclude from: 99 samples, 100 are needed.");
}

// One that was killed, or hardly ran: what it waited for says nothing about the load.
TEST(Conclusion, OfTooFewSamplesWaitsSayNothingEither) {
  const auto with = [](std::uint64_t samples) {
    return analysis_of({{{"main"}, samples}, {{"main", "k:do_epoll_wait"}, 9, Kind::off_cpu, 8'000'000'000}})
        .conclusion;
  };
  EXPECT_EQ(with(1), "consumer: too little data to conclude from: 1 sample, 100 are needed.");
  EXPECT_THAT(with(100), HasSubstr("consumer waits for"));
  EXPECT_EQ(analysis_of({{{"main", "k:do_epoll_wait"}, 9, Kind::off_cpu, 8'000'000'000}}).conclusion,
            "consumer: too little data to conclude from: no sample, 100 are needed.");
}

TEST(Conclusion, AComputeBoundTargetIsToldWhatToDoAboutItsHeaviestModule) {
  const std::string text = analysis_of({{{"main", "walstorm::consumer::Compressor::compress"}, 60},
                                        {{"main", "walstorm::consumer::PgoutputDecoder::decode"}, 40},
                                        {{"main", "k:do_epoll_wait"}, 5, Kind::off_cpu, 100'000'000}})
                               .conclusion;
  EXPECT_THAT(text, HasSubstr("consumer is compute-bound, on a CPU for 91 % of its time"));
  EXPECT_THAT(text, HasSubstr("60 %, goes to compress: set consumer.compression"));
}

TEST(Conclusion, AWaitingTargetIsToldWhatItWaitsFor) {
  const std::string text = analysis_of({{{"main", "walstorm::consumer::PgoutputDecoder::decode"}, 100},
                                        {{"main", "k:vfs_fsync"}, 50, Kind::off_cpu, 3'000'000'000}})
                               .conclusion;
  EXPECT_THAT(text,
              HasSubstr("consumer waits for 75 % of its time, for 75 % it is waiting for the disk: raise"));
}

TEST(Conclusion, WhatIsSpreadOutIsNotWorthASingleChange) {
  std::vector<Seen> seen;
  for (const char* name :
       {"Compressor::a", "Batcher::a", "PgoutputDecoder::a", "Flusher::a", "ReplicationStream::a"})
    seen.push_back({{"main", std::string("walstorm::consumer::") + name}, 20});
  EXPECT_THAT(analysis_of(seen).conclusion, HasSubstr("no single change"));
}

TEST(Conclusion, ItsLimitsArePrinted) {
  EXPECT_THAT(limits_text({}),
              testing::AllOf(HasSubstr("100 samples"), HasSubstr("80 %"), HasSubstr("50 %")));
}

}  // namespace
}  // namespace walstorm::profile
