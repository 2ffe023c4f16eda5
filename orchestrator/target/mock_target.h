#pragma once

#include <utility>

#include "orchestrator/config/config.h"
#include "orchestrator/target/target.h"

namespace walstorm::target {

/// The consumer's mock sink: it takes rows and keeps none, so there is nothing to prepare, to look at or to
/// count.
class MockTarget final : public Target {
 public:
  explicit MockTarget(config::Config config) : config_(std::move(config)) {}

  [[nodiscard]] std::string server_name() const override { return {}; }
  [[nodiscard]] std::optional<std::uint64_t> disk_bytes(
      const std::vector<config::PhasePlan>& /*plan*/) const override {
    return std::nullopt;
  }
  void prepare(std::vector<std::string>& /*notes*/) override {}
  [[nodiscard]] std::string version() const override { return {}; }
  void describe(proto::ConsumerSetup& setup) const override;
  [[nodiscard]] std::optional<Process> process() const override { return std::nullopt; }
  [[nodiscard]] std::string server_failure() const override { return {}; }
  void give_up() override {}
  void count_parts(OnParts done) override { done(std::nullopt); }
  [[nodiscard]] std::optional<wire::RowTally> tally_rows(std::uint64_t /*rows_expected*/,
                                                         int /*interrupts_tolerated*/) override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<measure::RowTexts> read_rows(const std::vector<std::string>& /*ids*/,
                                                           int /*interrupts_tolerated*/) override {
    return std::nullopt;
  }
  std::vector<std::string> release() override { return {}; }

 private:
  const config::Config config_;
};

}  // namespace walstorm::target
