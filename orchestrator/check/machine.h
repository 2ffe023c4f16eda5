#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "orchestrator/config/config.h"
#include "orchestrator/config/finding.h"

/// What a run needs of this machine. The judge_ functions are pure; the check_ functions look and then judge.
namespace walstorm::check {

/// `available`: bytes free on the disk of PostgreSQL's data; nullopt where nobody knows. `needed`: what the
/// plan writes at most (config::disk_bytes).
[[nodiscard]] config::Finding judge_disk(std::optional<std::uint64_t> available, std::uint64_t needed);

/// `perf`: where the program is, empty for nowhere. `paranoid`: /proc/sys/kernel/perf_event_paranoid.
[[nodiscard]] config::Finding judge_perf(const std::string& perf, std::optional<int> paranoid, bool is_root);

/// Whether a run's folder can be made in `folder`, which need not be there yet.
[[nodiscard]] config::Finding check_output_folder(const std::filesystem::path& folder);

/// Whether there is a folder for private servers, copied schemas and streamed transactions.
[[nodiscard]] config::Finding check_temporary_folder();

/// Whether the workers are beside the program that runs.
[[nodiscard]] config::Finding check_workers();

[[nodiscard]] config::Finding check_disk(const std::optional<std::filesystem::path>& data_folder,
                                         std::uint64_t needed);
[[nodiscard]] config::Finding check_perf();

}  // namespace walstorm::check
