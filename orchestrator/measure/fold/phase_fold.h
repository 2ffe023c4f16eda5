#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/measure/fold/consumer_fold.h"
#include "orchestrator/measure/fold/ladder_fold.h"
#include "orchestrator/measure/fold/pipe_totals.h"
#include "orchestrator/measure/fold/producer_fold.h"
#include "orchestrator/measure/fold/server_fold.h"
#include "orchestrator/measure/fold/usage_fold.h"
#include "orchestrator/measure/judge/backlog_trend.h"
#include "orchestrator/measure/judge/busy.h"
#include "orchestrator/measure/ledger/ledger.h"
#include "proto/metrics.pb.h"

namespace walstorm::measure {

/// What the phases before leave to the next one: PhaseFold::carry_over of the phase before.
struct CarryOver {
  /// Since the run began; nullopt once some producer's or consumer's account is not known.
  std::optional<wire::ChangeTally> produced = wire::ChangeTally{};
  std::optional<std::uint64_t> replayed = 0;
  /// Where each consumer's run_acknowledged stood.
  std::map<std::string, CountPoint> acknowledged;
  /// Where the head of the WAL was: a backlog of an earlier phase is as old as it is.
  HeadCurve head;
  /// The least lag of any phase: the pipe's floor, as far as it is known.
  std::optional<double> lag_floor_sec = {};
};

struct WorkerFacts {
  std::string name;  ///< "producer-0"
  std::optional<std::int64_t> pid;
};

/// What is known of a phase before it starts.
struct PhaseFacts {
  config::Phase phase;
  /// Records of the schedule when it is run to its end; nullopt for a "max" load.
  std::optional<std::uint64_t> expected_records;
  std::vector<WorkerFacts> producers, consumers;
  /// Of one consumer.
  std::optional<std::uint32_t> flush_concurrency_max;
  PipeSettings settings = {};
  bool own_clickhouse = false;  ///< a private one, whose process can be looked at
  CarryOver carry_over;
};

/// The parts of ClickHouse's table at one moment.
struct PartsSample {
  std::uint64_t active = 0;
  std::uint64_t created = 0;  ///< by inserts, since the table was made
};

/// Folds all that is observed of one phase, as it arrives, into its report.
///
/// Memory is bounded however long the phase. Workers' figures are cumulative, so a lost Sample costs
/// resolution and never a count. Clocks are the workers' own: on one host they are the same. Calls for a
/// worker that is not in the facts throw Error{internal}; figures that go backwards Error{protocol}.
class PhaseFold final {
 public:
  explicit PhaseFold(PhaseFacts facts);

  void ready(const std::string& worker, const proto::PhaseReady& ready);
  void sample(const std::string& worker, const proto::Sample& sample);
  void result(const std::string& worker, const proto::PhaseResult& result);
  /// Once a second.
  void ladder(const LadderSample& sample);
  /// Once a second.
  void server(const ServerLook& look);
  /// Once a second.
  void parts(const PartsSample& sample);
  /// Once a second for each process of "orchestrator", "postgres-walsender", "postgres-backends",
  /// "postgres-sampler" (what our own looking costs the server) and "clickhouse"; the workers account for
  /// themselves.
  void process(const ProcessSample& sample);
  /// Once a second.
  void machine(const MachineSample& sample);
  /// No producer starts anything any more: the planned end, or an earlier one.
  void load_ended(std::int64_t at_unix_us);
  void drain_ended(bool completed, double duration_sec);
  /// Nothing was looked at in between: the orchestrator did not run. The workers' counts go on regardless.
  void stood_still(std::int64_t from_unix_us, std::int64_t to_unix_us);

  /// The second since the last call; call once a second, best a moment after the Samples are due.
  [[nodiscard]] Second close_second(std::int64_t now_unix_us);

  /// The phase's report. `outcome` as the run saw it; a ledger that is broken makes it failed.
  [[nodiscard]] PhaseReport settle(Outcome outcome) const;

  // While the phase runs (phase_live.cpp). Ledger, drain and verdict are not told before its end.

  /// All that the workers have counted, as of the moment up to which all of them have told; nullopt before
  /// that is after the load's start.
  [[nodiscard]] std::optional<PipeTotals> counted() const;
  [[nodiscard]] std::optional<std::int64_t> load_started() const;
  /// load_ended() was called.
  [[nodiscard]] bool load_is_over() const { return load_ended_unix_us_.has_value(); }
  /// The report of the phase up to counted().
  [[nodiscard]] PhaseReport so_far() const;
  /// The report of the stretch from `start`, totals that counted() gave earlier (or none, at the load's
  /// start), to counted(). Maxima and last readings are still those of the phase so far.
  [[nodiscard]] PhaseReport since(const PipeTotals& start) const;

  /// For the phase after this one.
  [[nodiscard]] CarryOver carry_over() const;
  /// The changes of the run up to this phase's end.
  [[nodiscard]] ChangeLedger run_ledger() const;
  /// Rows that should be live now; nullopt unless every producer gave its result.
  [[nodiscard]] std::optional<wire::RowTally> rows_expected() const;

