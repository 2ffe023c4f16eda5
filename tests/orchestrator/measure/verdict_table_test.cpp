// How often the verdict is right: pipes of known capacity, simulated a few hundred times in each cell. The
// table that this prints is the one that verdict.h speaks of.

#include <array>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <random>

#include "tests/orchestrator/measure/simulated_pipe.h"

namespace walstorm::measure::test {
namespace {

constexpr std::uint64_t kSeed = 20260131;
/// Few, so that many runs take little time: what is judged are times and shares.
constexpr double kRate = 400;

enum class Kind { plain, stalls, batches, noise, all };

constexpr std::array kKinds{std::pair{Kind::plain, "plain"}, std::pair{Kind::stalls, "stalls"},
                            std::pair{Kind::batches, "batches"}, std::pair{Kind::noise, "noise"},
                            std::pair{Kind::all, "all"}};

/// A pipe of its kind, drawn anew for each run: one sink stalls often and briefly, another seldom and long.
Roughness roughness_of(Kind kind, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto between = [&random](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  Roughness rough{.seed = seed};
  rough.sample_jitter_sec = 0.2;
  rough.sample_loss = 0.03;
  if (kind == Kind::stalls || kind == Kind::all) {
    rough.stall_every_sec = between(5, 15);
    rough.stall_mean_sec = between(0.1, 0.5);
  }
  if (kind == Kind::batches || kind == Kind::all) rough.flush_every_sec = 0.01 * std::round(between(50, 200));
  if (kind == Kind::noise || kind == Kind::all) {
    // Within +-10 to 30 % in 95 of 100 moments.
    rough.capacity_noise = between(0.05, 0.15);
    rough.capacity_memory_sec = between(0.5, 3);
    rough.latency_noise = 0.3;
  }
  return rough;
}

struct Shares {
  double falling_behind = 0, marginal = 0, sustained = 0, other = 0;
};

/// A pipe of run number `run` under a share of what it can take.
using Make = std::function<SimulatedPipe(double load_share, double duration_sec, const Roughness& rough)>;

SimulatedPipe constant(double load_share, double duration_sec, const Roughness& rough) {
  return SimulatedPipe::under(load_share, kRate, duration_sec, rough);
}

/// The load rises from a fifth of that share to all of it.
SimulatedPipe ramp(double load_share, double duration_sec, const Roughness& rough) {
  SimulatedPipe pipe = SimulatedPipe::under(load_share, kRate, duration_sec, rough);
  pipe.load = config::RampLoad{kRate / 5, kRate};
  return pipe;
}

Shares judge_many(const Make& make, Kind kind, double load_share, double duration_sec, int runs) {
  Shares shares;
  for (int run = 0; run < runs; ++run) {
    const auto seed = kSeed + static_cast<std::uint64_t>(run);
    const SimulatedPipe pipe = make(load_share, duration_sec, roughness_of(kind, seed));
    switch (pipe.report().verdict.state) {
      case VerdictState::falling_behind:
        shares.falling_behind += 1;
        break;
      case VerdictState::marginal:
        shares.marginal += 1;
        break;
      case VerdictState::sustained:
        shares.sustained += 1;
        break;
      default:
        shares.other += 1;
    }
  }
  for (double* share : {&shares.falling_behind, &shares.marginal, &shares.sustained, &shares.other})
    *share /= runs;
  return shares;
}

void print(double duration_sec, const char* kind, double load_share, const Shares& shares) {
  fmt::print(
      "{:4.0f} s  {:8} {:4.0f} %   falling-behind {:5.1f} %  marginal {:5.1f} %  sustained {:5.1f} %\n",
      duration_sec, kind, load_share * 100, shares.falling_behind * 100, shares.marginal * 100,
      shares.sustained * 100);
}

TEST(VerdictTable, AMinuteTellsAnOverloadOfFivePercentFromALoadOf95AndRaisesNoFalseAlarms) {
  constexpr int kRuns = 250;
  for (const auto& [kind, name] : kKinds) {
    for (const double load_share : {0.8, 0.95, 1.05, 1.2}) {
      const Shares shares = judge_many(constant, kind, load_share, 60, kRuns);
      print(60, name, load_share, shares);
      SCOPED_TRACE(fmt::format("{} at {:.0f} %, seed {}", name, load_share * 100, kSeed));
      EXPECT_EQ(shares.other, 0);
      if (load_share < 1) {
        EXPECT_LE(shares.falling_behind, 0.02);
      }
      if (load_share < 0.9) {
        EXPECT_LE(shares.marginal, 0.03);
      }
      if (load_share > 1) {
        EXPECT_GE(shares.falling_behind, 0.9);
      }
      if (load_share > 1) {
        EXPECT_LE(shares.sustained, 0.04);
      }
      if (load_share > 1.1) {
        EXPECT_EQ(shares.falling_behind, 1);
      }
    }
  }
}

/// What shorter and longer loads resolve, in the roughest cell.
TEST(VerdictTable, ShorterLoadsResolveLessAndLongerOnesMore) {
  constexpr int kRuns = 100;
  struct Resolves {
    double duration_sec;
    double overload;  // found in nine of ten runs
    double load;      // called falling-behind in no more than one of twenty
  };
  for (const auto& [duration_sec, overload, load] : {Resolves{20, 1.2, 0.8}, Resolves{30, 1.1, 0.8},
                                                     Resolves{120, 1.05, 0.95}, Resolves{480, 1.02, 0.98}}) {
    for (const double load_share : {0.8, 0.95, 0.98, 1.02, 1.05, 1.1, 1.2}) {
      const Shares shares = judge_many(constant, Kind::all, load_share, duration_sec, kRuns);
      print(duration_sec, "all", load_share, shares);
      SCOPED_TRACE(fmt::format("{} s at {:.0f} %, seed {}", duration_sec, load_share * 100, kSeed));
      if (load_share >= overload) {
        EXPECT_GE(shares.falling_behind, 0.9);
      }
      if (load_share <= load) {
        EXPECT_LE(shares.falling_behind, 0.05);
      }
    }
  }
}

/// A ramp goes beyond a pipe for its last part only: one to 130 % of it for 17 s of a minute, one to 105 %
/// for 3 s.
TEST(VerdictTable, ARampIsCalledFallingBehindForWhatItEndsWith) {
  constexpr int kRuns = 100;
  for (const auto& [kind, name] : kKinds) {
    for (const double load_share : {0.8, 0.95, 1.05, 1.2, 1.3, 1.5}) {
      const Shares shares = judge_many(ramp, kind, load_share, 60, kRuns);
      print(60, name, load_share, shares);
      SCOPED_TRACE(fmt::format("ramp to {:.0f} %, {}, seed {}", load_share * 100, name, kSeed));
      if (load_share < 1) {
        EXPECT_LE(shares.falling_behind, 0.02);
      }
      if (load_share > 1.25) {
        EXPECT_GE(shares.falling_behind, 0.8);
      }
      if (load_share > 1.4) {
        EXPECT_EQ(shares.falling_behind, 1);
      }
    }
  }
}

/// A pipe that kept up and died before the load ended, under a constant load or a rising one, however long:
/// it comes back once the load is over and makes up for all, so that only the end tells.
TEST(VerdictTable, APipeThatDiesLateIsNotSustained) {
  struct Dies {
    double duration_sec, before_the_end_sec;
    int runs;
  };
  for (const auto& [duration_sec, before_the_end_sec, runs] :
       {Dies{60, 8, 100}, Dies{60, 11, 100}, Dies{60, 20, 100}, Dies{300, 11, 20}, Dies{300, 60, 20},
        Dies{3600, 20, 3}, Dies{3600, 60, 3}, Dies{3600, 700, 3}}) {
    for (const auto& [kind, name] : kKinds) {
      for (const auto& [shape, made] :
           {std::pair{"constant", Make(constant)}, std::pair{"ramp", Make(ramp)}}) {
        const Make dying = [&, make = made](double share, double seconds, const Roughness& rough) {
          SimulatedPipe pipe = make(share, seconds, rough);
          pipe.sink_capacity *= 10;  // it makes up for everything within the drain that is usual
          pipe.stall_from_sec = seconds - before_the_end_sec;
          pipe.stall_to_sec = seconds + 0.2;
          return pipe;
        };
        const Shares shares = judge_many(dying, kind, 0.8, duration_sec, runs);
        print(duration_sec, name, 0.8, shares);
        SCOPED_TRACE(fmt::format("{}, {}, dead for the last {} of {} s, seed {}", shape, name,
                                 before_the_end_sec, duration_sec, kSeed));
        EXPECT_EQ(shares.sustained, 0);
        if (before_the_end_sec >= 20 && duration_sec <= 60) {
          EXPECT_EQ(shares.other, 1) << "stalled";
        }
      }
    }
  }
}

/// What ends with the load is told from what is made up for before.
TEST(VerdictTable, APipeThatKeepsUpToTheEndIsSustainedHoweverLongAndHoweverItRises) {
  for (const auto& [duration_sec, runs] :
       {std::pair{60.0, 100}, std::pair{300.0, 20}, std::pair{3600.0, 3}}) {
    for (const auto& [kind, name] : kKinds) {
      for (const auto& [shape, made] :
           {std::pair{"constant", Make(constant)}, std::pair{"ramp", Make(ramp)}}) {
        const Shares shares = judge_many(made, kind, 0.8, duration_sec, runs);
        print(duration_sec, name, 0.8, shares);
        SCOPED_TRACE(fmt::format("{}, {}, {} s, seed {}", shape, name, duration_sec, kSeed));
        EXPECT_GE(shares.sustained, 0.95);
      }
    }
  }
}

TEST(VerdictTable, AMarginalVerdictAsksForALoadThatTells) {
  int marginal = 0, told = 0;
  for (const auto& [kind, name] : kKinds) {
    for (int run = 0; run < 100; ++run) {
      const Roughness rough = roughness_of(kind, kSeed + static_cast<std::uint64_t>(run));
      for (const double load_share : {0.97, 1.01, 1.03}) {
        const Verdict verdict = constant(load_share, 60, rough).report().verdict;
        if (verdict.state != VerdictState::marginal) continue;
        ASSERT_TRUE(verdict.window_needed_sec) << name;
        const Verdict longer = constant(load_share, *verdict.window_needed_sec, rough).report().verdict;
        ++marginal;
        if (longer.state != VerdictState::marginal) ++told;
      }
    }
  }
  fmt::print("{} marginal verdicts at 97, 101 and 103 %; {} are not after a load as long as asked for\n",
             marginal, told);
  EXPECT_GT(marginal, 100);
  EXPECT_GE(told, 0.8 * marginal);
}

}  // namespace
}  // namespace walstorm::measure::test
