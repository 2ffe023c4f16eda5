#pragma once

#include <cstdint>
#include <string>

#include "orchestrator/process/event_loop.h"

/// What a ledger must notice: landed rows that somebody changes behind its back. By inserts alone, which
/// every version of ClickHouse carries out at once (mutations of 18.16 are asynchronous, and it has no
/// lightweight DELETE).
namespace walstorm::tests {

/// The rows of one run.
struct LandedRun {
  std::string url;    ///< of the server
  std::string table;  ///< as in a statement
  std::uint64_t run_number = 0;
};

/// The id of a live row: the `nth` in their order.
[[nodiscard]] std::string landed_id(process::EventLoop& loop, const LandedRun& run, std::uint64_t nth = 0);

/// One value of the row becomes `expression`, its row_hash stays: only a look at the contents finds out.
void alter_landed_value(process::EventLoop& loop, const LandedRun& run, const std::string& id,
                        const std::string& column = "payload",
                        const std::string& expression = "concat(payload, '!')");

/// The row is there no more.
void drop_landed_row(process::EventLoop& loop, const LandedRun& run, const std::string& id);

/// The row is there twice under FINAL too: the second differs in created_at, by a millisecond, and so in the
/// sorting key.
void land_row_twice(process::EventLoop& loop, const LandedRun& run, const std::string& id);

}  // namespace walstorm::tests
