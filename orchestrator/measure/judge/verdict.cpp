#include "orchestrator/measure/judge/verdict.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "orchestrator/measure/judge/backlog_trend.h"
#include "orchestrator/measure/judge/bottleneck.h"
#include "orchestrator/measure/judge/load_evidence.h"
#include "orchestrator/measure/ledger/ledger.h"
#include "orchestrator/text/format.h"

namespace walstorm::measure {
namespace {

/// A load shorter than this shows neither growth nor its absence.
constexpr double kLoadSecMin = 5;
/// Fewer show a chance, not a pipe that keeps up.
constexpr std::uint64_t kTransactionsMin = 10;
constexpr double kTargetRatioMin = 0.99;
constexpr double kNotStartedShareMax = 0.01;
/// A lag that is this much lower at the end than shortly before is coming down: a stall that is being made
/// up for, not growth.
constexpr double kComingDown = 0.8;
/// Of a ramp, the end waited so much longer than whatever came before it.
constexpr double kRampRiseSec = 0.3;
constexpr double kDrainSecMin = 1;
constexpr double kDrainShare = 0.05;
constexpr double kLongDrainShare = 0.5;
/// A standstill is no stall where records always take about that long.
constexpr double kStallPerLag = 2;
/// Near its limit a pipe that keeps up may end with what noise adds; twice what a rise is, it does not.
constexpr double kClosePerRise = 2;
/// Less is how flushes happen to fall; of a sink that takes its records in rounds the lag's median is half a
/// round.
constexpr double kStandstillSecMin = 5;
constexpr double kStandstillPerUsualLag = 3;
/// A minute tells an overload of 5 %; noise adds up with the square root of the time, so half of it takes
/// four times as long.
constexpr double kTellingSec = 60;
constexpr double kTellingOverload = 0.05;
constexpr double kTellingSecMax = 3600;

/// The evidence of one phase, gathered from the report.
class Judge final {
 public:
  Judge(const PhaseReport& phase, const PipeSettings& settings)
      : phase_(phase),
        backlog_(phase.backlog),
        settings_(settings),
        load_sec_(phase.duration_sec.value_or(0)) {}

  Verdict verdict() {
    if (phase_.outcome == Outcome::failed || !is_clean(phase_.ledger)) return failed();
    if (phase_.producer.records == 0) return nothing_produced();
    if (stood_still()) return say(VerdictState::stalled, pipe_blame());
    const bool behind = fell_behind();
    const bool short_of_target = missed_schedule();
    if (behind) return falling_behind();
    if (short_of_target) return say(VerdictState::generator_limited, blame_generator(phase_, settings_));
    if (too_short() || too_few() || had_errors() || drained_late() || did_not_return() || ended_waiting() ||
        !keeping_up_is_known()) {
      return marginal();
    }
    return sustained();
  }

 private:
  void add(std::string figure, std::optional<double> value, std::optional<double> limit, std::string says) {
    evidence_.push_back({std::move(figure), value, limit, std::move(says)});
  }

  Verdict say(VerdictState state, Blame blame) {
    Verdict verdict;
    verdict.state = state;
    verdict.bottleneck = blame.bottleneck;
    verdict.evidence = std::move(evidence_);
    verdict.evidence.insert(verdict.evidence.end(), blame.evidence.begin(), blame.evidence.end());
    verdict.try_next = std::move(blame.try_next);
    return verdict;
  }

  [[nodiscard]] Blame pipe_blame() const { return blame_pipe(phase_, settings_); }

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
    return say(VerdictState::failed, Blame{});
  }

