#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/config/finding.h"
#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/process/proc_activity.h"
#include "orchestrator/profile/doctor/report.h"
#include "orchestrator/profile/doctor/window_fold.h"
#include "proto/metrics.pb.h"

namespace walstorm::profile {

/// A worker to examine; without a pid (it is on another machine) from inside alone.
struct Patient {
  std::string worker;  ///< "consumer-0"
  doctor::Role role = doctor::Role::consumer;
  std::optional<pid_t> pid;
};

/// Examines the workers of a run while a judged phase is on, its drain included: by /proc whenever one of its
/// frames comes, and by what the frame says of its loop; and writes what it finds. Nothing of it fails the
/// run; what is missing is a note. Lives on the loop.
class Doctor final {
 public:
  /// `run_folder` takes profile/.
  Doctor(const config::Config& config, const std::filesystem::path& run_folder);

  void begin_phase(const std::string& phase, const std::vector<Patient>& patients);
  /// A frame of the phase that is on; others are passed over.
  void take(const std::string& worker, const proto::MetricsFrame& frame);
  /// Does nothing when none is on.
  void end_phase();

  /// Adds "doctor" to profile/profile.json, writes doctor.html, and gives `report` its section, its lines and
  /// its notes. After the profiler, which writes the same files from the start. Never throws.
  void conclude(measure::RunReport& report);

 private:
  struct Watch {
    Patient patient;
    doctor::WindowFold fold;
  };

  void take_reading(Watch& watch, doctor::Reading reading);
  void note(const std::string& what);
  void note_missing(const Watch& watch);

  const doctor::Allowed allowed_;       // of a consumer
  const std::filesystem::path folder_;  // profile/
  std::string phase_;
  std::vector<std::string> order_;        // of the workers of the phase that is on
  std::map<std::string, Watch> watches_;  // by worker; empty: none is on
  doctor::DoctorReport report_;
  std::vector<std::string> notes_;
};

/// What of it can be read here, by this process's own: for `walstorm check`. Pure.
[[nodiscard]] std::vector<config::Finding> judge_doctor_ability(
    const std::optional<process::ProcActivity>& own);

}  // namespace walstorm::profile
