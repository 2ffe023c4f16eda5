#pragma once

#include <fmt/format.h>
#include <string>

#include <nlohmann/json.hpp>

#include "orchestrator/trial/trial.h"
#include "proto/wire/error.h"

namespace walstorm::report {

/// A trial as search.json and sweep.json have it.
[[nodiscard]] nlohmann::ordered_json to_json(const trial::Trial& trial);
/// The same trial again. Throws nlohmann's exceptions for what was not written by to_json.
[[nodiscard]] trial::Trial trial_from_json(const nlohmann::ordered_json& json);

/// The value of T whose text, by measure::to_string, is `text`; throws Error{data} when none is.
template <typename T>
[[nodiscard]] T named(const std::string& text, T last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (to_string(static_cast<T>(i)) == text) return static_cast<T>(i);
  }
  throw wire::Error(wire::ErrorKind::data, fmt::format("\"{}\" is none of the words that stand there", text));
}

}  // namespace walstorm::report
