#include "orchestrator/compare/profile_change.h"

#include <fmt/format.h>
#include <map>

#include "orchestrator/profile/profile_folder.h"
#include "orchestrator/profile/show/flame_page.h"
#include "proto/wire/error.h"

namespace walstorm::compare {
namespace {

/// Adds up what a side's runs left; returns how many of them left something.
std::size_t add_stacks(const char* side, const Runs& runs, profile::Profile& all,
                       std::vector<std::string>& notes) {
  std::size_t found = 0;
  for (const report::RecordedRun& run : runs) {
    try {
      const auto stacks = profile::read_stacks(run.report.folder);
      if (!stacks) continue;
      all.add(stacks->of_phase(std::nullopt));
      ++found;
    } catch (const wire::Error& error) {
      notes.push_back(
          fmt::format("{} {}: its profile cannot be read: {}", side, run.report.folder, error.what()));
    }
  }
  if (found > 0 && found < runs.size())
    notes.push_back(fmt::format("{} of the {} runs of the {} have a profile", found, runs.size(), side));
  return found;
}

}  // namespace

std::optional<ProfileChange> compare_profiles(const Runs& base, const Runs& candidate,
                                              std::size_t functions_max) {
  ProfileChange change;
  change.base_runs = add_stacks("base", base, change.base, change.notes);
  change.candidate_runs = add_stacks("candidate", candidate, change.candidate, change.notes);
  if (change.base.empty() || change.candidate.empty()) return std::nullopt;
  change.targets = profile::diff(change.base, change.candidate, profile::Modules(), functions_max);
  return change;
}

std::string profile_page(const ProfileChange& change, const std::string& title) {
  std::map<std::string, std::string> says;
  for (const profile::TargetDiff& each : change.targets) says[each.target] = each.conclusion;
  return profile::flame_page(change.candidate, profile::Modules(), title, says, &change.base);
}

}  // namespace walstorm::compare
