#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "proto/wire/clock.h"
#include "proto/wire/clock_offset.h"

namespace walstorm::postgres {

/// How far `clock`'s wall clock is ahead of that of the PostgreSQL server which the libpq connection string
/// `conninfo` names.
///
/// Opens an ordinary connection for it and closes it again, so that nothing of ours stays on the server while
/// a load is on. Blocks, for `timeout` at most, the look-up of a host's name included. nullopt when there
/// is no answer by then, or no server: a figure that could not be measured, never an error.
[[nodiscard]] std::optional<wire::ClockOffset> compare_clocks(const std::string& conninfo,
                                                              const wire::Clock& clock,
                                                              std::chrono::milliseconds timeout);

}  // namespace walstorm::postgres
