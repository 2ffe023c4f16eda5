#pragma once

#include <filesystem>
#include <memory>

#include "orchestrator/config/config.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/target/target.h"

namespace walstorm::clickhouse {

/// The table task_runs, on a private server or the user's: there, of the shape that the consumer writes, with
/// its rows told from other runs' by `_run_id`. Leaves the server clean on every way out.
class ClickhouseTarget final : public target::Target {
 public:
  /// Private servers log into `log_dir`. `loop` outlives this.
  ClickhouseTarget(process::EventLoop& loop, config::Config config, std::filesystem::path log_dir);
  ~ClickhouseTarget() override;

  [[nodiscard]] std::string server_name() const override { return "ClickHouse"; }
  [[nodiscard]] std::optional<std::uint64_t> disk_bytes(
      const std::vector<config::PhasePlan>& plan) const override;
  void prepare(std::vector<std::string>& notes) override;
  [[nodiscard]] std::string version() const override;
  /// Url, table, format, compression, run number, ...
  void describe(proto::ConsumerSetup& setup) const override;
  /// When it is a private server, also one that serves other runs too.
  [[nodiscard]] std::optional<Process> process() const override;
  [[nodiscard]] std::string server_failure() const override;
  void give_up() override;
  /// Looks at the catalog alone.
  void count_parts(OnParts done) override;
  /// FINAL, _is_deleted = 0.
  [[nodiscard]] std::optional<wire::RowTally> tally_rows(std::uint64_t rows_expected,
                                                         int interrupts_tolerated) override;
  [[nodiscard]] std::optional<measure::RowTexts> read_rows(const std::vector<std::string>& ids,
                                                           int interrupts_tolerated) override;
  std::vector<std::string> release() override;

 private:
  struct Prepared;
  [[nodiscard]] std::optional<std::int64_t> server_pid() const;

  process::EventLoop& loop_;
  const config::Config config_;
  const std::filesystem::path log_dir_;
  std::unique_ptr<Prepared> prepared_;  // null before prepare(), and when that has thrown
};

}  // namespace walstorm::clickhouse
