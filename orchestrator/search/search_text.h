#pragma once

#include <cstddef>
#include <string>

#include "orchestrator/config/config.h"
#include "orchestrator/search/search_report.h"

/// A search in words, for the terminal and for search.md.
namespace walstorm::search {

/// While it goes on: "trying 12,500/s (trial 4); passes up to 10,000/s, fails from 15,000/s; about 2 min
/// left".
[[nodiscard]] std::string progress_text(const SearchReport& report, double value, std::size_t trials_left,
                                        double trial_sec);

/// "a first look, without a target: wrote 61,020/s, landed 9,950/s".
[[nodiscard]] std::string unthrottled_line(const trial::Trial& trial);

/// What came of a trial: "trial 4: 12,500/s passes (sustained): landed 12,498/s, lag p50 12 ms p99 41 ms".
[[nodiscard]] std::string trial_line(const SearchReport& report, std::size_t index);

/// The answer, the table of trials, the curve of latency over rate, and where the files are.
[[nodiscard]] std::string search_text(const SearchReport& report, const std::string& folder, bool colour);

[[nodiscard]] std::string search_md(const SearchReport& report);

}  // namespace walstorm::search
