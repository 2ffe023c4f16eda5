#include "orchestrator/process/cpu_count.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/temporary_folder.h"

namespace walstorm::process {
namespace {

using testing::Optional;

/// The files that the kernel would show.
class CpuQuota : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const auto path = root() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  [[nodiscard]] const std::filesystem::path& root() const { return folder_.path(); }

 private:
  tests::TemporaryFolder folder_;
};

TEST_F(CpuQuota, IsNoneWhereNothingLimits) {
  EXPECT_EQ(cpu_quota(root()), std::nullopt);
  write("proc/self/cgroup", "0::/user.slice\n");
  write("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root()), std::nullopt);
  EXPECT_GE(usable_cpus(root()), 1);
}

TEST_F(CpuQuota, OfAContainerOfVersion2StandsAtItsRoot) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_THAT(cpu_quota(root()), Optional(0.5));
  EXPECT_EQ(usable_cpus(root()), 0.5);
}

TEST_F(CpuQuota, IsTheTightestOfTheGroupsAround) {
  write("proc/self/cgroup", "0::/pod/run\n");
  write("sys/fs/cgroup/pod/run/cpu.max", "400000 100000\n");
  write("sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
  EXPECT_THAT(cpu_quota(root()), Optional(1.5));
}

TEST_F(CpuQuota, OfVersion1IsFoundBesideOtherControllers) {
  write("proc/self/cgroup", "7:cpuset:/docker/a\n4:cpu,cpuacct:/docker/a\n0::/\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000\n");
  EXPECT_THAT(cpu_quota(root()), Optional(2.5));
}

TEST_F(CpuQuota, OfVersion1IsFoundAtTheMountWhereThePathIsTheHosts) {
  write("proc/self/cgroup", "4:cpu,cpuacct:/docker/a\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_THAT(cpu_quota(root()), Optional(2.0));
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(cpu_quota(root()), std::nullopt);
}

}  // namespace
}  // namespace walstorm::process
