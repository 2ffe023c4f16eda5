#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/profile/doctor/report.h"

namespace walstorm::profile::doctor {

/// The section of report.md, "## Doctor" and what is below it; `folder` is where the page is.
[[nodiscard]] std::string doctor_section(const DoctorReport& report, const std::string& folder);

/// A few lines for the run's summary: those who are not healthy.
[[nodiscard]] std::vector<std::string> doctor_lines(const DoctorReport& report);

/// What profile.json has at "doctor", and the page draws.
[[nodiscard]] nlohmann::ordered_json doctor_json(const DoctorReport& report);

/// A page that shows it from the file system, without any network.
[[nodiscard]] std::string doctor_page(const DoctorReport& report, const std::string& title);

/// doctor.html, embedded at build time.
extern const char* const kDoctorPage;

}  // namespace walstorm::profile::doctor
