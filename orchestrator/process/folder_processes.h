#pragma once

#include <chrono>
#include <filesystem>

namespace walstorm::process {

/// Ends the servers that live in a private folder, and waits until they are gone: PostgreSQL by an immediate
/// shutdown, which also gives back its shared memory, what does not follow that within a few seconds, and
/// everything else, by SIGKILL. Those of another user than the folder's are left alone, whatever their
/// arguments say.
///
/// A private server is told to go when its maker does (PR_SET_PDEATHSIG), but it takes its time, and the
/// kernel drops the order for a program with capabilities of its own, as ClickHouse's packages make theirs
/// (prctl(2)). Returns false when one is still there after `timeout`.
[[nodiscard]] bool end_processes_of(const std::filesystem::path& folder, std::chrono::milliseconds timeout);

}  // namespace walstorm::process
