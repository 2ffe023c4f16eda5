#include "orchestrator/measure/verdict.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>

#include "orchestrator/measure/ledger.h"

namespace walstorm::measure {
namespace {

/// A load shorter than this shows neither growth nor its absence.
constexpr double kLoadSecMin = 5;
constexpr double kTargetRatioMin = 0.99;
constexpr double kNotStartedShareMax = 0.01;
/// How much the lag's floor may rise over a window: half a second, or this share of a long window. 2.5 %
/// finds an overload of 5 % in a minute, the finest that a minute resolves (TRAPS, Measuring 7).
constexpr double kLagRiseSecMin = 0.5;
constexpr double kLagRiseShare = 0.025;
/// Below this share of what was produced, the acknowledged records of the second half fell short.
constexpr double kKeptUpRatio = 0.99;
constexpr double kDrainSecMin = 1;
constexpr double kDrainShare = 0.05;
constexpr double kLongDrainShare = 0.5;
/// The sink is blamed when all flushes were under way for at least this share of the load; or when records
/// waited mostly for a flush while the loop that starts them had time.
constexpr double kFlushesFullShareMin = 0.5;
constexpr double kLoopBusyMax = 0.8;

/// The evidence of one phase, gathered from the report.
class Judge final {
 public:
  Judge(const PhaseReport& phase, const PipeCourse& course) : phase_(phase), course_(course) {}

  Verdict verdict() {
    if (phase_.outcome == Outcome::failed || !is_clean(phase_.ledger)) return failed();
    if (phase_.producer.records == 0) return nothing_produced();
    const bool behind = fell_behind();
    const bool short_of_target = missed_schedule();
    if (behind) return falling_behind();
    if (short_of_target) return say(VerdictState::generator_limited, Bottleneck::producer);
    if (too_short() || had_errors() || drained_late() || catching_up() || !keeping_up_is_known()) {
      return say(VerdictState::marginal, Bottleneck::unknown);
    }
    return sustained();
  }

 private:
  void add(std::string figure, std::optional<double> value, std::optional<double> limit, std::string says) {
    evidence_.push_back({std::move(figure), value, limit, std::move(says)});
  }

  Verdict say(VerdictState state, Bottleneck bottleneck) {
    return {.state = state,
            .bottleneck = bottleneck,
            .capacity_estimate = {},
            .window_needed_sec = {},
            .evidence = std::move(evidence_),
            .try_next = {}};
  }

  Verdict failed() {
    const ChangeLedger& ledger = phase_.ledger;
    if (!is_clean(ledger)) {
      const auto missing =
          ledger.missing ? std::optional(static_cast<double>(*ledger.missing)) : std::nullopt;
      std::string wrong;
      if (ledger.missing.value_or(0) > 0) wrong += fmt::format(", {} missing", *ledger.missing);
      if (ledger.duplicated.value_or(0) > 0) wrong += fmt::format(", {} duplicated", *ledger.duplicated);
      if (ledger.checksum_matches == false) wrong += ", checksums differ";
      add("ledger.missing", missing, 0,
          fmt::format("the ledger is broken at the {}{}", ledger.broken_at, wrong));
    } else {
      add("outcome", {}, {}, "the phase did not run to its end");
    }
    return say(VerdictState::failed, Bottleneck::unknown);
  }

  Verdict nothing_produced() {
    if (missed_schedule()) return say(VerdictState::generator_limited, Bottleneck::producer);
    add("producer.records", 0, {}, "nothing was produced, so there is nothing to judge");
    return say(VerdictState::marginal, Bottleneck::unknown);
  }

  bool missed_schedule() {
    const auto ratio = phase_.producer.target_ratio;
    if (!ratio) return false;
    bool missed = false;
    if (*ratio < kTargetRatioMin) {
      add("producer.targetRatio", *ratio, kTargetRatioMin,
          fmt::format("only {:.1f} % of the records due were written", *ratio * 100));
      missed = true;
    }
    const auto not_started = static_cast<double>(phase_.producer.not_started.value_or(0));
    const double due = static_cast<double>(phase_.producer.records) + not_started;
    if (due > 0 && not_started > kNotStartedShareMax * due) {
      add("producer.notStarted", not_started, kNotStartedShareMax * due,
          fmt::format("{:.0f} records fell due and were never started", not_started));
      missed = true;
    }
    return missed;
  }

  bool fell_behind() {
    const double drain_sec = phase_.drain.duration_sec.value_or(0);
    if (phase_.drain.completed == false && phase_.outcome != Outcome::interrupted) {
      add("drain.completed", 0, 1,
          fmt::format("{:.1f} s after the load, records were still not acknowledged", drain_sec));
      return true;
    }
    const double long_drain = kDrainSecMin + kLongDrainShare * phase_.duration_sec + usual_lag_sec();
    if (drain_sec > long_drain) {
      add("drain.durationSec", drain_sec, long_drain,
          fmt::format("the drain took {:.1f} s after {:.1f} s of load", drain_sec, phase_.duration_sec));
      return true;
    }
    return !too_short_to_show_growth() && lag_grew();
  }

  /// The lag did not come back to its floor in the last third of the load.
  [[nodiscard]] bool lag_stayed_up() const {
    const auto& early = course_.lag_floor_early_sec;
    const auto& late = course_.lag_floor_late_sec;
    return early && late && *late > *early + lag_rise_sec_max();
  }

  [[nodiscard]] double lag_rise_sec_max() const {
    return std::max(kLagRiseSecMin, kLagRiseShare * phase_.duration_sec);
  }

