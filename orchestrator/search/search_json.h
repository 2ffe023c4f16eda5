#pragma once

#include <filesystem>
#include <string>

#include "orchestrator/search/search_report.h"

namespace walstorm::search {

inline constexpr const char* kSearchFile = "search.json";

/// The file's text: what was asked, both ends of the bracket, why it stopped, and every trial, from which a
/// search can go on.
[[nodiscard]] std::string search_json(const SearchReport& report);

/// The search that such a file holds. Throws Error{config} when there is none, or it is no search.json of
/// this version.
[[nodiscard]] SearchReport read_search(const std::filesystem::path& file);

}  // namespace walstorm::search
