#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/process/background_writer.h"
#include "orchestrator/report/output.h"

namespace walstorm::run {

/// timeseries.csv, a line a second, written in the background. A line that the disk does not take is left out
/// whole and counted. Lives on the loop, which outlives it.
class TimeseriesFile final : public report::Output {
 public:
  /// `roles`: the processes of its columns. Throws Error{unavailable} when the file cannot be made.
  TimeseriesFile(process::EventLoop& loop, const std::filesystem::path& folder,
                 std::vector<std::string> roles);

  [[nodiscard]] std::string name() const override;
  void take(const measure::Second& second) override;
  /// Waits for what is not written yet. Throws Error{unavailable} that says how many lines were lost.
  void conclude(const measure::RunReport& report) override;

 private:
  process::EventLoop& loop_;
  std::vector<std::string> roles_;
  std::unique_ptr<process::BackgroundWriter> writer_;
  std::uint64_t lines_ = 0;
};

}  // namespace walstorm::run
