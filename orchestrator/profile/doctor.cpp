#include "orchestrator/profile/doctor.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/broke_off.h"
#include "orchestrator/profile/doctor/show/doctor_text.h"
#include "orchestrator/profile/profile_folder.h"
#include "proto/wire/error.h"
#include "proto/wire/version.h"

namespace walstorm::profile {
namespace {

using nlohmann::ordered_json;

constexpr const char* kProfileFile = "profile.json";
constexpr const char* kDoctorFile = "doctor.html";
constexpr const char* kScheduler =
    "the kernel does not tell how long a thread waits for a CPU (no schedstat in /proc)";

std::int64_t steady_now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

/// What a consumer may have under way and hold; batches alone are what stops its reader.
doctor::Allowed allowed_by(const config::Consumer& consumer) {
  return {static_cast<double>(consumer.max_flush_concurrency),
          static_cast<double>(config::buffered_bytes_max(consumer) - config::streamed_bytes_max(consumer))};
}

/// What the profiler wrote, or the beginning of one.
ordered_json profile_so_far(const std::filesystem::path& file) {
  std::error_code unknown;
  if (std::filesystem::exists(file, unknown)) {
    ordered_json document = ordered_json::parse(read_file(file), nullptr, false);
    if (document.is_object()) return document;
  }
  return {{"version", 1}, {"tool", {{"version", wire::kToolVersion}, {"gitRevision", wire::kGitRevision}}}};
}

}  // namespace

Doctor::Doctor(const config::Config& config, const std::filesystem::path& run_folder)
    : allowed_(allowed_by(config.consumer)), folder_(run_folder / kProfileFolder) {}

void Doctor::begin_phase(const std::string& phase, const std::vector<Patient>& patients) {
  phase_ = phase;
  watches_.clear();
  order_.clear();
  for (const Patient& patient : patients) {
    order_.push_back(patient.worker);
    const bool is_consumer = patient.role == doctor::Role::consumer;
    watches_.emplace(patient.worker,
                     Watch{patient, doctor::WindowFold(is_consumer ? allowed_ : doctor::Allowed{})});
  }
}

void Doctor::take(const std::string& worker, const proto::MetricsFrame& frame) {
  const auto found = watches_.find(worker);
  if (found == watches_.end()) return;
  try {
    if (frame.has_phase_ready()) {
      doctor::Reading reading;
      reading.taken_us = frame.phase_ready().at_unix_us();
      take_reading(found->second, std::move(reading));
    } else if (frame.has_sample()) {
      take_reading(found->second, doctor::reading_of(frame.sample()));
    } else if (frame.has_phase_result()) {
      take_reading(found->second, doctor::reading_of(frame.phase_result()));
    }
  } catch (const wire::Error& error) {
    note(fmt::format("{} told something of its loop that cannot be: {}", worker, error.what()));
  }
}

/// The first one is where the phase begins.
void Doctor::take_reading(Watch& watch, doctor::Reading reading) {
  reading.at_us = steady_now_us();
  if (watch.patient.pid) reading.process = process::read_proc_activity(*watch.patient.pid);
  if (watch.fold.begun()) {
    watch.fold.take(reading);
  } else {
    watch.fold.begin(reading);
  }
}

void Doctor::end_phase() {
  for (const std::string& worker : order_) {
    Watch& watch = watches_.at(worker);
    note_missing(watch);
    doctor::Watched watched{worker, watch.patient.role, phase_, watch.fold.windows()};
    doctor::Diagnosis diagnosis = doctor::diagnose(watched, report_.limits);
    report_.examined.push_back({std::move(watched), std::move(diagnosis)});
  }
  watches_.clear();
  order_.clear();
}

void Doctor::note(const std::string& what) {
  if (std::find(notes_.begin(), notes_.end(), what) == notes_.end()) notes_.push_back(what);
}

void Doctor::note_missing(const Watch& watch) {
  const auto& windows = watch.fold.windows();
  if (windows.empty()) return;
  const doctor::Window& last = windows.back();
  if (!watch.patient.pid) {
    note(fmt::format("{} is on another machine: its CPU, switches, faults and memory are not seen from here",
                     watch.patient.worker));
  } else if (last.cpu_share && !last.run_queue_share) {
    note(fmt::format("{}: \"scheduler-starved\" cannot be told from \"healthy\"", kScheduler));
  }
}

void Doctor::conclude(measure::RunReport& report) {
  end_phase();
  const auto attempt = [this](const auto& step) {
    try {
      step();
    } catch (const std::exception& error) {
      note(error.what());
    }
  };
  for (doctor::Examined& each : report_.examined) each.broke_off = broke_off(report, each.watched.phase);
  const std::string section = doctor::doctor_section(report_, kProfileFolder);
  attempt([&] {
    std::error_code told_when_written;
    std::filesystem::create_directories(folder_, told_when_written);
    ordered_json profile = profile_so_far(folder_ / kProfileFile);
    profile["doctor"] = doctor::doctor_json(report_);
    write_file(folder_ / kProfileFile,
               profile.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
    write_file(folder_ / kDoctorFile, doctor::doctor_page(report_, report.name + ": doctor"));
    report.profile_pages.emplace_back(kDoctorFile);
  });
  report.profile_section += section;
  attempt([&] { write_file(folder_ / kSectionFile, report.profile_section); });
  for (const std::string& each : notes_) report.notes.push_back("doctor: " + each);
  for (std::string& line : doctor::doctor_lines(report_)) report.profile_lines.push_back(std::move(line));
}

std::vector<config::Finding> judge_doctor_ability(const std::optional<process::ProcActivity>& own) {
  using config::Level;
  std::vector<config::Finding> findings;
  if (!own) {
    return {{Level::warning, "/proc",
             "cannot be read: CPU, waits, switches, faults and memory of the workers stay unknown",
             "mount /proc; the workers' own figures are there without it"}};
  }
  findings.push_back({Level::ok, "/proc", "tells CPU time, page faults and memory", ""});
  if (own->run_queue_us) {
    findings.push_back({Level::ok, "schedstat", "tells how long a worker waits for a CPU", ""});
  } else {
    findings.push_back({Level::warning, "schedstat",
                        std::string(kScheduler) + ": nothing is called scheduler-starved",
                        "run on a kernel that is built with CONFIG_SCHED_INFO, not in a sandbox that "
                        "stands in for /proc (gVisor)"});
  }
  if (own->voluntary_switches && own->involuntary_switches) {
    findings.push_back({Level::ok, "switches", "are counted, voluntary and involuntary", ""});
  } else {
    findings.push_back({Level::note, "switches", "are not counted in /proc/PID/status", ""});
  }
  return findings;
}

}  // namespace walstorm::profile
