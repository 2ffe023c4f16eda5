#pragma once

#include <filesystem>
#include <string>

#include "orchestrator/config/config.h"
#include "orchestrator/report/junit_xml.h"
#include "orchestrator/report/output.h"
#include "orchestrator/report/run_folder.h"

/// The files that are written when a run is over.
namespace walstorm::report {

/// config.json's text: the resolved config, secrets out.
[[nodiscard]] std::string config_text(const config::Config& config);

/// `folder` and `config` outlive it.
class MetricsFile final : public Output {
 public:
  MetricsFile(const RunFolder& folder, const config::Config& config) : folder_(folder), config_(config) {}
  [[nodiscard]] std::string name() const override { return "metrics.json"; }
  void conclude(const measure::RunReport& report) override;

 private:
  const RunFolder& folder_;
  const config::Config& config_;
};

/// Draws what timeseries.csv holds by then, so that comes before it. `folder` outlives it.
class ReportFile final : public Output {
 public:
  explicit ReportFile(const RunFolder& folder) : folder_(folder) {}
  [[nodiscard]] std::string name() const override { return "report.md"; }
  void conclude(const measure::RunReport& report) override;

 private:
  const RunFolder& folder_;
};

class JunitOutput final : public Output {
 public:
  explicit JunitOutput(JunitFile file) : file_(std::move(file)) {}
  [[nodiscard]] std::string name() const override { return "JUnit"; }
  void conclude(const measure::RunReport& report) override { file_.write(report); }

 private:
  JunitFile file_;
};

}  // namespace walstorm::report
