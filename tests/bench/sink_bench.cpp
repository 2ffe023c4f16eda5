// The whole pipe on this machine, at rates that rise until it no longer keeps up: private PostgreSQL, private
// ClickHouse, producer and consumer, all on the same cores. Each rate is a run of its own, by the walstorm
// that people use; its report is what is shown here.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::vector<int> rates{20'000, 30'000, 40'000, 50'000, 60'000};
  int seconds = 60;
  std::string clickhouse = "private";
};

/// Rows of 1 KB, as the goal has them; what the consumer sends is large enough for few parts.
json config_of(const std::string& name, double insert_update_ratio, int rate, const Options& options) {
  return {{"name", fmt::format("{}-{}", name, rate)},
          {"phases",
           {{{"name", "warmup"}, {"durationSec", 10}, {"targetThroughput", rate / 2}, {"warmup", true}},
            {{"name", "load"}, {"durationSec", options.seconds}, {"targetThroughput", rate}}}},
          {"producer",
           {{"writeMode", "copy"},
            {"insertUpdateRatio", insert_update_ratio},
            {"batchSize", 500},
            {"connections", 3},
            {"payloadSizeKB", 0.6}}},
          {"consumer",
           {{"flushBatchSize", 20'000},
            {"flushIntervalMs", 500},
            {"maxFlushConcurrency", 3},
            {"maxBufferedMB", 256}}},
          {"database", {{"url", "private"}}},
          {"clickhouse", {{"url", options.clickhouse}}}};
}

fs::path walstorm() {
  return fs::read_symlink("/proc/self/exe").parent_path() / "walstorm";
}

/// Runs it, and returns the run's metrics.json. A run that fails is a result, too.
json run(process::EventLoop& loop, const fs::path& folder, const json& config) {
  const fs::path file = folder / "config.json";
  std::ofstream(file) << config.dump(2);
  process::ChildOptions options;
  options.program = walstorm();
  options.arguments = {"run", file.string(), "--output", (folder / "runs").string(), "--quiet"};
  options.log_file = folder / "walstorm.log";
  process::ChildProcess child(loop, options);
  (void)loop.wait(std::chrono::minutes(15), 0, [&] { return child.ended().has_value(); });
  for (const auto& entry : fs::directory_iterator(folder / "runs")) {
    if (!entry.path().filename().string().starts_with(config["name"].get<std::string>())) continue;
    std::ifstream metrics(entry.path() / "metrics.json");
    return json::parse(metrics);
  }
  throw wire::Error(wire::ErrorKind::unavailable,
                    "no report: " + process::last_lines(folder / "walstorm.log", 10));
}

std::string number(const json& value, const char* format = "{:.0f}") {
  return value.is_number() ? fmt::format(fmt::runtime(format), value.get<double>()) : "-";
}

/// CPU of each process in cores, as a share of the phase.
std::string cores(const json& phase) {
  std::string text;
  for (const json& process : phase["processes"]) {
    if (!process["cpuUserSec"].is_number()) continue;
    const double cpu = process["cpuUserSec"].get<double>() + process["cpuSystemSec"].get<double>();
    const double all = phase["durationSec"].get<double>() + phase["drain"].value("durationSec", 0.0);
    text += fmt::format(" {} {:.2f}", process["role"].get<std::string>(), cpu / all);
  }
  return text;
}

bool print_run(const json& metrics) {
  const json& phase = metrics["phases"].back();
  const json& consumer = phase["consumer"];
  const json& ledger = metrics["ledger"];
  const std::string verdict = phase["verdict"]["state"];
  const bool clean = metrics["run"]["outcome"] == "passed" && ledger["changes"]["missing"] == 0 &&
                     ledger["rows"]["expected"] == ledger["rows"]["landed"] &&
                     ledger["rows"]["checksumMatches"] == true;
  fmt::print("  {:>8} {:>8} {:>8} {:>7} {:>7} {:>8} {:>7} {:>9}  {:<18} {}\n",
             number(phase["targetThroughput"]), number(phase["producer"]["throughput"]),
             number(consumer["throughput"]), number(consumer["lagMs"]["p50"]),
             number(consumer["lagMs"]["p99"]), number(consumer["recordsPerFlush"]),
             number(consumer["parts"]["activeMax"]), number(consumer["parts"]["activeEnd"]), verdict,
             clean ? fmt::format("clean: {} rows landed", ledger["rows"]["landed"].dump())
                   : "NOT CLEAN: " + metrics["run"]["failure"].dump());
  fmt::print("           cores:{}\n", cores(phase));
  std::fflush(stdout);
  return verdict == "sustained" && clean;
}

void climb(process::EventLoop& loop, const std::string& name, double insert_update_ratio,
           const Options& options) {
  fmt::print(
      "\n{}: copy mode, transactions of 500 records of ~1 KB, {} s at each rate, after 10 s at half of it\n",
      name, options.seconds);
  fmt::print("  {:>8} {:>8} {:>8} {:>7} {:>7} {:>8} {:>7} {:>9}  {:<18} ledger\n", "target", "achieved",
             "landed", "lag p50", "p99 ms", "rec/ins", "parts", "at end", "verdict");
  int failed = 0;
  for (const int rate : options.rates) {
    const tests::TemporaryFolder folder;
    failed +=
        print_run(run(loop, folder.path(), config_of(name, insert_update_ratio, rate, options))) ? 0 : 1;
    if (failed == 2) return;
  }
}

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--rates") {
      options.rates.clear();
      std::string list = argv[i + 1];
      for (char* next = list.data(); *next != 0; next += *next == ',' ? 1 : 0)
        options.rates.push_back(static_cast<int>(std::strtol(next, &next, 10)));
    } else if (name == "--seconds") {
      options.seconds = std::atoi(argv[i + 1]);
    } else {
      throw wire::Error(wire::ErrorKind::config, "usage: walstorm-bench-sink [--rates N,N] [--seconds N]");
    }
  }
  return options;
}

}  // namespace
}  // namespace walstorm::bench

int main(int argc, char** argv) {
  try {
    const walstorm::bench::Options options = walstorm::bench::read(argc, argv);
    walstorm::process::EventLoop loop;
    walstorm::bench::climb(loop, "inserts", 1, options);
    walstorm::bench::climb(loop, "inserts-and-updates", 0.8, options);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}
