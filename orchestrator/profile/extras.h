#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace walstorm::profile {

/// What a run that profiles is asked for beside its config.
struct Extras {
  std::size_t functions_max = 25;                 ///< --top
  std::optional<std::filesystem::path> baseline;  ///< --baseline: a run folder to compare with
  std::optional<std::string> pyroscope_url;       ///< --pyroscope
};

}  // namespace walstorm::profile
