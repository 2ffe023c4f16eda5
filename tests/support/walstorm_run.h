#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/process/child_process.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {

/// One run of the real program, as a person would start it: its own process, its config in a file, its output
/// read.
class WalstormRun final {
 public:
  /// `config` is written to a file and passed with -c; `arguments` follow. `program` is walstorm itself, or a
  /// copy beside other workers. Private servers live in a temporary folder of this object, so leftovers are
  /// seen.
  explicit WalstormRun(const nlohmann::json& config, std::vector<std::string> arguments = {},
                       const std::filesystem::path& program = WALSTORM_BINARY,
                       const std::string& command = "run");
  ~WalstormRun();

  /// Waits for the end; fails the test when it does not come within `timeout`.
  process::ExitStatus finish(std::chrono::seconds timeout = std::chrono::seconds(120));
  /// Waits until `condition` holds; fails the test when it does not within 30 s.
  void wait_until(const std::function<bool()>& condition);
  /// Waits until the output holds `text`.
  void wait_for_output(const std::string& text);

  void send_signal(int signal) { child_->send_signal(signal); }
  [[nodiscard]] pid_t pid() const { return child_->pid(); }
  /// Everything it printed, stdout and stderr.
  [[nodiscard]] std::string output() const;

  /// Processes below it (children and theirs) whose command line holds `text`.
  [[nodiscard]] std::vector<pid_t> descendants(const std::string& text) const;
  /// All that were seen below it by any call of descendants() and still run.
  [[nodiscard]] std::vector<pid_t> survivors() const;

  /// The run's folder; nullopt when there is none. Fails the test when there are several.
  [[nodiscard]] std::optional<std::filesystem::path> run_folder() const;
  /// metrics.json, parsed; fails the test when it is not there.
  [[nodiscard]] nlohmann::json metrics() const;
  [[nodiscard]] std::string read(const std::string& file) const;
  /// Folders of private servers that are still there.
  [[nodiscard]] std::vector<std::filesystem::path> private_folders() const;

  [[nodiscard]] process::EventLoop& loop() { return loop_; }

 private:
  TemporaryFolder folder_;
  process::EventLoop loop_;
  std::unique_ptr<process::ChildProcess> child_;
  mutable std::vector<pid_t> seen_;
};

}  // namespace walstorm::tests
