#include "orchestrator/profile/profiler.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/analysis/contention.h"
#include "orchestrator/profile/analysis/diff.h"
#include "orchestrator/profile/broke_off.h"
#include "orchestrator/profile/commands.h"
#include "orchestrator/profile/preload/cpu_samples.h"
#include "orchestrator/profile/profile_folder.h"
#include "orchestrator/profile/push/pyroscope.h"
#include "orchestrator/profile/show/diff_text.h"
#include "orchestrator/profile/show/flame_page.h"
#include "orchestrator/profile/show/missing_names.h"
#include "orchestrator/profile/stacks/folded.h"
#include "orchestrator/text/format.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAll = "all";
constexpr const char* kNote = "profile: ";

bool takes_stacks(const config::Profiling& profiling) {
  return profiling.flame() || profiling.contention();
}

void add_note(ProfileReport& report, const config::Finding& finding) {
  report.notes.push_back(finding.what + ": " + finding.says +
                         (finding.todo.empty() ? "" : "; " + finding.todo));
}

PerfAbility ability_here(process::EventLoop& loop, const config::Profiling& profiling,
                         ProfileReport& report) {
  PerfAbility ability;
  if (!takes_stacks(profiling)) return ability;
  try {
    ability = judge_perf_ability(look_at_perf(loop));
  } catch (const wire::Error& error) {
    report.notes.push_back(std::string("perf could not be tried: ") + error.what());
  }
  for (const config::Finding& finding : ability.findings) {
    if (finding.level != config::Level::ok) add_note(report, finding);
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
                   const fs::path& run_folder)
    : loop_(loop),
      config_(config),
      extras_(extras),
      folder_(made(run_folder / kProfileFolder)),
      ability_(ability_here(loop, config.profiling, report_)),
      recorder_(loop, ability_, config.profiling.frequency_hz, folder_, run_folder / "logs" / "perf.log"),
      within_(look_for_gperftools()),
      samples_within_(config.profiling.flame() && !ability_.on_cpu && !config.profiling.heap() &&
                      judge_sampler(within_).level == config::Level::ok),
      probes_(loop, within_, folder_) {
  look_within();
}

bool Profiler::is_wanted(const config::Profiling& profiling) {
  return takes_stacks(profiling) || profiling.heap();
}

/// What of a profile is not taken, or not by perf, is told.
void Profiler::look_within() {
  const config::Profiling& profiling = config_.profiling;
  if (profiling.flame() && !ability_.on_cpu && profiling.heap()) {
    report_.notes.emplace_back(
        "without perf: no flame graphs, for a worker does not sample itself while its memory is counted: "
        "take them "
        "in a run of their own");
  } else if (profiling.flame() && !ability_.on_cpu) {
    add_note(report_, judge_sampler(within_));
  }
  if (profiling.contention() && !ability_.off_cpu) add_note(report_, judge_contention(ability_));
  if (!profiling.heap()) return;
  if (judge_heap(within_).level != config::Level::ok) {
    add_note(report_, judge_heap(within_));
  } else if (!is_target(kConsumer) && !is_target(kProducer)) {
    report_.notes.emplace_back(
        "heap: only walstorm's own workers can be looked into: name consumer or producer in "
        "profiling.targets");
  } else if (ability_.on_cpu) {
    report_.notes.emplace_back(
        "the heap profiler's own part is in the stacks, and slows the workers: for figures of speed profile "
        "without it");
  }
}

std::vector<std::string> Profiler::equip(const std::string& worker, const std::string& target) {
  if (!is_target(target)) return {};
  return probes_.equip(worker, config_.profiling.heap() ? Carried::heap_profiler
                               : samples_within_        ? Carried::sampler
                                                        : Carried::nothing);
}

bool Profiler::is_target(const std::string& name) const {
  const auto& targets = config_.profiling.targets;
  return std::any_of(targets.begin(), targets.end(),
                     [&name](const std::string& each) { return each == name || each == kAll; });
}

void Profiler::begin_phase(const std::string& phase, const std::vector<Sampled>& processes) {
  phase_ = phase;
  seen_.clear();
  std::vector<WorkerProbes::Worker> workers;
  for (const Sampled& process : processes) {
    if (!process.name.empty()) workers.push_back({process.name, process.target, process.pid});
  }
  probes_.begin_phase(phase, workers);
  see(processes);
}

void Profiler::see(const std::vector<Sampled>& processes) {
  if (!phase_) return;
  std::vector<Sampled> fresh;
  for (const Sampled& process : processes) {
    if (is_target(process.target) && seen_.emplace(process.pid, process.target).second)
      fresh.push_back(process);
  }
  if (!fresh.empty() && ability_.on_cpu) recorder_.add(*phase_, fresh);
}

void Profiler::end_phase() {
  if (!phase_) return;
  recorder_.end();
  probes_.end_phase();
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
  const config::Profiling& profiling = config_.profiling;
  attempt([this] { end_phase(); });
  if (ability_.on_cpu) attempt([this] { read_recordings(); });
  if (samples_within_) attempt([this] { read_samples(); });
  if (profiling.heap()) attempt([this] { read_heaps(); });
  add_new(report_.notes, probes_.notes());
  if (profiling.contention()) attempt([this] { analyse_contention_in_all(); });
  if (!profiling.flame()) profile_ = Profile();  // taken for contention alone
  if (profiling.flame() && (ability_.on_cpu || samples_within_))
    attempt([this, &report] { note_missing(), analyse_all(), mark_broken_off(report); });
  if (extras_.baseline && !profile_.empty()) attempt([this] { compare_with_baseline(); });
  if (extras_.pyroscope_url && !profile_.empty()) attempt([this, &report] { push(report.name); });
  attempt([this, &report] { write(report); });
  ProfileReport shown = report_;
  shown.notes.clear();  // the run's notes have them
  report.profile_section = profile_section(shown, kProfileFolder) + diff_section_;
  attempt([&] { write_file(folder_ / kSectionFile, report.profile_section); });
  for (const std::string& each : report_.notes) report.notes.push_back(kNote + each);
  report.profile_lines = summary_lines(report_);
  report.profile_lines.insert(report.profile_lines.end(), diff_lines_.begin(), diff_lines_.end());
  report.profile_pages.insert(report.profile_pages.end(), pages_.begin(), pages_.end());
}

void Profiler::read_recordings() {
  for (const Recording& recording : recorder_.take()) {
    std::string failure = recording.failure;
    const double sec = seconds_between(recording.began_unix_us, recording.ended_unix_us);
    Taken& taken = taken_[recording.phase];
    if (taken.at_unix_us == 0) taken.at_unix_us = recording.began_unix_us;
    taken.duration_sec = std::max(taken.duration_sec, sec);
    taken.frequency_hz = config_.profiling.frequency_hz;
    if (recording.own_cpu_us) own_cpu_us_[recording.phase] += *recording.own_cpu_us;
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

void Profiler::read_samples() {
  for (const WorkerProbes::CpuFile& each : probes_.cpu_files()) {
    Taken& taken = taken_[each.phase];
    if (taken.at_unix_us == 0) taken.at_unix_us = each.began_unix_us;
    taken.duration_sec =
        std::max(taken.duration_sec, seconds_between(each.began_unix_us, each.ended_unix_us));
    try {
      const CpuSamples samples = read_cpu_samples(read_file(each.file));
      profile_.add(named(samples, each.phase, each.target, each.cpu_us));
      if (!samples.complete)
        report_.notes.push_back(
            fmt::format("{} breaks off: its worker was ended", each.file.filename().string()));
    } catch (const wire::Error& error) {
      report_.notes.push_back(fmt::format("nothing was sampled of {} in phase \"{}\": {}", each.target,
                                          each.phase, error.what()));
    }
  }
}

/// Each phase, and from the first one's beginning to the last one's end.
void Profiler::read_heaps() {
  using Files = WorkerProbes::HeapFiles;
  std::map<std::string, std::pair<const Files*, const Files*>> ends;  // by worker
  for (const Files& files : probes_.heap_files()) {
    add_heap(heap_, files.phase, files, files);
    auto& [first, last] = ends[files.worker];
    if (first == nullptr) first = &files;
    if (!files.end.empty()) last = &files;
  }
  for (const auto& [worker, files] : ends) {
    if (files.second != nullptr) add_heap(heap_of_all_, "", *files.first, *files.second);
  }
  report_.heap.by = "tcmalloc's heap profiler";
  report_.heap.phases = analyse_heap(heap_, extras_.functions_max, report_.heap.limits);
  report_.heap.all = analyse_heap(heap_of_all_, extras_.functions_max, report_.heap.limits);
}

void Profiler::add_heap(HeapBook& book, const std::string& phase, const WorkerProbes::HeapFiles& first,
                        const WorkerProbes::HeapFiles& last) {
  if (first.begin.empty() || last.end.empty()) return;  // noted when it did not come
  try {
    book.add(phase, first.target, read_heap_dump(read_file(first.begin)), read_heap_dump(read_file(last.end)),
             first.rss_begin_bytes, last.rss_end_bytes);
  } catch (const wire::Error& error) {
    add_new(report_.notes, {fmt::format("the heap of {} in phase \"{}\" is not known: {}", first.worker,
                                        first.phase, error.what())});
  }
}

void Profiler::analyse_contention_in_all() {
  const auto analysed = [this](const Profile& profile) {
    return analyse_contention(profile, modules_, extras_.functions_max);
  };
  for (const std::string& phase : profile_.phases())
    report_.contention.phases.emplace_back(phase, analysed(profile_.of_phase(phase)));
  report_.contention.all = analysed(profile_.of_phase(std::nullopt));
  locks_ = lock_stacks(profile_, modules_);
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
  report_.how.by = samples_within_ ? "gperftools' profiler within the workers" : "perf";
  if (samples_within_) report_.how.events = {"SIGPROF, at most once a tick of the kernel's"};
  if (!samples_within_) report_.how.frequency_hz = config_.profiling.frequency_hz;
  report_.how.unwinding = "frame pointers";
  double cpu_sec = 0, duration_sec = 0;  // of the phases of which perf's own part is known
  for (const auto& [phase, taken] : taken_) {
    PhaseAnalysis analysis;
    analysis.phase = phase;
    analysis.duration_sec = taken.duration_sec;
    analysis.targets = analyse(profile_.of_phase(phase), modules_, extras_.functions_max, report_.limits);
    if (const auto own = own_cpu_us_.find(phase); own != own_cpu_us_.end() && taken.duration_sec > 0) {
      analysis.profiler_cpu_sec = static_cast<double>(own->second) / 1e6;
      analysis.profiler_cpu_share = *analysis.profiler_cpu_sec / taken.duration_sec;
      cpu_sec += *analysis.profiler_cpu_sec;
      duration_sec += taken.duration_sec;
    }
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
  if (duration_sec <= 0) return;  // of a sampler within, what it took is part of the workers' own
  report_.profiler_cpu_sec = cpu_sec;
  report_.profiler_cpu_share = cpu_sec / duration_sec;
}

void Profiler::mark_broken_off(const measure::RunReport& report) {
  for (PhaseAnalysis& analysis : report_.phases) {
    analysis.broke_off = broke_off(report, analysis.phase);
    if (!analysis.broke_off.empty())
      report_.notes.push_back(
          fmt::format("phase \"{}\" {}: its stacks end there", analysis.phase, analysis.broke_off));
  }
}

void Profiler::write(const measure::RunReport& report) {
  write_profile_folder(folder_, report.name, profile_, report_, modules_, taken_);
  if (!profile_.empty()) pages_.emplace_back("flame.html");
  write_pages(report.name);
}

/// Of memory and of locks: the same page, with other stacks.
void Profiler::write_pages(const std::string& run_name) {
  std::map<std::string, std::string> says;
  if (!heap_.empty()) {
    const Profile profile = heap_.profile();
    for (const HeapTarget& target : report_.heap.all) says[target.target] = target.conclusion;
    write_file(folder_ / "heap.html", flame_page(profile, modules_, run_name + ": heap", says));
    pages_.emplace_back("heap.html");
    for (const std::string& phase : profile.phases())
      write_file(folder_ / (file_stem(phase) + ".heap.folded"),
                 folded_text(profile.of_phase(phase), Kind::in_use));
  }
  if (locks_.empty()) return;
  says.clear();
  for (const LockWaits& target : report_.contention.all) says[target.target] = target.conclusion;
  write_file(folder_ / "contention.html", flame_page(locks_, modules_, run_name + ": contention", says));
  pages_.emplace_back("contention.html");
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
