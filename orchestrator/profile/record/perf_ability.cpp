#include "orchestrator/profile/record/perf_ability.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <string_view>
#include <unistd.h>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/private_folder.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;
using config::Level;

constexpr std::chrono::seconds kTrialTimeout{20};
/// From here on the kernel is left out of what an ordinary user samples, and beyond it nothing may be sampled
/// (kernel documentation, "perf_event_paranoid"; Debian's kernels know 3).
constexpr int kNoKernelFrom = 2;
constexpr int kLogLines = 40;

/// Words of those lines of perf's that say what is wrong.
constexpr std::array<std::string_view, 6> kTelling{"rror",    "ermission", "access",
                                                   "limited", "No such",   "Failed"};
constexpr std::size_t kTellingChars = 200;

std::optional<int> setting(const char* name) {
  std::ifstream in(std::string("/proc/sys/kernel/") + name);
  int value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

/// What perf said when it could not; nullopt when it could.
std::optional<std::string> refusal(process::EventLoop& loop, const std::string& perf, const fs::path& folder,
                                   std::vector<std::string> arguments) {
  process::ChildOptions options;
  options.program = perf;
  options.arguments = std::move(arguments);
  options.log_file = folder / "trial.log";
  std::error_code ignored;
  fs::remove(options.log_file, ignored);
  try {
    process::run_to_end(loop, options, kTrialTimeout);
    return std::nullopt;
  } catch (const wire::Error&) {
    std::string said = process::last_lines(options.log_file, kLogLines);
    return said.empty() ? "it failed without a word" : said;
  }
}

/// What tells something of what perf said, as one line: its usage stands below every error.
std::string one_line(const std::string& said) {
  std::istringstream in(said);
  std::string telling, last;
  for (std::string line; std::getline(in, line);) {
    const auto begin = line.find_first_not_of(" \t\\_");
    if (begin == std::string::npos) continue;
    last = line.substr(begin);
    const bool tells = std::any_of(kTelling.begin(), kTelling.end(), [&last](std::string_view word) {
      return last.find(word) != std::string::npos;
    });
    if (tells && telling.size() < kTellingChars) telling += (telling.empty() ? "" : " ") + last;
  }
  return telling.empty() ? last : telling;
}

std::string paranoid_text(const PerfFacts& facts) {
  return facts.paranoid ? fmt::format(" (kernel.perf_event_paranoid is {})", *facts.paranoid) : "";
}

void judge_symbols(const PerfFacts& facts, std::vector<config::Finding>& findings) {
  if (!facts.is_root && facts.paranoid.value_or(kNoKernelFrom) >= kNoKernelFrom) {
    findings.push_back({Level::note, "kernel",
                        "its part of the stacks is not recorded" + paranoid_text(facts),
                        "sysctl kernel.perf_event_paranoid=1, or run as root"});
  } else if (facts.kptr_restrict.value_or(0) > (facts.is_root ? 1 : 0)) {
    findings.push_back(
        {Level::note, "kernel",
         fmt::format("its functions have no names: kernel.kptr_restrict is {}", *facts.kptr_restrict),
         "sysctl kernel.kptr_restrict=0"});
  }
}

}  // namespace

PerfAbility judge_perf_ability(const PerfFacts& facts) {
  PerfAbility ability;
  if (facts.perf.empty()) {
    ability.findings.push_back({Level::note, "perf", "is not installed",
                                "apt-get install linux-perf (Debian) or linux-tools-generic (Ubuntu)"});
    return ability;
  }
  ability.perf = facts.perf;
  if (facts.on_cpu_refusal) {
    ability.findings.push_back({Level::note, "on-CPU",
                                fmt::format("{} may not sample{}: {}", facts.perf, paranoid_text(facts),
                                            one_line(*facts.on_cpu_refusal)),
                                "sysctl kernel.perf_event_paranoid=1, or run as root; a container needs "
                                "--cap-add PERFMON and a seccomp "
                                "profile that allows perf_event_open"});
    return ability;
  }
  ability.on_cpu = true;
  ability.findings.push_back(
      {Level::ok, "on-CPU",
       fmt::format("{} samples by {}", facts.perf,
                   facts.has_cycles ? "the cycle counter"
                                    : "cpu-clock, as the machine counts no cycles (a virtual machine?)"),
       ""});
  judge_symbols(facts, ability.findings);
  ability.off_cpu = !facts.off_cpu_refusal;
  if (ability.off_cpu) {
    ability.findings.push_back({Level::ok, "off-CPU", "waits are sampled by sched:sched_switch", ""});
  } else {
    ability.findings.push_back(
        {Level::note, "off-CPU",
         fmt::format("sched:sched_switch may not be recorded, so how long the processes wait is known, but "
                     "not in what{}: {}",
                     paranoid_text(facts), one_line(*facts.off_cpu_refusal)),
         "run as root, or sysctl kernel.perf_event_paranoid=-1 and mount -o remount,mode=755 "
         "/sys/kernel/tracing"});
  }
  return ability;
}

config::Finding judge_contention(const PerfAbility& ability) {
  if (ability.off_cpu)
    return {Level::ok, "contention", "waits for locks are found among the waits sampled", ""};
  return {Level::note, "contention",
          "cannot be known without perf and the right to record sched:sched_switch",
          "see perf, on-CPU and off-CPU"};
}

PerfFacts look_at_perf(process::EventLoop& loop) {
  PerfFacts facts;
  facts.perf = program_in_path("perf");
  facts.is_root = ::geteuid() == 0;
  facts.paranoid = setting("perf_event_paranoid");
  facts.kptr_restrict = setting("kptr_restrict");
  if (facts.perf.empty()) return facts;
  const process::PrivateFolder folder(process::FolderFor::profile);
  const std::string data = (folder.path() / "trial.data").string();
  facts.on_cpu_refusal =
      refusal(loop, facts.perf, folder.path(),
              {"record", "-N", "-g", "--switch-events", "-e", "cycles", "-o", data, "--", "true"});
  if (facts.on_cpu_refusal) return facts;
  facts.has_cycles = !refusal(loop, facts.perf, folder.path(), {"evlist", "-i", data}).has_value() && [&] {
    std::ifstream in(folder.path() / "trial.log");
    std::string event;
    return static_cast<bool>(in >> event) && event.starts_with("cycles");
  }();
  facts.off_cpu_refusal = refusal(
      loop, facts.perf, folder.path(),
      {"record", "-N", "-g", "--switch-events", "-e", "sched:sched_switch", "-o", data, "--", "true"});
  return facts;
}

std::string program_in_path(const char* program) {
  const char* path = std::getenv("PATH");
  std::istringstream rest(path != nullptr ? path : "");
  for (std::string folder; std::getline(rest, folder, ':');) {
    const fs::path candidate = fs::path(folder) / program;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return {};
}

}  // namespace walstorm::profile
