#include "orchestrator/profile/profiler.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/analysis/diff.h"
#include "orchestrator/profile/commands.h"
#include "orchestrator/profile/profile_folder.h"
#include "orchestrator/profile/push/pyroscope.h"
#include "orchestrator/profile/show/diff_text.h"
#include "orchestrator/profile/show/flame_page.h"
#include "orchestrator/profile/show/missing_names.h"
#include "orchestrator/text/format.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAll = "all";
constexpr const char* kNote = "profile: ";

PerfAbility ability_here(process::EventLoop& loop, ProfileReport& report) {
  PerfAbility ability;
  try {
    ability = judge_perf_ability(look_at_perf(loop));
  } catch (const wire::Error& error) {
    report.notes.push_back(std::string("perf could not be tried: ") + error.what());
  }
  for (const config::Finding& finding : ability.findings) {
    if (finding.level == config::Level::ok) continue;
    report.notes.push_back(finding.what + ": " + finding.says +
                           (finding.todo.empty() ? "" : "; " + finding.todo));
  }
  return ability;
}

fs::path made(fs::path folder) {
  std::error_code told_when_written;
  fs::create_directories(folder, told_when_written);
  return folder;
}

double seconds_between(std::int64_t from_unix_us, std::int64_t to_unix_us) {
  return static_cast<double>(std::max<std::int64_t>(0, to_unix_us - from_unix_us)) / 1e6;
}

void add_new(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
}

}  // namespace

Profiler::Profiler(process::EventLoop& loop, const config::Config& config, const Extras& extras,
                   fs::path run_folder)
    : loop_(loop),
      config_(config),
      extras_(extras),
      folder_(made(run_folder / kProfileFolder)),
      ability_(ability_here(loop, report_)),
      recorder_(loop, ability_, config.profiling.frequency_hz, folder_, run_folder / "logs" / "perf.log") {}

bool Profiler::is_target(const std::string& name) const {
  const auto& targets = config_.profiling.targets;
  return std::any_of(targets.begin(), targets.end(),
                     [&name](const std::string& each) { return each == name || each == kAll; });
}

void Profiler::begin_phase(const std::string& phase, const std::vector<Sampled>& processes) {
  phase_ = phase;
  seen_.clear();
  see(processes);
}

void Profiler::see(const std::vector<Sampled>& processes) {
  if (!phase_) return;
  std::vector<Sampled> fresh;
  for (const Sampled& process : processes) {
    if (is_target(process.target) && seen_.emplace(process.pid, process.target).second)
      fresh.push_back(process);
  }
  if (!fresh.empty()) recorder_.add(*phase_, fresh);
}

void Profiler::end_phase() {
  if (!phase_) return;
  recorder_.end();
  phase_.reset();
}

void Profiler::conclude(measure::RunReport& report) {
  const auto note = [this](const std::exception& error) { report_.notes.emplace_back(error.what()); };
  // Each part stands alone: one that fails costs no other.
  const auto attempt = [&note](const auto& step) {
    try {
      step();
    } catch (const std::exception& error) {
      note(error);
    }
  };
  attempt([this] { end_phase(); });
  if (ability_.on_cpu)
    attempt([this, &report] { read_recordings(), note_missing(), analyse_all(), mark_broken_off(report); });
  if (extras_.baseline && !profile_.empty()) attempt([this] { compare_with_baseline(); });
  if (extras_.pyroscope_url && !profile_.empty()) attempt([this, &report] { push(report.name); });
  attempt([this, &report] { write(report); });
  ProfileReport shown = report_;
  shown.notes.clear();  // the run's notes have them
  report.profile_section = profile_section(shown, kProfileFolder) + diff_section_;
  attempt([&] { write_file(folder_ / kSectionFile, report.profile_section); });
  for (const std::string& each : report_.notes) report.notes.push_back(kNote + each);
  report.profile_lines = summary_lines(report_);
  if (!report_.all.empty()) report.profile_pages.emplace_back("flame.html");
  report.profile_lines.insert(report.profile_lines.end(), diff_lines_.begin(), diff_lines_.end());
}

void Profiler::read_recordings() {
  for (const Recording& recording : recorder_.take()) {
    std::string failure = recording.failure;
    const double sec = seconds_between(recording.began_unix_us, recording.ended_unix_us);
    Taken& taken = taken_[recording.phase];
    if (taken.at_unix_us == 0) taken.at_unix_us = recording.began_unix_us;
    taken.duration_sec = std::max(taken.duration_sec, sec);
    taken.frequency_hz = config_.profiling.frequency_hz;
    own_cpu_us_[recording.phase] += recording.own_cpu_us.value_or(0);
    for (const auto& [target, us] : recording.counted_cpu_us) counted_cpu_us_[target] += us;
    if (failure.empty()) {
      try {
        const PerfScript::Result result = recorder_.read(recording);
        profile_.add(result.profile);
        add_new(report_.how.events, result.events);
      } catch (const wire::Error& error) {
        failure = error.what();
      }
    }
    if (!failure.empty())
      report_.notes.push_back(
          fmt::format("nothing was recorded in phase \"{}\": {}", recording.phase, failure));
  }
}

