#include "orchestrator/process/proc_activity.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/temporary_folder.h"

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

/// A process 7 of two threads, whose name is of the kind that breaks a reader.
void make_proc(const fs::path& proc) {
  write(proc / "7/stat", "7 (a) b ) S 1 7 7 0 -1 4194560 11 12 13 14 200 50 16 17 20 0 2 0 99 1 2\n");
  write(proc / "7/status", "Name:\ta\nVmHWM:\t  900 kB\nVmRSS:\t  800 kB\n");
  for (const char* thread : {"7", "8"}) {
    const fs::path folder = proc / "7/task" / thread;
    write(folder / "status", "Name:\ta\nvoluntary_ctxt_switches:\t30\nnonvoluntary_ctxt_switches:\t4\n");
    write(folder / "schedstat", "1000000 2500000 3\n");
  }
}

TEST(ProcActivity, AddsUpAllThreads) {
  const tests::TemporaryFolder proc;
  make_proc(proc.path());
  const auto activity = read_proc_activity(7, proc.path());
  ASSERT_TRUE(activity);
  const auto us_per_tick = 1'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  EXPECT_EQ(activity->cpu_us(), 250 * us_per_tick);
  EXPECT_EQ(activity->minor_faults, 11U);
  EXPECT_EQ(activity->major_faults, 13U);
  EXPECT_EQ(activity->rss_bytes, 800U * 1024);
  EXPECT_EQ(activity->run_queue_us, 5000U);
  EXPECT_EQ(activity->voluntary_switches, 60U);
  EXPECT_EQ(activity->involuntary_switches, 8U);
}

TEST(ProcActivity, WhatTheKernelDoesNotTellIsNotZero) {
  const tests::TemporaryFolder proc;
  make_proc(proc.path());
  for (const char* thread : {"7", "8"}) {
    fs::remove(proc.path() / "7/task" / thread / "schedstat");
    write(proc.path() / "7/task" / thread / "status", "Name:\ta\n");
  }
  const auto activity = read_proc_activity(7, proc.path());
  ASSERT_TRUE(activity);
  EXPECT_FALSE(activity->run_queue_us);
  EXPECT_FALSE(activity->voluntary_switches);
}

TEST(ProcActivity, OfNoProcessIsNone) {
  const tests::TemporaryFolder proc;
  EXPECT_FALSE(read_proc_activity(7, proc.path()));
  write(proc.path() / "7/stat", "7 (cut off");
  EXPECT_FALSE(read_proc_activity(7, proc.path()));
}

/// Held against getrusage(2), which counts the same by another way.
TEST(ProcActivity, OfThisProcessIsWhatTheKernelTellsElsewhere) {
  const auto before = read_proc_activity(::getpid());
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  while (std::chrono::steady_clock::now() < end) {
  }
  const auto now = read_proc_activity(::getpid());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  ASSERT_TRUE(before && now);
  const auto used_us = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                       static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  EXPECT_NEAR(static_cast<double>(now->cpu_us()), used_us, 40'000);
  EXPECT_GE(static_cast<double>(now->minor_faults), static_cast<double>(before->minor_faults));
  EXPECT_LE(static_cast<double>(now->minor_faults), static_cast<double>(usage.ru_minflt));
  EXPECT_GT(now->rss_bytes.value_or(0), 1U << 20);
}

}  // namespace
}  // namespace walstorm::process
