#pragma once

#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "proto/wire/error.h"

/// What search.json and sweep.json have in common: they say what was learnt, and a command goes on from them.
namespace walstorm::text {

/// Version, tool, name and times.
[[nodiscard]] nlohmann::ordered_json record_head(const std::string& name, std::int64_t started_at_unix_us,
                                                 std::int64_t ended_at_unix_us);

/// The file's JSON, of this version. Throws Error{config} when there is no such file, Error{data} when it is
/// no such JSON. `of`: "a sweep".
[[nodiscard]] nlohmann::ordered_json read_record_json(const std::filesystem::path& file,
                                                      const std::string& of);

/// What `parse` makes of the file. Throws Error{config} for a file that is not what `of` says.
template <typename Record>
[[nodiscard]] Record read_record(const std::filesystem::path& file, const std::string& of,
                                 const std::function<Record(const nlohmann::ordered_json&)>& parse) {
  const auto json = read_record_json(file, of);
  try {
    return parse(json);
  } catch (const std::exception& error) {
    throw wire::Error(wire::ErrorKind::config,
                      fmt::format("{}: is not the record of {}: {}", file.string(), of, error.what()));
  }
}

}  // namespace walstorm::text
