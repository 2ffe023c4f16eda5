#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/profile/doctor/thresholds.h"
#include "orchestrator/profile/doctor/window.h"

/// What a diagnosis says, in plain words.
namespace walstorm::profile::doctor {

struct Growth {
  double from_bytes = 0, to_bytes = 0, bytes_per_sec = 0;
};

/// What a diagnosis rests on.
struct Found {
  const Watched& watched;
  const Thresholds& limits;
  std::optional<Growth> growth;
  std::size_t windows = 0;  ///< that are in the category
};

/// "consumer-0 is cpu-bound: in 7 of 9 windows …".
[[nodiscard]] std::string sentence(const Found& found, Category category);
/// What to do about it: a sentence without its end.
[[nodiscard]] std::string next_step(Role role, Category category, const Thresholds& limits);
/// What is worth a look and no category of its own.
[[nodiscard]] std::vector<std::string> remarks(const Found& found, Category category);

}  // namespace walstorm::profile::doctor
