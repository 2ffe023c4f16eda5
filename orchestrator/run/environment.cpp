#include "orchestrator/run/environment.h"

#include <fmt/format.h>
#include <fstream>
#include <string>
#include <sys/utsname.h>
#include <system_error>
#include <unistd.h>

#include "orchestrator/process/cpu_count.h"
#include "proto/wire/error.h"

namespace walstorm::run {
namespace {

/// The first "model name" of /proc/cpuinfo; empty where the architecture does not say.
std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return {};
}

}  // namespace

measure::Environment describe_machine() {
  measure::Environment environment;
  utsname names{};
  ::uname(&names);
  environment.host = names.nodename;
  environment.kernel = fmt::format("{} {}", names.sysname, names.release);
  environment.cpu_model = cpu_model();
  environment.cpu_count = process::usable_cpus();
  environment.memory_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                             static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return environment;
}

void check_free_space(const std::filesystem::path& folder, const config::Config& config,
                      const std::vector<config::PhasePlan>& plan, const target::Target& target) {
  const auto landed_bytes = target.disk_bytes(plan);
  const std::uint64_t bytes_needed = config::disk_bytes(config, plan) + landed_bytes.value_or(0);
  std::error_code unknown;
  const auto space = std::filesystem::space(folder, unknown);
  if (unknown || space.available > bytes_needed + bytes_needed / 10) return;
  throw wire::Error(
      wire::ErrorKind::unavailable,
      fmt::format(
          "the plan writes about {:.1f} GB (table and WAL{}) to {}, where {:.1f} GB are free: "
          "shorten the phases, lower the rate or payloadSizeKB, or (a private server's disk) set TMPDIR to a "
          "larger one",
          static_cast<double>(bytes_needed) / 1e9,
          landed_bytes ? fmt::format(", and {}'s parts", target.server_name()) : "", folder.string(),
          static_cast<double>(space.available) / 1e9));
}

}  // namespace walstorm::run