  void add_lag_rise() {
    const double early = *course_.lag_floor_early_sec;
    const double late = *course_.lag_floor_late_sec;
    add("consumer.lagMs", late * 1000, (early + lag_rise_sec_max()) * 1000,
        fmt::format("records waited at least {:.1f} s in the last third of the load, {:.1f} s before", late,
                    early));
  }

  bool lag_grew() {
    const auto& produced = course_.produced_late_per_sec;
    const auto& acknowledged = course_.acknowledged_late_per_sec;
    if (!lag_stayed_up() || !produced || !acknowledged) return false;
    if (*acknowledged >= kKeptUpRatio * *produced) return false;
    add_lag_rise();
    add("consumer.throughput", *acknowledged, *produced,
        fmt::format("in the load's second half {:.0f}/s were acknowledged of {:.0f}/s produced",
                    *acknowledged, *produced));
    return true;
  }

  /// As many records were acknowledged as produced, but late: still catching up with something earlier.
  bool catching_up() {
    if (!lag_stayed_up()) return false;
    add_lag_rise();
    return true;
  }

  Verdict falling_behind() {
    Verdict verdict = say(VerdictState::falling_behind, Bottleneck::unknown);
    if (course_.acknowledged_late_per_sec.value_or(0) > 0) {
      verdict.capacity_estimate = course_.acknowledged_late_per_sec;
    }
    if (course_.flushes_full_share.value_or(0) >= kFlushesFullShareMin) {
      verdict.bottleneck = Bottleneck::sink;
      verdict.evidence.push_back({"consumer.flushMs.p50",
                                  phase_.consumer.flush_ms.p50,
                                  {},
                                  fmt::format("every flush allowed was under way in {:.0f} % of the Samples",
                                              *course_.flushes_full_share * 100)});
    } else if (waited_for_flushes()) {
      verdict.bottleneck = Bottleneck::sink;
      verdict.evidence.push_back({"consumer.queueMs.mean", phase_.consumer.queue_ms.mean,
                                  phase_.consumer.receive_ms.mean,
                                  "records waited longest for a flush to start, while the loop had time"});
    }
    return verdict;
  }

  [[nodiscard]] bool waited_for_flushes() const {
    const ConsumerReport& consumer = phase_.consumer;
    if (!consumer.queue_ms.mean || !consumer.loop_utilization_max) return false;
    if (*consumer.loop_utilization_max >= kLoopBusyMax) return false;
    const double other_ms =
        std::max(consumer.receive_ms.mean.value_or(0), consumer.flush_ms.mean.value_or(0));
    return *consumer.queue_ms.mean > other_ms;
  }

  [[nodiscard]] bool too_short_to_show_growth() const { return phase_.duration_sec < kLoadSecMin; }

  bool too_short() {
    if (!too_short_to_show_growth()) return false;
    add("durationSec", phase_.duration_sec, kLoadSecMin,
        fmt::format("{:.1f} s of load are too short to tell whether the pipe keeps up", phase_.duration_sec));
    return true;
  }

  bool had_errors() {
    const std::uint64_t errors = phase_.producer.errors + phase_.consumer.errors;
    if (errors == 0) return false;
    if (phase_.producer.errors > 0) {
      add("producer.errors", static_cast<double>(phase_.producer.errors), 0,
          fmt::format("{} transactions failed", phase_.producer.errors));
    }
    if (phase_.consumer.errors > 0) {
      add("consumer.errors", static_cast<double>(phase_.consumer.errors), 0,
          fmt::format("{} flushes failed, {} were tried again{}{}", phase_.consumer.errors,
                      phase_.consumer.retries,
                      phase_.consumer.flush_error_last.empty() ? "" : "; the last was answered: ",
                      phase_.consumer.flush_error_last));
    }
    return true;
  }

  bool drained_late() {
    const auto& drain = phase_.drain;
    if (drain.completed != true) {
      add("drain.completed", {}, 1, "the phase was not drained");
      return true;
    }
    const double limit = std::max(kDrainSecMin, kDrainShare * phase_.duration_sec) + usual_lag_sec();
    if (drain.duration_sec.value_or(0) <= limit) return false;
    add("drain.durationSec", drain.duration_sec, limit,
        fmt::format("the drain took {:.1f} s", *drain.duration_sec));
    return true;
  }

  bool keeping_up_is_known() {
    if (course_.lag_floor_early_sec && course_.lag_floor_late_sec) return true;
    add("consumer.throughput", {}, {}, "too few Samples came to tell whether the pipe kept up");
    return false;
  }

  Verdict sustained() {
    if (const auto ratio = phase_.producer.target_ratio) {
      add("producer.targetRatio", *ratio, kTargetRatioMin,
          fmt::format("{:.1f} % of the records due were written", *ratio * 100));
    }
    add("consumer.lagMs.p99", phase_.consumer.lag_ms.p99, {}, "the lag came back to its floor");
    add("drain.durationSec", phase_.drain.duration_sec,
        std::max(kDrainSecMin, kDrainShare * phase_.duration_sec) + usual_lag_sec(),
        fmt::format("drained in {:.3f} s", *phase_.drain.duration_sec));
    return say(VerdictState::sustained, Bottleneck::none);
  }

  /// A drain lasts as long as the lag even of a pipe that keeps up.
  [[nodiscard]] double usual_lag_sec() const { return phase_.consumer.lag_ms.p50.value_or(0) / 1000; }

  const PhaseReport& phase_;
  const PipeCourse& course_;
  std::vector<Evidence> evidence_;
};

}  // namespace

Verdict judge(const PhaseReport& phase, const PipeCourse& course) {
  return Judge(phase, course).verdict();
}

}  // namespace walstorm::measure