/// Targets of which there is nothing, and functions without names.
void Profiler::note_missing() {
  const std::vector<std::string> found = profile_.targets();
  for (const std::string& target : config_.profiling.targets) {
    if (target == kAll || std::find(found.begin(), found.end(), target) != found.end()) continue;
    report_.notes.push_back(fmt::format(
        "{} was not sampled: it had no CPU time, or no process of it on this machine is known", target));
  }
  add_new(report_.notes, missing_names(profile_));
}

void Profiler::analyse_all() {
  report_.how.by = "perf";
  report_.how.frequency_hz = config_.profiling.frequency_hz;
  report_.how.unwinding = "frame pointers";
  double cpu_sec = 0, duration_sec = 0;
  for (const auto& [phase, taken] : taken_) {
    PhaseAnalysis analysis;
    analysis.phase = phase;
    analysis.duration_sec = taken.duration_sec;
    analysis.targets = analyse(profile_.of_phase(phase), modules_, extras_.functions_max, report_.limits);
    analysis.profiler_cpu_sec = static_cast<double>(own_cpu_us_[phase]) / 1e6;
    if (taken.duration_sec > 0) analysis.profiler_cpu_share = *analysis.profiler_cpu_sec / taken.duration_sec;
    cpu_sec += *analysis.profiler_cpu_sec;
    duration_sec += taken.duration_sec;
    report_.phases.push_back(std::move(analysis));
  }
  std::stable_sort(report_.phases.begin(), report_.phases.end(), [this](const auto& a, const auto& b) {
    return taken_.at(a.phase).at_unix_us < taken_.at(b.phase).at_unix_us;
  });
  report_.all = analyse(profile_.of_phase(std::nullopt), modules_, extras_.functions_max, report_.limits);
  for (TargetAnalysis& target : report_.all) {
    if (const auto counted = counted_cpu_us_.find(target.target); counted != counted_cpu_us_.end())
      target.counted_cpu_ns = counted->second * 1000;
  }
  add_new(report_.notes, broken_stacks(report_.all));
  report_.profiler_cpu_sec = cpu_sec;
  if (duration_sec > 0) report_.profiler_cpu_share = cpu_sec / duration_sec;
}

/// Of a phase that did not run to its end there is less than of one that did.
void Profiler::mark_broken_off(const measure::RunReport& report) {
  for (PhaseAnalysis& analysis : report_.phases) {
    const auto phase = std::find_if(report.phases.begin(), report.phases.end(),
                                    [&](const auto& each) { return each.name == analysis.phase; });
    if (phase == report.phases.end()) continue;
    if (phase->outcome == measure::Outcome::failed) analysis.broke_off = "failed";
    if (phase->outcome == measure::Outcome::interrupted) analysis.broke_off = "was interrupted";
    if (!analysis.broke_off.empty())
      report_.notes.push_back(
          fmt::format("phase \"{}\" {}: its stacks end there", analysis.phase, analysis.broke_off));
  }
}

void Profiler::write(const measure::RunReport& report) {
  write_profile_folder(folder_, report.name, profile_, report_, modules_, taken_);
}

void Profiler::compare_with_baseline() {
  const std::string base_folder = extras_.baseline->string();
  const Profile base = load_profile(loop_, base_folder).of_phase(std::nullopt);
  const Profile now = profile_.of_phase(std::nullopt);
  const auto diffs = diff(base, now, modules_, extras_.functions_max);
  std::map<std::string, std::string> says;
  for (const TargetDiff& each : diffs) says[each.target] = each.conclusion;
  diff_section_ = diff_section(diffs, base_folder);
  for (const auto& [target, text] : says)
    diff_lines_.push_back(fmt::format("beside {}: {}", base_folder, text));
  write_file(folder_ / "diff.json", diff_json(diffs).dump(2) + "\n");
  write_file(folder_ / "diff.html", flame_page(now, modules_, "beside " + base_folder, says, &base));
}

void Profiler::push(const std::string& run_name) {
  for (const std::string& phase : profile_.phases()) {
    const auto failures = push_to_pyroscope(
        pyroscope_requests(*extras_.pyroscope_url, run_name, phase, profile_.of_phase(phase), taken_[phase]));
    add_new(report_.notes, failures);
    if (!failures.empty()) return;
  }
}

}  // namespace walstorm::profile
