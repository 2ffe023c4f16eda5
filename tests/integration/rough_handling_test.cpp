// Runs whose surroundings treat the orchestrator badly: signals, a stopped process or terminal, a full disk,
// an environment with secrets in it.

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <stdexcept>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "orchestrator/text/csv.h"
#include "tests/support/run_fixture.h"
#include "tests/support/wrapped_run.h"

namespace walstorm::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// Longer than a worker may be silent (15 s).
constexpr std::chrono::seconds kStandstill{18};

void let_pass(WalstormRun& run, std::chrono::seconds time) {
  (void)run.loop().wait(time, 0, [] { return false; });
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A column of timeseries.csv.
std::vector<std::string> column(const std::string& csv, const std::string& name) {
  std::istringstream lines(csv);
  std::vector<std::string> values;
  std::size_t at = std::string::npos;
  for (std::string line; std::getline(lines, line);) {
    const auto fields = text::csv_fields(line);
    if (at == std::string::npos) {
      at = static_cast<std::size_t>(std::find(fields.begin(), fields.end(), name) - fields.begin());
    } else if (at < fields.size()) {
      values.push_back(fields[at]);
    }
  }
  return values;
}

/// No two lines of one moment, no 0 where rows went through all the time.
void expect_true_seconds(const std::string& csv) {
  std::set<long> seconds;
  for (const std::string& elapsed : column(csv, "phaseElapsedSec"))
    EXPECT_TRUE(seconds.insert(std::lround(std::stod(elapsed))).second) << elapsed << " s is there twice";
  const auto draining = column(csv, "draining");
  const auto produced = column(csv, "producedPerSec");
  for (std::size_t i = 1; i < produced.size(); ++i) {
    if (draining.at(i) != "false" || produced.at(i).empty()) continue;
    EXPECT_GT(std::stod(produced.at(i)), 0) << i;
  }
}

class RoughHandling : public OnAServer {};

class EverySignal : public OnAServer, public testing::WithParamInterface<int> {};

TEST_P(EverySignal, EndsTheRunInOrderAndDropsTheSlot) {
  WalstormRun run(config({phase("p", 60, 200)}));
  run.wait_for_output("phase p");
  run.wait_until([&] { return one("SELECT count(*) FROM pg_stat_replication")[0].as<int>() == 1; });
  run.send_signal(GetParam());
  const auto status = run.finish();
  EXPECT_EQ(status.code, 130) << run.output();
  EXPECT_EQ(status.signal, 0);
  EXPECT_EQ(run.metrics()["run"]["outcome"], "interrupted");
  expect_no_slot();
  expect_nothing_left(run);
}

INSTANTIATE_TEST_SUITE_P(RoughHandling, EverySignal,
                         testing::Values(SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU, SIGABRT, SIGSEGV,
                                         SIGPWR, 40),
                         [](const auto& instance) { return "Signal" + std::to_string(instance.param); });

TEST_F(RoughHandling, SignalsOfMereWritesChangeNothing) {
  WalstormRun run(config({phase("p", 3, 200)}));
  run.wait_for_output("phase p");
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGTTOU, SIGTTIN, SIGWINCH, SIGURG}) run.send_signal(signal);
  expect_clean_run(run);
  expect_no_slot();
}

TEST_F(RoughHandling, WhatWasIgnoredWhenItStartedStaysIgnored) {
  const WrappedProgram nohup("trap '' HUP INT USR1");
  WalstormRun run(config({phase("p", 4, 200)}), {}, nohup.script());
  run.wait_for_output("phase p");
  for (const int signal : {SIGHUP, SIGINT, SIGUSR1}) run.send_signal(signal);
  expect_clean_run(run);
  expect_no_slot();
}

TEST_F(RoughHandling, AStandstillOfTheOrchestratorBlamesNoWorkerAndIsTold) {
  WalstormRun run(config({phase("p", 27, 200)}));
  run.wait_for_output("phase p");
  run.wait_until([&] { return column(run.read("timeseries.csv"), "phase").size() >= 2; });
  run.send_signal(SIGSTOP);
  let_pass(run, kStandstill);
  run.send_signal(SIGCONT);
  expect_clean_run(run);
  const json notes = run.metrics()["phases"][0]["notes"];
  EXPECT_THAT(notes.dump(), HasSubstr("the orchestrator stood still for"));
  EXPECT_THAT(run.output(), HasSubstr("the orchestrator stood still for"));
  const std::string csv = run.read("timeseries.csv");
  expect_true_seconds(csv);
  EXPECT_LT(column(csv, "phase").size(), 13U) << "seconds that nobody saw";
  expect_no_slot();
}

