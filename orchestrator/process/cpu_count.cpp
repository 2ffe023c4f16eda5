#include "orchestrator/process/cpu_count.h"

#include <algorithm>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <unistd.h>

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;

/// "150000 100000", or "max 100000" without a limit.
std::optional<double> limit_v2(const fs::path& group) {
  std::ifstream in(group / "cpu.max");
  double quota_us = 0;
  double period_us = 0;
  if (in >> quota_us >> period_us && quota_us > 0 && period_us > 0) return quota_us / period_us;
  return std::nullopt;
}

/// -1 without a limit.
std::optional<double> limit_v1(const fs::path& group) {
  double quota_us = 0;
  double period_us = 0;
  std::ifstream quota(group / "cpu.cfs_quota_us");
  std::ifstream period(group / "cpu.cfs_period_us");
  if (quota >> quota_us && period >> period_us && quota_us > 0 && period_us > 0) return quota_us / period_us;
  return std::nullopt;
}

/// Of `group` below `mount`, and of all groups around it. Within a container the path may be the host's, of
/// which only the mount itself is seen.
template <typename Limit>
std::optional<double> tightest(const fs::path& mount, fs::path group, Limit limit_of) {
  std::optional<double> tightest;
  while (true) {
    if (const auto limit = limit_of(mount / group)) tightest = std::min(tightest.value_or(*limit), *limit);
    if (group.empty()) return tightest;
    group = group.parent_path();
  }
}

bool names_cpu(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& root) {
  const fs::path mounts = root / "sys/fs/cgroup";
  std::optional<double> quota;
  const auto take = [&quota](const std::optional<double>& limit) {
    if (limit) quota = std::min(quota.value_or(*limit), *limit);
  };
  // cgroups(7): "hierarchy:controllers:path"; version 2 has hierarchy 0 and names no controllers.
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = fs::path(line.substr(second + 1)).relative_path();
    if (controllers.empty()) {
      take(tightest(mounts, group, limit_v2));
      take(tightest(mounts / "unified", group, limit_v2));  // beside version 1
    } else if (names_cpu(controllers)) {
      take(tightest(mounts / controllers, group, limit_v1));
      take(tightest(mounts / "cpu", group, limit_v1));
    }
  }
  return quota;
}

double usable_cpus(const fs::path& root) {
  cpu_set_t allowed;
  // More CPUs than the set has room for are an error of the call: then all that are online count.
  const auto scheduled = ::sched_getaffinity(0, sizeof(allowed), &allowed) == 0
                             ? static_cast<double>(CPU_COUNT(&allowed))
                             : static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
  return std::min(scheduled, cpu_quota(root).value_or(scheduled));
}

}  // namespace walstorm::process
