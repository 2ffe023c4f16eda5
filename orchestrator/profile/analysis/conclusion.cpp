#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "orchestrator/profile/analysis/analysis.h"
#include "orchestrator/text/format.h"

namespace walstorm::profile {
namespace {

/// Of a target's stacks: an object in which fewer are broken is not named.
constexpr double kBrokenShareMin = 0.03;

std::string whole_percent(double share) {
  return fmt::format("{:.0f} %", share * 100);
}

/// The own module with most of the CPU time, with what it calls; nullptr when there is none.
const ModuleRow* heaviest(const TargetAnalysis& target) {
  const ModuleRow* most = nullptr;
  for (const ModuleRow& row : target.modules) {
    if (!row.share_with_callees) continue;
    if (most == nullptr || *row.share_with_callees > *most->share_with_callees) most = &row;
  }
  return most;
}

std::string said(const Modules& modules, const std::string& name) {
  const Module* module = modules.named(name);
  return module == nullptr ? name : module->says;
}

std::string advised(const Modules& modules, const std::string& name) {
  const Module* module = modules.named(name);
  return module == nullptr || module->advice.empty() ? "" : ": " + module->advice;
}

/// Where the CPU time goes, and whether a change there is worth it.
std::string cpu_text(const TargetAnalysis& target, const Modules& modules, const Limits& limits) {
  const ModuleRow* most = heaviest(target);
  if (most == nullptr) {
    if (target.modules.empty()) return "";
    return fmt::format("most CPU time, {}, is in {}", whole_percent(target.modules.front().share),
                       target.modules.front().module);
  }
  const std::string where =
      fmt::format("most CPU time, {}, goes to {}", whole_percent(*most->share_with_callees), most->module);
  if (*most->share_with_callees >= limits.module_share) return where + advised(modules, most->module);
  return where + ": no single change will make much of a difference";
}

std::string with_doubts(std::string text, const TargetAnalysis& target, const Limits& limits) {
  if (target.broken_share && *target.broken_share >= limits.broken_share)
    text += ". " + broken_text(target) + ", so what a module's callees cost is counted too low";
  return text + ".";
}

std::string samples_text(std::uint64_t samples) {
  return fmt::format("{} {}", text::count_text(samples), samples == 1 ? "sample" : "samples");
}

}  // namespace

std::string limits_text(const Limits& limits) {
  return fmt::format(
      "nothing is concluded from less than {} samples; compute-bound from {} of its time on a CPU; waiting "
      "from {} of it off the CPU; "
      "short of CPUs from {} of it ready with none free; a module is worth a change from {} of the CPU time; "
      "callers are doubtful from {} of broken stacks",
      limits.samples_min, whole_percent(limits.compute_bound_share), whole_percent(limits.waiting_share),
      whole_percent(limits.no_cpu_share), whole_percent(limits.module_share),
      whole_percent(limits.broken_share));
}

std::string broken_text(const TargetAnalysis& target) {
  std::string text =
      fmt::format("{} of the stacks are broken", whole_percent(target.broken_share.value_or(0)));
  for (const BrokenRow& row : target.broken_in) {
    if (row.share < kBrokenShareMin) break;
    text += fmt::format(", {} in {}", whole_percent(row.share),
                        row.object.empty() ? "code of no known file" : row.object);
  }
  return text;
}

std::string conclude(const TargetAnalysis& target, const Modules& modules, const Limits& limits) {
  if (target.samples < limits.samples_min) {
    return fmt::format("{}: too little data to conclude from: {}, {} are needed.", target.target,
                       target.samples == 0 ? "no sample" : samples_text(target.samples), limits.samples_min);
  }
  const std::string cpu = cpu_text(target, modules, limits);
  if (!target.wall_per_cpu) return with_doubts(target.target + ": " + cpu, target, limits);
  const double on_cpu = 1 / *target.wall_per_cpu;
  std::string text;
  if (on_cpu >= limits.compute_bound_share) {
    text = fmt::format("{} is compute-bound, on a CPU for {} of its time; {}", target.target,
                       whole_percent(on_cpu), cpu);
  } else if (1 - on_cpu >= limits.waiting_share && !target.waits.empty()) {
    const WaitRow& most = target.waits.front();
    text = fmt::format("{} waits for {} of its time, for {} it is {}{}; {}", target.target,
                       whole_percent(1 - on_cpu), whole_percent(most.share), said(modules, most.wait),
                       advised(modules, most.wait), cpu);
  } else {
    text = fmt::format("{} is on a CPU for {} of its time; {}", target.target, whole_percent(on_cpu), cpu);
  }
  const auto no_cpu = std::find_if(target.waits.begin(), target.waits.end(), [](const WaitRow& row) {
    return row.wait.find(kPreempted.substr(1, kPreempted.size() - 2)) != std::string::npos;
  });
  if (no_cpu != target.waits.end() && no_cpu->share >= limits.no_cpu_share &&
      no_cpu != target.waits.begin()) {
    text += fmt::format("; for {} it is {}{}", whole_percent(no_cpu->share), said(modules, no_cpu->wait),
                        advised(modules, no_cpu->wait));
  }
  return with_doubts(std::move(text), target, limits);
}

}  // namespace walstorm::profile
