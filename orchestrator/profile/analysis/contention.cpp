#include "orchestrator/profile/analysis/contention.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "orchestrator/profile/analysis/call_site.h"
#include "orchestrator/text/format.h"

namespace walstorm::profile {
namespace {

/// Of the wall time: what is below it is no reason to do anything.
constexpr double kHardlyAny = 0.01;

bool waits_for_a_lock(const Profile& profile, const Modules& modules, const Stack& stack) {
  if (stack.kind != Kind::off_cpu) return false;
  const auto place = modules.place(profile, stack).waits;
  return place && modules.all()[*place].name == kLockWaits;
}

std::string seconds_text(std::uint64_t ns) {
  return text::sec_text(static_cast<double>(ns) / 1e9);
}

std::string conclusion_of(const LockWaits& waits) {
  const std::string looked_at = fmt::format("{} off the CPU in {} sampled waits",
                                            seconds_text(waits.off_cpu_ns), text::count_text(waits.waits));
  if (waits.lock_waits == 0)
    return fmt::format("{}: no contention: of {} none was for a lock.", waits.target, looked_at);
  const double share =
      static_cast<double>(waits.lock_ns) / static_cast<double>(std::max<std::uint64_t>(waits.wall_ns, 1));
  return fmt::format("{}: {}of {}, {} ({:.1f} % of its wall time) was waiting for locks, most of it in {}.",
                     waits.target, share < kHardlyAny ? "hardly any contention: " : "", looked_at,
                     seconds_text(waits.lock_ns), 100 * share, waits.sites.front().function);
}

LockWaits of_target(const Profile& profile, const Modules& modules, const std::string& target) {
  LockWaits waits;
  waits.target = target;
  std::map<std::pair<std::string, std::string>, LockSite> sites;
  for (const Stack& stack : profile.stacks()) {
    if (stack.target != target) continue;
    waits.wall_ns += stack.ns;
    if (stack.kind != Kind::off_cpu) continue;
    waits.off_cpu_ns += stack.ns;
    waits.waits += stack.samples;
    if (!waits_for_a_lock(profile, modules, stack)) continue;
    waits.lock_ns += stack.ns;
    waits.lock_waits += stack.samples;
    Frame frame = call_site(profile, stack);
    frame.function = without_template_arguments(frame.function);
    LockSite& site = sites[{frame.function, frame.object}];
    site.function = frame.function, site.object = frame.object;
    site.count += stack.samples, site.ns += stack.ns;
  }
  for (auto& [name, site] : sites) {
    site.share =
        static_cast<double>(site.ns) / static_cast<double>(std::max<std::uint64_t>(waits.wall_ns, 1));
    waits.sites.push_back(std::move(site));
  }
  std::stable_sort(waits.sites.begin(), waits.sites.end(),
                   [](const LockSite& a, const LockSite& b) { return a.ns > b.ns; });
  waits.conclusion = conclusion_of(waits);
  return waits;
}

}  // namespace

std::vector<LockWaits> analyse_contention(const Profile& profile, const Modules& modules,
                                          std::size_t sites_max) {
  std::vector<LockWaits> all;
  if (!profile.has(Kind::off_cpu)) return all;
  for (const std::string& target : profile.targets()) {
    LockWaits waits = of_target(profile, modules, target);
    if (waits.waits == 0) continue;  // how long it waited may be known, and not in what
    if (waits.sites.size() > sites_max) waits.sites.resize(sites_max);
    all.push_back(std::move(waits));
  }
  return all;
}

Profile lock_stacks(const Profile& profile, const Modules& modules) {
  Profile chosen;
  for (const Stack& stack : profile.stacks()) {
    if (!waits_for_a_lock(profile, modules, stack)) continue;
    std::vector<std::uint32_t> numbers;
    for (const std::uint32_t number : stack.frames) numbers.push_back(chosen.frame(profile.frames()[number]));
    chosen.add({stack.phase, stack.target, stack.kind}, std::move(numbers), stack.broken, stack.samples,
               stack.ns);
  }
  return chosen;
}

}  // namespace walstorm::profile
