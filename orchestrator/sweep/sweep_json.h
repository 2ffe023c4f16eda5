#pragma once

#include <filesystem>
#include <string>

#include "orchestrator/sweep/sweep_report.h"

namespace walstorm::sweep {

inline constexpr const char* kSweepFile = "sweep.json";

/// The file's text: what was varied, what each cell showed, what each key did, and every run, from which a
/// sweep can go on.
[[nodiscard]] std::string sweep_json(const SweepReport& report);

/// The sweep that such a file holds. Throws Error{config} when there is none, or it is no sweep.json of this
/// version.
[[nodiscard]] SweepReport read_sweep(const std::filesystem::path& file);

}  // namespace walstorm::sweep
