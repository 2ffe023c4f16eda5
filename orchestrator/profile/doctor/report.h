#pragma once

#include <string>
#include <vector>

#include "orchestrator/profile/doctor/diagnosis.h"
#include "orchestrator/profile/doctor/thresholds.h"
#include "orchestrator/profile/doctor/window.h"

namespace walstorm::profile::doctor {

/// A worker in a phase, and what was made of it.
struct Examined {
  Watched watched;
  Diagnosis diagnosis;
  std::string broke_off = {};  ///< how its phase ended before its time; empty: it did not
};

/// A run's.
struct DoctorReport {
  std::vector<Examined> examined;  ///< by phase, in the run's order
  Thresholds limits;
};

}  // namespace walstorm::profile::doctor
