#include "tests/bench/baseline.h"

#include <cmath>
#include <fmt/format.h>
#include <fstream>

#include <nlohmann/json.hpp>

#include "proto/wire/version.h"

namespace walstorm::bench {

BaselineReporter::BaselineReporter(const std::string& file) : file_(file) {
  std::ifstream in(file);
  if (!in) return;
  const nlohmann::json baseline = nlohmann::json::parse(in);
  for (const auto& [name, ns] : baseline.at("cpuNanosPerItem").items()) baseline_ns_[name] = ns;
}

bool BaselineReporter::ReportContext(const Context&) {
  fmt::print("{:<34} {:>12} {:>12} {:>8}  {}\n", "CPU time of one", "now, ns", "baseline, ns", "ratio",
             "rate");
  return true;
}

void BaselineReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
    const std::string& name = run.run_name.function_name;
    const auto items = run.counters.find("items_per_second");
    if (items == run.counters.end()) continue;
    const double ns = 1e9 / items->second.value;
    measured_ns_[name] = ns;
    const auto known = baseline_ns_.find(name);
    const auto bytes = run.counters.find("bytes_per_second");
    std::string rate = bytes == run.counters.end() ? fmt::format("{:.2f} M/s", items->second.value / 1e6)
                                                   : fmt::format("{:.0f} MB/s", bytes->second.value / 1e6);
    if (const auto wire = run.counters.find(kWireBytesPerItem); wire != run.counters.end()) {
      rate += fmt::format(", {:.0f} bytes on the wire", wire->second.value);
    }
    fmt::print("{:<34} {:>12.1f} {:>12} {:>8}  {}\n", name, ns,
               known == baseline_ns_.end() ? "-" : fmt::format("{:.1f}", known->second),
               known == baseline_ns_.end() ? "-" : fmt::format("{:.2f}", ns / known->second), rate);
    std::fflush(stdout);
  }
}

void BaselineReporter::write_baseline() const {
  std::map<std::string, double> all = baseline_ns_;
  for (const auto& [name, ns] : measured_ns_) all[name] = std::round(ns * 10) / 10;
  const nlohmann::ordered_json baseline{{"gitRevision", wire::kGitRevision},
                                        {"buildType", wire::kBuildType},
                                        {"compiler", __VERSION__},
                                        {"cpuNanosPerItem", all}};
  std::ofstream(file_) << baseline.dump(2) << '\n';
}

}  // namespace walstorm::bench
