// Figures whose true value is built into the run: what is reported must be that. Each is printed, as built in
// and as reported.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <ctime>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/proc_stat.h"
#include "proto/wire/clock.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;

class KnownAnswer : public OnAServer {
 protected:
  static json phase_of(WalstormRun& run) {
    EXPECT_EQ(run.finish().code, 0) << run.output();
    return run.metrics()["phases"][0];
  }

  static void expect(const char* what, const json& reported, double built_in, double tolerance) {
    ASSERT_TRUE(reported.is_number()) << what;
    fmt::print("known answer: {}: built in {:.1f}, reported {:.1f}\n", what, built_in,
               reported.get<double>());
    EXPECT_NEAR(reported.get<double>(), built_in, tolerance) << what;
  }
};

TEST_F(KnownAnswer, LagIsTheSinksDelayAndTheBatchingThatTheConfigImplies) {
  // 1,000/s in transactions of 10 is one each 10 ms. A batch of 50 is flushed when the fifth of them arrives,
  // so they wait 40, 30, 20, 10 and 0 ms: 20 in the median.
  WalstormRun run(config({phase("delayed", 8, 1000)},
                         {{"producer", {{"batchSize", 10}}},
                          {"consumer", {{"mockClickhouseDelay", 250}, {"flushIntervalMs", 500}}}}));
  const json consumer = phase_of(run)["consumer"];
  expect("lag p50, ms", consumer["lagMs"]["p50"], 270, 0.05 * 270);
  EXPECT_NEAR(consumer["recordsPerFlush"], 50, 1) << "but for one that a pause of the producer cut short";
  const double stages = consumer["receiveMs"]["mean"].get<double>() +
                        consumer["queueMs"]["mean"].get<double>() + consumer["flushMs"]["mean"].get<double>();
  expect("stages of the lag, their means added up, ms", stages, consumer["lagMs"]["mean"], 0.01);
}

TEST_F(KnownAnswer, ASinkCappedAt3000UnderALoadOf5000IsFallingBehindAtThatRate) {
  WalstormRun run(
      config({phase("capped", 10, 5000)},
             {{"consumer",
               {{"mock", {{"maxRecordsPerSec", 3000}}}, {"flushBatchSize", 100}, {"maxFlushConcurrency", 4}}},
              {"drain", {{"timeoutSec", 1}}}}));
  const json report = phase_of(run);
  EXPECT_EQ(report["verdict"]["state"], "falling-behind");
  EXPECT_EQ(report["verdict"]["bottleneck"], "sink");
  expect("capacity estimate, records/s", report["verdict"]["capacityEstimate"], 3000, 0.05 * 3000);
}

TEST_F(KnownAnswer, ADrainIsInNoPhasesDuration) {
  // 5,000 records at 500/s: 5 s of load, and then 5 s more.
  WalstormRun run(
      config({phase("drained", 5, 1000)},
             {{"consumer", {{"mock", {{"maxRecordsPerSec", 500}}}, {"maxFlushConcurrency", 4}}}}));
  const json report = phase_of(run);
  expect("duration, s", report["durationSec"], 5, 0.1);
  expect("throughput, records/s", report["producer"]["throughput"], 1000, 20);
  expect("drain, s", report["drain"]["durationSec"], 5, 0.5);
  expect("landed within the load, records/s", report["consumer"]["throughput"], 500, 25);
  EXPECT_EQ(report["verdict"]["state"], "falling-behind");
}

