#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/ledger/row_text.h"
#include "orchestrator/process/event_loop.h"
#include "proto/control.pb.h"
#include "proto/wire/change_tally.h"

namespace walstorm::clickhouse {

/// The parts of task_runs, by system.parts.
struct PartCounts {
  std::uint64_t active = 0;
  /// Grows by one for every part that an insert makes; 0 before the run's first.
  std::uint64_t block_number_max = 0;
};

/// The table that one run lands its rows in, on a private server or the user's: there, of the shape that the
/// consumer writes, with its rows told from other runs' by `_run_id`. Leaves the server clean on every way
/// out.
class PreparedTable final {
 public:
  /// Does it all, step by step; interruptible. What the user should know goes to `notes`. Private servers log
  /// into `log_dir`. Throws Error{unavailable or config} that names the step and what to do; nothing is left
  /// behind then.
  PreparedTable(process::EventLoop& loop, const config::Config& config, const std::filesystem::path& log_dir,
                std::vector<std::string>& notes);
  PreparedTable(const PreparedTable&) = delete;
  PreparedTable& operator=(const PreparedTable&) = delete;
  /// release(), if that was not done.
  ~PreparedTable();

  /// "18.16.1"
  [[nodiscard]] const std::string& version() const;
  /// Fills in what the consumer has to know of the sink: url, table, format, compression, run number, ...
  void describe(proto::ConsumerSetup& setup) const;
  /// Of the server process, when it is a private one.
  [[nodiscard]] std::optional<std::int64_t> server_pid() const;
  /// Why the private server is gone; empty while it runs, and for a server that is not ours.
  [[nodiscard]] std::string server_failure() const;

  /// The run has failed: no server is waited for any more.
  void give_up();

  /// Looks at the catalog alone; `done` follows on the loop, with nullopt when the server did not say.
  void count_parts(std::function<void(std::optional<PartCounts>)> done);

  /// This run's live rows: FINAL, _is_deleted = 0. Waits as long as some `rows_expected` may take to count,
  /// and for an answer only as long as a person does. Throws Error{unavailable} or process::Interrupted.
  [[nodiscard]] wire::RowTally tally_rows(std::uint64_t rows_expected, int interrupts_tolerated);

  /// This run's live rows with these ids, by id. As tally_rows().
  [[nodiscard]] measure::RowTexts read_rows(const std::vector<std::string>& ids, int interrupts_tolerated);

  /// Ends a private server. Returns what could not be cleaned up, and how to.
  std::vector<std::string> release();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace walstorm::clickhouse