/// A terminal with flow control, as Ctrl-S and Ctrl-Q use it.
class FlowControlledTerminal {
 public:
  FlowControlledTerminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0)
      throw std::runtime_error("no terminal");
    name_ = ::ptsname(master_);
    terminal_ = ::open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    const winsize size{24, 100, 0, 0};
    ::ioctl(terminal_, TIOCSWINSZ, &size);
  }
  FlowControlledTerminal(const FlowControlledTerminal&) = delete;
  FlowControlledTerminal& operator=(const FlowControlledTerminal&) = delete;
  ~FlowControlledTerminal() {
    ::close(terminal_);
    ::close(master_);
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  void stop() const { ::tcflow(terminal_, TCOOFF); }
  void go_on() const { ::tcflow(terminal_, TCOON); }
  /// All that was shown so far.
  const std::string& shown() {
    std::array<char, 4096> chunk{};
    for (ssize_t got = 0; (got = ::read(master_, chunk.data(), chunk.size())) > 0;)
      shown_.append(chunk.data(), static_cast<std::size_t>(got));
    return shown_;
  }

 private:
  int master_;
  int terminal_ = -1;
  std::string name_;
  std::string shown_;
};

TEST_F(RoughHandling, AStoppedTerminalHoldsUpNothing) {
  FlowControlledTerminal terminal;
  const WrappedProgram on_terminal("", ">" + terminal.name());
  WalstormRun run(config({phase("p", 22, 200)}), {}, on_terminal.script());
  run.wait_until([&] { return terminal.shown().find("lands ") != std::string::npos; });
  terminal.stop();
  let_pass(run, kStandstill);
  terminal.go_on();
  run.wait_until([&] { return terminal.shown().find("checksums match") != std::string::npos; });
  expect_clean_run(run);
  expect_true_seconds(run.read("timeseries.csv"));
  EXPECT_GE(column(run.read("timeseries.csv"), "phase").size(), 20U) << "the loop went on";
  EXPECT_THAT(run.metrics()["phases"][0]["notes"].dump(), Not(HasSubstr("stood still")));
}

/// As on a full disk: files of more than 2 KB are refused, config.json fits.
TEST_F(RoughHandling, AFullDiskIsSaidAfterTheResultWithWhatIsThere) {
  const WrappedProgram limited("ulimit -f 4");
  WalstormRun run(config({phase("p", 12, 200)}), {"--no-color"}, limited.script());
  EXPECT_EQ(run.finish().code, 1) << run.output();
  const std::string output = run.output();
  EXPECT_THAT(output, HasSubstr("checksums match"));
  EXPECT_THAT(output, HasSubstr("not written: metrics.json: write "));
  EXPECT_THAT(output, HasSubstr("not written: timeseries.csv: "));
  EXPECT_THAT(output, HasSubstr("lines could not be written: File too large"));
  EXPECT_LT(output.find("checksums match"), output.find("not written: "));
  EXPECT_THAT(output, HasSubstr("exit code 1"));
  const auto folder = run.run_folder();
  ASSERT_TRUE(folder);
  EXPECT_TRUE(fs::exists(*folder / "config.json"));
  EXPECT_FALSE(fs::exists(*folder / ".metrics.json.tmp"));
  const std::string csv = read(*folder / "timeseries.csv");
  EXPECT_TRUE(csv.ends_with('\n')) << "no half line";
  EXPECT_LE(csv.size(), 2048U);
  expect_no_slot();
  expect_nothing_left(run);
}

/// Every run's metrics.json is lost, and in the end the sweep's own files.
TEST_F(RoughHandling, AFullDiskEndsNoSweep) {
  const WrappedProgram limited("ulimit -f 4");
  WalstormRun sweep(config({phase("p", 1, 200)}),
                    {"--no-color", "--repeats", "1", "--vary", "producer.batchSize=10,20"}, limited.script(),
                    "sweep");
  EXPECT_EQ(sweep.finish().code, 1) << sweep.output();
  const std::string output = sweep.output();
  EXPECT_THAT(output, AllOf(HasSubstr("producer.batchSize=10"), HasSubstr("producer.batchSize=20")));
  EXPECT_THAT(output, HasSubstr("not written: sweep.json: write "));
  EXPECT_THAT(output, HasSubstr("-cell01: metrics.json: write "));
  EXPECT_THAT(output, HasSubstr("File too large"));
  expect_no_slot();
}

TEST_F(RoughHandling, OutputThatNobodyTakesCostsNoFile) {
  const WrappedProgram to_full_disk("", ">/dev/full");
  WalstormRun run(config({phase("p", 1, 200)}), {}, to_full_disk.script());
  expect_clean_run(run);
  EXPECT_THAT(run.output(), HasSubstr("standard output did not take all"));
  EXPECT_THAT(run.read("report.md"), HasSubstr("Ledger"));
  const WrappedProgram to_nobody("", "| true");
  WalstormRun other(config({phase("p", 1, 200)}), {}, to_nobody.script());
  (void)other.finish();
  EXPECT_EQ(other.metrics()["run"]["exitCode"], 0);
}