/// Stops the writing backends while it lives.
class Frozen final {
 public:
  explicit Frozen(const std::vector<pid_t>& pids) : pids_(pids) { send(SIGSTOP); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() {
    send(SIGCONT);
    fmt::print("frozen for {:.3f} s\n", seconds());
  }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

 private:
  void send(int signal) const {
    for (const pid_t pid : pids_) EXPECT_EQ(::kill(pid, signal), 0);
  }
  const std::vector<pid_t> pids_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

TEST_F(KnownAnswer, AFrozenPostgresqlIsInTheWriteLatencyAndNotInTheServiceTime) {
  constexpr double kLoadSec = 12;
  constexpr double kFrozenSec = 2;
  WalstormRun run(config({phase("frozen", kLoadSec, 1000)}, {{"producer", {{"batchSize", 10}}}}));
  const auto writers = [this] {
    std::istringstream pids(one("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE "
                                "application_name LIKE 'walstorm-producer%'")[0]
                                .as<std::string>());
    return std::vector<pid_t>(std::istream_iterator<pid_t>(pids), {});
  };
  // Once rows are there the load is on.
  run.wait_until([this] {
    try {
      return one("SELECT count(*) FROM \"TaskRun\"", "walstorm_profiling")[0].as<int>() > 1000;
    } catch (const std::exception&) {
      return false;  // not yet a table
    }
  });
  {
    const Frozen frozen(writers());
    boost::asio::steady_timer thaw(run.loop().io(), std::chrono::duration_cast<std::chrono::milliseconds>(
                                                        std::chrono::duration<double>(kFrozenSec)));
    bool over = false;
    thaw.async_wait([&over](const boost::system::error_code&) { over = true; });
    run.wait_until([&over] { return over; });
  }
  const json producer = phase_of(run)["producer"];
  EXPECT_EQ(producer["notStarted"], 0);
  // Of the transactions due in 12 s the latest percent is of those due in the freeze's first 0.12 s.
  const double p99_ms = (kFrozenSec - 0.01 * kLoadSec) * 1000;
  expect("write latency p99 over a freeze of 2 s, ms", producer["writeLatencyMs"]["p99"], p99_ms,
         0.1 * p99_ms);
  expect("write latency max, ms", producer["writeLatencyMs"]["max"], kFrozenSec * 1000, 250);
  fmt::print("service time: p50 {:.1f}, p99 {:.1f}, max {:.1f} ms; write latency p50 {:.1f} ms\n",
             producer["serviceTimeMs"]["p50"].get<double>(), producer["serviceTimeMs"]["p99"].get<double>(),
             producer["serviceTimeMs"]["max"].get<double>(), producer["writeLatencyMs"]["p50"].get<double>());
  // Four transactions of 1,200 were under way: the freeze is in their maximum alone.
  EXPECT_GT(producer["serviceTimeMs"]["max"], 1900);
  EXPECT_LT(producer["serviceTimeMs"]["p99"], 400);
  EXPECT_LT(producer["serviceTimeMs"]["p50"], 100);
  EXPECT_LT(producer["writeLatencyMs"]["p50"], 100);
}

/// CPU seconds of a process over time, by our own reading of /proc.
class OwnReading final {
 public:
  void look(pid_t pid) {
    const auto stat = process::read_proc_stat(pid);
    if (!stat) return;
    readings_.push_back(
        {wire::SystemClock().unix_us(), static_cast<double>(stat->cpu_user_us + stat->cpu_system_us) / 1e6});
  }
  /// Between the readings nearest to two moments.
  [[nodiscard]] double between(std::int64_t from_us, std::int64_t to_us) const {
    return at(to_us) - at(from_us);
  }

 private:
  struct Reading {
    std::int64_t at_us;
    double cpu_sec;
  };
  [[nodiscard]] double at(std::int64_t moment_us) const {
    const auto nearest =
        std::min_element(readings_.begin(), readings_.end(), [&](const auto& a, const auto& b) {
          return std::abs(a.at_us - moment_us) < std::abs(b.at_us - moment_us);
        });
    return nearest == readings_.end() ? 0 : nearest->cpu_sec;
  }
  std::vector<Reading> readings_;
};

/// Of "2026-01-31T12:00:00.123Z".
std::int64_t unix_us(const std::string& iso) {
  std::tm time{};
  EXPECT_NE(::strptime(iso.c_str(), "%Y-%m-%dT%H:%M:%S", &time), nullptr) << iso;
  return std::int64_t{::timegm(&time)} * 1'000'000 + std::stol(iso.substr(iso.find('.') + 1)) * 1000;
}

TEST_F(KnownAnswer, CpuSecondsAreThoseOfProc) {
  // Large rows, and what costs the most CPU to make of them: ticks of 10 ms are little then.
  WalstormRun run(config({phase("load", 5, 2000)},
                         {{"producer", {{"payloadSizeKB", 8}, {"batchSize", 5}}},
                          {"consumer", {{"insertFormat", "jsonCompactEachRow"}, {"compression", "gzip"}}}}));
  run.wait_for_output("load");
  const std::vector<std::pair<std::string, pid_t>> workers{
      {"producer-0", run.descendants("walstorm-producer").at(0)},
      {"consumer-0", run.descendants("walstorm-consumer").at(0)}};
  std::map<std::string, OwnReading> own;
  run.wait_until([&] {
    for (const auto& [role, pid] : workers) own[role].look(pid);
    return run.output().find("outcome") != std::string::npos;
  });
  const json report = phase_of(run);
  const auto began = unix_us(report["startedAt"]);
  const auto ended =
      began + static_cast<std::int64_t>(
                  (report["durationSec"].get<double>() + report["drain"]["durationSec"].get<double>()) * 1e6);
  for (const json& process : report["processes"]) {
    const std::string role = process["role"];
    if (!own.contains(role)) continue;
    const double cpu_sec = process["cpuUserSec"].get<double>() + process["cpuSystemSec"].get<double>();
    // Ticks of 10 ms at both ends, of user and system, and 20 ms between two readings.
    const double expected = own[role].between(began, ended);
    fmt::print("known answer: CPU of {}, s: /proc {:.3f}, reported {:.3f}\n", role, expected, cpu_sec);
    EXPECT_GT(cpu_sec, 0.03);
    EXPECT_NEAR(cpu_sec, expected, 0.04 + 0.05 * expected);
  }
}

}  // namespace
}  // namespace walstorm::tests