  Verdict nothing_produced() {
    if (missed_schedule()) return say(VerdictState::generator_limited, blame_generator(phase_, settings_));
    add("producer.records", 0, {}, "nothing was produced, so there is nothing to judge");
    return say(VerdictState::marginal, {});
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

  bool stood_still() {
    if (!backlog_.standstill) return false;
    const Standstill& still = *backlog_.standstill;
    double limit = stall_sec(load_sec_, still.to_the_end);
    if (phase_.consumer.records > 0) {
      limit = std::max(limit, kStallPerLag * phase_.consumer.lag_ms.min.value_or(0) / 1000);
    }
    if (still.seconds() < limit) return false;
    add("consumer.throughputPerSec.min", phase_.consumer.throughput_per_sec.min, {},
        still.to_the_end
            ? fmt::format("nothing was acknowledged from second {:.0f} to the end of the load, while {:.0f} "
                          "records waited",
                          still.from_sec, still.waiting)
            : fmt::format("nothing was acknowledged from second {:.0f} to {:.0f} of the load's {:.0f}, while "
                          "{:.0f} records waited",
                          still.from_sec, still.to_sec, load_sec_, still.waiting));
    return true;
  }

  bool fell_behind() {
    const double drain_sec = phase_.drain.duration_sec.value_or(0);
    if (phase_.drain.completed == false && phase_.outcome != Outcome::interrupted) {
      add("drain.completed", 0, 1,
          fmt::format("{:.1f} s after the load, records were still not acknowledged", drain_sec));
      return true;
    }
    const double long_drain = kDrainSecMin + kLongDrainShare * load_sec_ + usual_lag_sec();
    if (drain_sec > long_drain) {
      add("drain.durationSec", drain_sec, long_drain,
          fmt::format("the drain took {:.1f} s after {:.1f} s of load", drain_sec, load_sec_));
      return true;
    }
    return !too_short_to_show_growth() && (rises() ? ramp_outran_the_pipe() : lag_grew());
  }

  /// The least lag of the last third; of a rising ramp at its end alone, where there is most to do.
  [[nodiscard]] std::optional<double> came_back_to_sec() const {
    return rises() ? backlog_.lag_end_sec : backlog_.lag_return_sec;
  }
  [[nodiscard]] bool rises() const {
    const auto* ramp = std::get_if<config::RampLoad>(&phase_.target);
    return ramp != nullptr && ramp->to > ramp->from;
  }

  /// It ended higher than it began, did not come back in the last third, and was not coming down.
  bool lag_grew() {
    const auto& early = backlog_.lag_early_sec;
    const auto& back = backlog_.lag_return_sec;
    const auto& before = backlog_.lag_before_end_sec;
    const auto& end = backlog_.lag_end_sec;
    if (!early || !end || *end - *early <= lag_rise_sec(load_sec_)) return false;
    if (!back || *back <= *early + lag_margin_sec(load_sec_)) return false;
    if (before && *end - *early < kComingDown * (*before - *early)) return false;
    add("course.lagEndSec", *end, *early + lag_rise_sec(load_sec_),
        fmt::format("records waited at least {:.2g} s at the end of the load, {:.2g} s in its first half",
                    *end, *early));
    add_saturated_rate();
    return true;
  }

  /// A ramp goes beyond the pipe for its last part only, so its lag has little time to grow: it shows in that
  /// the last two stretches waited longer than any of the first 70 %, and the last one longest.
  bool ramp_outran_the_pipe() {
    const auto& high = backlog_.lag_high_sec;
    const auto& before = backlog_.lag_before_last_sec;
    const auto& last = backlog_.lag_last_sec;
    if (!high || !before || !last) return false;
    if (*last <= *high + kRampRiseSec || *before <= *high || *last <= *before) return false;
    add("course.lagLastSec", *last, *high + kRampRiseSec,
        fmt::format("records waited at least {:.2g} s at the end of the ramp, and still rising; {:.2g} s was "
                    "the most before its last third",
                    *last, *high));
    add_saturated_rate();
    return true;
  }

  void add_saturated_rate() {
    if (backlog_.acknowledged_per_sec && backlog_.produced_per_sec) {
      add("course.acknowledgedPerSec", backlog_.acknowledged_per_sec, backlog_.produced_per_sec,
          fmt::format(
              "from second {:.0f} on, when it had more than it could take, {} were acknowledged of {} "
              "produced",
              *backlog_.saturated_from_sec, text::rate_text(backlog_.acknowledged_per_sec),
              text::rate_text(backlog_.produced_per_sec)));
    }
  }

  /// The lag neither came back to its floor nor grew enough to say why.
  bool did_not_return() {
    const auto& floor = backlog_.lag_floor_sec;
    const auto back = came_back_to_sec();
    if (!floor || !back) return false;
    const double limit = *floor + lag_margin_sec(load_sec_);
    if (*back <= limit) return false;
    add(rises() ? "course.lagEndSec" : "course.lagReturnSec", *back, limit,
        fmt::format("records waited at least {:.2g} s towards the end of the load, where {:.2g} s is the "
                    "least this pipe showed",
                    *back, *floor));
    window_needed_sec_ = window_that_tells(*back - *floor);
    lagged_ = true;
    return true;
  }

  /// It had come back, and then did not keep up to the load's end: it stood still there, or the records of
  /// its last seconds waited longer than a stall that is being made up for explains.
  bool ended_waiting() {
    bool waited = false;
    if (is_worth_telling(backlog_.standstill) && backlog_.standstill->to_the_end) {
      const Standstill& still = *backlog_.standstill;
      add("course.standstill.fromSec", still.from_sec, {},
          fmt::format(
              "nothing was acknowledged from second {:.0f} to the end of the load, while {:.0f} records "
              "waited",
              still.from_sec, still.waiting));
      waited = true;
    }
    const auto& floor = backlog_.lag_floor_sec;
    const auto& close = backlog_.lag_close_sec;
    const double limit = floor.value_or(0) + kClosePerRise * lag_rise_sec(load_sec_);
    if (floor && close && *close > limit) {
      add("course.lagCloseSec", *close, limit,
          fmt::format(
              "records waited at least {:.2g} s in the last seconds of the load, where {:.2g} s is the "
              "least this pipe showed",
              *close, *floor));
      waited = true;
    }
    if (!waited) return false;
    window_needed_sec_ = std::clamp(2 * load_sec_, kTellingSec, kTellingSecMax);
    lagged_ = true;
    return true;
  }

  [[nodiscard]] bool is_worth_telling(const std::optional<Standstill>& still) const {
    return still && still->seconds() >= std::max(kStandstillSecMin, kStandstillPerUsualLag * usual_lag_sec());
  }

  /// As long as the lag would take to come back at the rate it comes down, or a drift of its size to be told
  /// from noise. Nothing after a load so long that a longer one would hardly tell more.
  [[nodiscard]] std::optional<double> window_that_tells(double excess_sec) const {
    if (2 * load_sec_ > kTellingSecMax) return std::nullopt;
    const double end_sec = backlog_.lag_end_sec.value_or(0);
    const double comes_down_sec = backlog_.lag_before_end_sec.value_or(end_sec) - end_sec;
    double needed_sec = 0;
    if (comes_down_sec > 0) {
      constexpr double kBetweenThem =
          0.25;  // of the load, from the middle of the one part to that of the other
      needed_sec = 1.5 * (load_sec_ + excess_sec * kBetweenThem * load_sec_ / comes_down_sec);
    } else {
      const double drift = excess_sec / load_sec_;
      needed_sec = kTellingSec * (kTellingOverload / drift) * (kTellingOverload / drift);
    }
    return std::clamp(needed_sec, 2 * load_sec_, kTellingSecMax);
  }

  Verdict falling_behind() {
    Verdict verdict = say(VerdictState::falling_behind, pipe_blame());
    // A drain that took long after a lag that came back says nothing of a rate.
    if (backlog_.acknowledged_per_sec.value_or(0) > 0)
      verdict.capacity_estimate = backlog_.acknowledged_per_sec;
    return verdict;
  }

  Verdict marginal() {
    Verdict verdict = say(VerdictState::marginal, lagged_ ? pipe_blame() : Blame{Bottleneck::none, {}, {}});
    verdict.window_needed_sec = window_needed_sec_;
    return verdict;
  }

  [[nodiscard]] bool too_short_to_show_growth() const { return load_sec_ < kLoadSecMin; }

  bool too_short() {
    if (!too_short_to_show_growth()) return false;
    add("durationSec", load_sec_, kLoadSecMin,
        fmt::format("{:.1f} s of load are too short to tell whether the pipe keeps up", load_sec_));
    window_needed_sec_ = kTellingSec;
    return true;
  }

  bool too_few() {
    const std::uint64_t transactions = phase_.producer.transactions;
    if (transactions >= kTransactionsMin) return false;
    add("producer.transactions", static_cast<double>(transactions), static_cast<double>(kTransactionsMin),
        fmt::format("{} {} to tell whether the pipe keeps up", transactions,
                    transactions == 1 ? "transaction is too little" : "transactions are too few"));
    const double of_enough = load_sec_ * static_cast<double>(kTransactionsMin) /
                             static_cast<double>(std::max<std::uint64_t>(transactions, 1));
    window_needed_sec_ = std::clamp(of_enough, kTellingSec, kTellingSecMax);
    return true;
  }

  bool had_errors() {
    const std::uint64_t errors = phase_.producer.errors + phase_.consumer.errors;
    if (errors == 0) return false;
    if (const auto rolled_back = roll_backs(phase_)) evidence_.push_back(*rolled_back);
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
    const double limit = drain_sec_max();
    if (drain.duration_sec.value_or(0) <= limit) return false;
    add("drain.durationSec", drain.duration_sec, limit,
        fmt::format("the drain took {:.1f} s", *drain.duration_sec));
    window_needed_sec_ = 2 * std::max(load_sec_, kTellingSec / 2);
    lagged_ = true;
    return true;
  }

  bool keeping_up_is_known() {
    if (backlog_.lag_floor_sec && backlog_.lag_return_sec) return true;
    add("consumer.throughput", {}, {}, "too few Samples came to tell whether the pipe kept up");
    window_needed_sec_ = std::max(kTellingSec, 2 * load_sec_);
    return false;
  }

  Verdict sustained() {
    if (const auto ratio = phase_.producer.target_ratio) {
      add("producer.targetRatio", *ratio, kTargetRatioMin,
          fmt::format("{:.1f} % of the records due were written", *ratio * 100));
    }
    if (const auto held = held_connection(phase_, settings_)) evidence_.push_back(*held);
    add("consumer.lagMs.p99", phase_.consumer.lag_ms.p99, {}, "the lag came back to its floor");
    if (const auto& still = backlog_.standstill; is_worth_telling(still)) {
      add("course.standstill.fromSec", still->from_sec, {},
          fmt::format("nothing was acknowledged from second {:.0f} to {:.0f}, which was made up for",
                      still->from_sec, still->to_sec));
    }
    add("drain.durationSec", phase_.drain.duration_sec, drain_sec_max(),
        fmt::format("drained in {:.3f} s", *phase_.drain.duration_sec));
    const bool throttled = phase_.producer.target_ratio.has_value();
    return say(VerdictState::sustained, throttled ? headroom(phase_) : blame_generator(phase_, settings_));
  }

  /// A drain lasts as long as the lag even of a pipe that keeps up.
  [[nodiscard]] double usual_lag_sec() const { return phase_.consumer.lag_ms.p50.value_or(0) / 1000; }
  [[nodiscard]] double drain_sec_max() const {
    return std::max(kDrainSecMin, kDrainShare * load_sec_) + usual_lag_sec();
  }

  const PhaseReport& phase_;
  const BacklogTrend& backlog_;
  const PipeSettings& settings_;
  const double load_sec_;
  std::vector<Evidence> evidence_;
  std::optional<double> window_needed_sec_;
  bool lagged_ = false;  // records waited, so that some part held the others up
};

}  // namespace

Verdict judge(const PhaseReport& phase, const PipeSettings& settings) {
  return Judge(phase, settings).verdict();
}

}  // namespace walstorm::measure