 private:
  struct LoadWindow {
    double start_unix_us = 0, end_unix_us = 0;
    double share = 1;  // of the schedule's records that were due in it
    // Only up to where the workers have told, each by Samples of its own second: rates are then read off the
    // curves, which put them at one moment.
    bool is_live = false;

    [[nodiscard]] double middle_unix_us() const { return (start_unix_us + end_unix_us) / 2; }
    [[nodiscard]] double seconds() const { return (end_unix_us - start_unix_us) / 1e6; }
  };

  void look_at_flushes(const proto::ConsumerStats& stats, std::int64_t at_unix_us);
  void take_usage(const std::string& worker, std::int64_t at_unix_us, const proto::ProcessUsage& usage);
  template <typename Frame>
  void take_stats(const std::string& worker, const Frame& frame, bool is_result);
  [[nodiscard]] std::optional<double> close_target(std::int64_t load_started_unix_us);
  void add_rates(Second& second);
  void add_ladder(Second& second);
  [[nodiscard]] ConsumerRungs consumer_rungs() const;

  // phase_settle.cpp
  [[nodiscard]] std::optional<LoadWindow> load_window(Outcome outcome) const;
  [[nodiscard]] PipeTotals totals() const;
  [[nodiscard]] PhaseReport figures(const PipeTotals& totals, const std::optional<LoadWindow>& window,
                                    std::optional<double> records_due) const;
  [[nodiscard]] ProducerReport producer_report(const ProducerTotals& totals,
                                               const std::optional<LoadWindow>& window,
                                               std::optional<double> records_due) const;
  [[nodiscard]] ConsumerReport consumer_report(const ConsumerTotals& totals,
                                               const std::optional<LoadWindow>& window) const;
  [[nodiscard]] std::optional<std::uint64_t> censor(ProducerTotals& totals) const;
  [[nodiscard]] std::optional<std::uint64_t> censor(ConsumerTotals& totals) const;
  [[nodiscard]] std::vector<ProcessReport> process_reports(const std::optional<LoadWindow>& window) const;
  [[nodiscard]] ChangeSides phase_sides() const;
  [[nodiscard]] bool all_producers_done() const;
  [[nodiscard]] bool all_consumers_done() const;
  [[nodiscard]] std::uint64_t produced_records() const;
  [[nodiscard]] std::optional<std::uint64_t> cpu_us(const std::vector<WorkerFacts>& workers) const;
  [[nodiscard]] CountCurve produced_curve() const;
  [[nodiscard]] CountCurve acknowledged_curve() const;
  [[nodiscard]] CountCurve run_acknowledged_curve() const;
  [[nodiscard]] std::vector<std::string> notes() const;
  [[nodiscard]] std::string blind_note() const;

  // phase_live.cpp
  void add_waiting_batches(ProducerTotals& stretch) const;
  [[nodiscard]] std::optional<double> records_due_within(const LoadWindow& window) const;
  // phase_backlog.cpp
  [[nodiscard]] std::optional<double> sample_share(const CountCurve& counted, double from_unix_us,
                                                   double to_unix_us) const;
  void look_at_connections(double load_us, BusyReport& busy) const;
  [[nodiscard]] BusyReport busy_report(const PhaseReport& report,
                                       const std::optional<LoadWindow>& window) const;
  [[nodiscard]] BacklogTrend backlog_trend(const std::optional<LoadWindow>& window,
                                           const Distribution& flush_ms) const;
  [[nodiscard]] std::optional<double> lag_floor_sec() const;

  PhaseFacts facts_;
  std::map<std::string, ProducerFold> producers_;
  std::map<std::string, ConsumerFold> consumers_;
  std::vector<std::string> roles_;  // in the order of reports
  std::map<std::string, UsageFold> usage_;
  CountCurve machine_busy_us_, machine_all_us_;
  std::optional<std::int64_t> ready_unix_us_;  // the first worker's
  std::optional<std::int64_t> load_ended_unix_us_;
  DrainReport drain_;
  struct Blind {
    std::int64_t from_unix_us = 0, to_unix_us = 0;
  };
  std::vector<Blind> blind_;  // the first kBlindMax standstills of the orchestrator
  std::size_t blind_count_ = 0;
  double blind_sec_ = 0;
  LadderFold ladder_;
  ServerFold server_;
  double target_closed_sec_ = 0;  // up to where in the load the last second's target went
  std::optional<std::uint64_t> wal_behind_bytes_max_, wal_behind_bytes_end_;
  std::optional<PartsSample> parts_first_, parts_last_;
  std::uint64_t parts_active_max_ = 0;
  // Since the phase began: consumers' Samples while the load was on, the flushes that were under way in them,
  // and those among them with every flush under way.
  CountCurve samples_, flushes_seen_, samples_full_;
};

}  // namespace walstorm::measure
