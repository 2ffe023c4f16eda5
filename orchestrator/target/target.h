#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/fold/phase_fold.h"
#include "orchestrator/measure/ledger/row_text.h"
#include "proto/control.pb.h"
#include "proto/wire/change_tally.h"

namespace walstorm::target {

/// Where one run's rows land, seen from the orchestrator: what it prepares there, tells the consumer of,
/// looks at, counts, and takes away. What a target cannot know is nullopt, never 0. Lives on the loop.
class Target {
 public:
  /// Of a server on this machine that is ours to look at.
  struct Process {
    std::string role;  ///< as in the report's processes[]
    std::int64_t pid;
  };
  using OnParts = std::function<void(const std::optional<measure::PartsSample>&)>;

  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  /// release(), if that was not done.
  virtual ~Target() = default;

  /// "ClickHouse"; empty where no server is behind it.
  [[nodiscard]] virtual std::string server_name() const = 0;

  /// What a run of `plan` will write to this machine's disk; nullopt when the rows go elsewhere.
  [[nodiscard]] virtual std::optional<std::uint64_t> disk_bytes(
      const std::vector<config::PhasePlan>& plan) const = 0;

  /// Does all that has to be done before a row can land, step by step; interruptible, and once. What the user
  /// should know goes to `notes`. Throws Error{unavailable or config} that names the step and what to do;
  /// nothing is left behind then. All below is for a target that was prepared.
  virtual void prepare(std::vector<std::string>& notes) = 0;

  /// Of the server: "18.16.1"; empty without one.
  [[nodiscard]] virtual std::string version() const = 0;

  /// Fills in what the consumer has to know of its sink.
  virtual void describe(proto::ConsumerSetup& setup) const = 0;

  /// nullopt: there is none, or it is elsewhere.
  [[nodiscard]] virtual std::optional<Process> process() const = 0;

  /// Why a server that walstorm started is gone; empty while it runs, and for one that is not ours.
  [[nodiscard]] virtual std::string server_failure() const = 0;

  /// The run has failed: no server is waited for any more.
  virtual void give_up() = 0;

  /// A look that costs the server next to nothing. `done` is called once, at once or later on the loop; not
  /// after release().
  virtual void count_parts(OnParts done) = 0;

  /// This run's live rows. Waits as long as some `rows_expected` may take to count, and for an answer only as
  /// long as a person does. nullopt: rows are not kept. Throws Error{unavailable} or process::Interrupted.
  [[nodiscard]] virtual std::optional<wire::RowTally> tally_rows(std::uint64_t rows_expected,
                                                                 int interrupts_tolerated) = 0;

  /// This run's live rows with these ids, by id. As tally_rows().
  [[nodiscard]] virtual std::optional<measure::RowTexts> read_rows(const std::vector<std::string>& ids,
                                                                   int interrupts_tolerated) = 0;

  /// Ends what was started for the run. Returns what could not be cleaned up, and how to.
  virtual std::vector<std::string> release() = 0;
};

}  // namespace walstorm::target