constexpr const char* kPlanted = "pl4nted";

/// In every variable that may hold one.
std::string planted_variables() {
  std::string text;
  for (const char* name :
       {"DATABASE_URL", "CLICKHOUSE_URL", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "API_TOKEN"})
    text += fmt::format("export {}=https://u:{}@127.0.0.1:1/?password={}\n", name, kPlanted, kPlanted);
  return text;
}

std::vector<std::string> files_that_hold(const fs::path& folder, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && read(entry.path()).find(text) != std::string::npos)
      found.push_back(entry.path().filename());
  }
  return found;
}

TEST(Secrets, OfTheEnvironmentReachNoChild) {
  const WrappedProgram planted(planted_variables());
  WalstormRun run(config_with({phase("p", 4, 200)}), {}, planted.script());
  run.wait_for_output("phase p");
  ASSERT_THAT(read("/proc/" + std::to_string(run.pid()) + "/environ"), HasSubstr(kPlanted));
  std::size_t looked_at = 0;
  for (const pid_t child : run.descendants("")) {
    const std::string environment = read("/proc/" + std::to_string(child) + "/environ");
    looked_at += environment.empty() ? 0 : 1;
    EXPECT_THAT(environment, Not(HasSubstr(kPlanted))) << read("/proc/" + std::to_string(child) + "/cmdline");
  }
  EXPECT_GE(looked_at, 3U) << "postgres, a producer, a consumer";
  expect_clean_run(run);
}

/// A URL in every place where a config takes a text that is its author's own.
json planted_config() {
  const std::string in_url = fmt::format("postgresql://u:{0}@h/d?sslpassword={0}", kPlanted);
  json config = config_with({phase("p", 1, 200)});
  config["description"] = "see " + in_url + " and password=" + kPlanted;
  const std::string phase_name = fmt::format("postgresql://u:{}@h/d", kPlanted);
  config["phases"][0]["name"] = phase_name;
  config["database"]["settings"] = {{"walstorm.peer", in_url}, {"walstorm.password", kPlanted}};
  config["sweep"] = {
      {"clickhouse.url", {fmt::format("https://u:{}@h:8443/?access_token={}", kPlanted, kPlanted)}}};
  config["thresholds"] = {{{"expr", "producer.errors < 1"}, {"phase", phase_name}}};
  return config;
}

TEST(Secrets, InAConfigAreInNothingThatARunLeaves) {
  WalstormRun run(planted_config(), {"-v", "--junit", "/dev/null"});
  EXPECT_EQ(run.finish().code, 0) << run.output();
  EXPECT_THAT(run.output(), Not(HasSubstr(kPlanted)));
  ASSERT_TRUE(run.run_folder());
  EXPECT_THAT(files_that_hold(*run.run_folder(), kPlanted), testing::IsEmpty());
  EXPECT_THAT(run.run_folder()->string(), Not(HasSubstr(kPlanted)));
  for (const char* command : {"run", "sweep", "search"}) {
    WalstormRun dry(planted_config(), {"--dry-run"}, WALSTORM_BINARY, command);
    (void)dry.finish();
    EXPECT_THAT(dry.output(), Not(HasSubstr(kPlanted))) << command;
  }
}

TEST(Secrets, InSweptUrlsAreInNothingThatASweepLeaves) {
  WalstormRun sweep(
      config_with({phase("p", 1, 200)}),
      {"--vary", fmt::format("clickhouse.url=https://u:{0}@a/?password={0},https://u:{0}@b", kPlanted),
       "--repeats", "1"},
      WALSTORM_BINARY, "sweep");
  EXPECT_EQ(sweep.finish().code, 0) << sweep.output();
  EXPECT_THAT(sweep.output(), AllOf(HasSubstr("***"), Not(HasSubstr(kPlanted))));
  ASSERT_TRUE(sweep.run_folder());
  EXPECT_THAT(files_that_hold(*sweep.run_folder(), kPlanted), testing::IsEmpty());
}

TEST(Secrets, InWhatIsRefusedAreNotShown) {
  for (const char* argument : {"--set", "--vary"}) {
    WalstormRun wrong(config_with({phase("p", 1, 200)}),
                      {argument, fmt::format("database.url=postgresql://u:{}@h/d?nonsense=1", kPlanted)},
                      WALSTORM_BINARY, std::string(argument) == "--vary" ? "sweep" : "run");
    EXPECT_NE(wrong.finish().code, 0);
    EXPECT_THAT(wrong.output(), Not(HasSubstr(kPlanted)));
  }
}

}  // namespace
}  // namespace walstorm::tests
