#include "orchestrator/config/phase_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walstorm::config {
namespace {

using testing::HasSubstr;

Config run_of(std::vector<Phase> phases) {
  Config config;
  config.name = "plan";
  config.phases = std::move(phases);
  config.producer.insert_update_ratio = 1;
  config.producer.payload_size_kb = 1;
  config.drain_timeout_sec = 60;
  config.output_dir = "./out";
  return config;
}

Phase phase(const char* name, double duration_sec, Load load, std::optional<std::uint64_t> records = {}) {
  return {.name = name, .duration_sec = duration_sec, .load = load, .records = records, .warmup = false};
}

TEST(PhasePlan, SaysWhatEachPhaseAsksOfTheWorkers) {
  const auto plan = plan_phases(run_of({phase("constant", 1.5, ConstantLoad{1000}),
                                        phase("ramp", 10, RampLoad{0, 500}), phase("max", 60, MaxLoad{})}));
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[0].index, 0U);
  EXPECT_EQ(plan[0].duration_us, 1'500'000U);
  EXPECT_EQ(plan[0].records_max, 0U);
  EXPECT_EQ(plan[0].records_expected, 1500);
  EXPECT_EQ(plan[1].index, 1U);
  EXPECT_EQ(plan[1].name, "ramp");
  EXPECT_EQ(plan[1].records_expected, 2500);
  EXPECT_EQ(plan[2].records_expected, std::nullopt);
}

TEST(PhasePlan, RecordsEndAPhaseBeforeItsDuration) {
  const auto plan = plan_phases(
      run_of({phase("few", 10, ConstantLoad{1000}, 300),
              phase("more than fit", 10, ConstantLoad{1000}, 30000), phase("max", 60, MaxLoad{}, 700)}));
  EXPECT_EQ(plan[0].records_max, 300U);
  EXPECT_EQ(plan[0].records_expected, 300);
  EXPECT_EQ(plan[1].records_expected, 10000);
  EXPECT_EQ(plan[2].records_max, 700U);
  EXPECT_EQ(plan[2].records_expected, std::nullopt);
}

TEST(PhasePlan, CountsThePreloadAsTheFirstStretchOnTheWire) {
  Config config = run_of({phase("a", 10, ConstantLoad{1000}), phase("b", 10, ConstantLoad{1000})});
  EXPECT_EQ(plan_phases(config)[1].wire_index, 1U);
  const std::uint64_t without = disk_bytes(config, plan_phases(config));
  config.producer.preload_rows = 5000;
  config.producer.arrival = Arrival::poisson;
  const auto plan = plan_phases(config);
  EXPECT_EQ(plan[0].index, 0U);
  EXPECT_EQ(plan[0].wire_index, 1U);
  EXPECT_EQ(plan[1].wire_index, 2U);
  EXPECT_EQ(plan[1].arrival, Arrival::poisson);
  EXPECT_GT(disk_bytes(config, plan), without) << "its rows take disk as well";
  EXPECT_THAT(dry_run_text(config), HasSubstr("before the first  5,000 rows are written and drained"));
}

TEST(PhasePlan, GivesThePreloadTimeForItsRowsAndTheirBytes) {
  Config config = run_of({phase("a", 10, ConstantLoad{1000})});
  config.producer.preload_rows = 100'000;
  const Phase small = preload_phase(config);
  EXPECT_EQ(small.records, 100'000U);
  EXPECT_GT(small.duration_sec, 160);
  config.producer.payload_size_kb = 100;
  EXPECT_GT(preload_phase(config).duration_sec, small.duration_sec + 10'000);
}

std::uint64_t bytes_of(const Config& config) {
  return disk_bytes(config, plan_phases(config));
}

TEST(PhasePlan, EstimatesTheDiskFromRowsAndWal) {
  const Config inserts = run_of({phase("a", 10, ConstantLoad{1000})});
  // 10,000 inserts: table 1,824 + WAL 1.3 x 1,824 bytes each.
  EXPECT_NEAR(static_cast<double>(bytes_of(inserts)), 10'000 * 2.3 * 1824, 1e4);
}

TEST(PhasePlan, AnUpdateWithFullReplicaIdentityWritesTheOldRowToo) {
  Config updates = run_of({phase("a", 10, ConstantLoad{1000})});
  const auto inserts = bytes_of(updates);
  updates.producer.insert_update_ratio = 0;
  EXPECT_GT(bytes_of(updates), inserts * 5 / 4);
  const auto full = bytes_of(updates);
  updates.database.replica_identity = ReplicaIdentity::by_default;
  EXPECT_LT(bytes_of(updates), full * 3 / 4);
}

TEST(PhasePlan, AnUnthrottledPhaseCountsAtTheRateOfAGoodMachine) {
  EXPECT_EQ(bytes_of(run_of({phase("max", 10, MaxLoad{})})),
            bytes_of(run_of({phase("a", 10, ConstantLoad{50'000})})));
  EXPECT_EQ(bytes_of(run_of({phase("max", 10, MaxLoad{}, 500)})),
            bytes_of(run_of({phase("a", 10, ConstantLoad{50})})));
}

TEST(PhasePlan, TheDryRunShowsPhasesTotalsAndTheResolvedConfig) {
  Config config = run_of({phase("warm", 30, ConstantLoad{1000}), phase("climb", 90, RampLoad{1000, 20000})});
  config.phases[0].warmup = true;
  config.database.url = "postgres://u:hunter2@h/db";
  const std::string text = dry_run_text(config);
  EXPECT_THAT(
      text,
      HasSubstr("plan: dry run, nothing is started\n\n"
                "    #  phase                target      duration          records\n"
                "    1  warm                1,000/s          30 s           30,000  warm-up, not judged\n"
                "    2  climb        1,000-20,000/s          90 s          945,000\n"
                "       total                               2 min          975,000\n"));
  EXPECT_THAT(text, HasSubstr("disk, estimated   4.1 GB at most"));
  EXPECT_THAT(text, HasSubstr("\"payloadSizeKB\": 1"));
  EXPECT_THAT(text, testing::Not(HasSubstr("hunter2")));
}

TEST(PhasePlan, TheDryRunDoesNotInventWhatAnUnthrottledPhaseWrites) {
  const std::string text = dry_run_text(run_of(
      {phase("a", 10, ConstantLoad{100}), phase("b", 3700, MaxLoad{}), phase("c", 5, MaxLoad{}, 9000)}));
  EXPECT_THAT(text, HasSubstr("unknown"));
  EXPECT_THAT(text, HasSubstr("<= 9,000"));
  EXPECT_THAT(text, HasSubstr("1,000 + ?"));
  EXPECT_THAT(text, HasSubstr("61 min 40 s"));
}

}  // namespace
}  // namespace walstorm::config
