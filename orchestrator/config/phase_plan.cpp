#include "orchestrator/config/phase_plan.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "orchestrator/config/thresholds.h"
#include "orchestrator/text/format.h"

namespace walstorm::config {
namespace {

// The rule of thumb of disk_bytes(). A row is its payload and about 24 short columns, tuple header and
// alignment; its primary key's index entry comes on top, in the table's files and in the WAL alike.
constexpr double kRowBytesWithoutPayload = 700;
constexpr double kIndexBytes = 100;
// WAL record headers, page images after a checkpoint, commits.
constexpr double kWalFactor = 1.3;
// Records per second of an unthrottled phase: what a good machine takes.
constexpr double kMaxLoadAssumed = 50'000;

// A preload slower than this, in rows or in bytes, is stuck.
constexpr double kPreloadSecMin = 60;
constexpr double kPreloadRowsPerSecMin = 1000;
constexpr double kPreloadBytesPerSecMin = 1e6;

std::optional<double> records_of(const Phase& phase) {
  std::optional<double> due;
  if (const auto* constant = std::get_if<ConstantLoad>(&phase.load))
    due = constant->rate * phase.duration_sec;
  if (const auto* ramp = std::get_if<RampLoad>(&phase.load))
    due = (ramp->from + ramp->to) / 2 * phase.duration_sec;
  if (due && phase.records) due = std::min(*due, static_cast<double>(*phase.records));
  return due;
}

double records_at_most(const std::vector<PhasePlan>& plan) {
  double records = 0;
  for (const PhasePlan& phase : plan) {
    double most =
        phase.records_expected.value_or(kMaxLoadAssumed * static_cast<double>(phase.duration_us) / 1e6);
    if (phase.records_max > 0) most = std::min(most, static_cast<double>(phase.records_max));
    records += most;
  }
  return records;
}

/// A count that may be reckoned with.
std::string records_text(double records) {
  return text::count_text(static_cast<std::uint64_t>(std::llround(records)));
}

std::string table_line(const std::string& number, const std::string& name, const std::string& target,
                       const std::string& duration, const std::string& records, std::size_t name_width) {
  return fmt::format("  {:>3}  {:<{}}  {:>20}  {:>12}  {:>15}\n", number, name, name_width, target, duration,
                     records);
}

}  // namespace

std::string target_text(const Load& load) {
  if (const auto* constant = std::get_if<ConstantLoad>(&load)) return text::rate_text(constant->rate);
  if (const auto* ramp = std::get_if<RampLoad>(&load)) {
    const std::string from = text::rate_text(ramp->from);
    return fmt::format("{}-{}", from.substr(0, from.find('/')), text::rate_text(ramp->to));
  }
  return "max";
}

std::vector<PhasePlan> plan_phases(const Config& config) {
  constexpr double kMicrosPerSec = 1e6;
  const std::size_t first = config.producer.preload_rows > 0 ? 1 : 0;
  std::vector<PhasePlan> plan;
  for (const Phase& phase : config.phases) {
    plan.push_back(
        {.index = static_cast<std::uint32_t>(plan.size()),
         .wire_index = static_cast<std::uint32_t>(plan.size() + first),
         .name = phase.name,
         .warmup = phase.warmup,
         .load = phase.load,
         .arrival = config.producer.arrival,
         .duration_us = static_cast<std::uint64_t>(std::llround(phase.duration_sec * kMicrosPerSec)),
         .records_max = phase.records.value_or(0),
         .records_expected = records_of(phase)});
  }
  return plan;
}

Phase preload_phase(const Config& config) {
  const auto rows = static_cast<double>(config.producer.preload_rows);
  const double bytes = rows * (kRowBytesWithoutPayload + config.producer.payload_size_kb * 1024);
  return {.name = "preload",
          .duration_sec = kPreloadSecMin + rows / kPreloadRowsPerSecMin + bytes / kPreloadBytesPerSecMin,
          .load = MaxLoad{},
          .records = config.producer.preload_rows,
          .warmup = false};
}

std::uint64_t disk_bytes(const Config& config, const std::vector<PhasePlan>& plan) {
  const double records = records_at_most(plan);
  const double deletes = config.producer.delete_ratio;
  const double inserts = (1 - deletes) * config.producer.insert_update_ratio;
  const double updates = 1 - deletes - inserts;
  const double row = kRowBytesWithoutPayload + config.producer.payload_size_kb * 1024;
  // With REPLICA IDENTITY FULL an update or delete writes the old row to the WAL as well.
  const double old_row = config.database.replica_identity == ReplicaIdentity::full ? row : kIndexBytes;
  const double table = (inserts + updates) * (row + kIndexBytes);
  const double wal = ((inserts + updates) * (row + kIndexBytes) + (updates + deletes) * old_row) * kWalFactor;
  const double preloaded = static_cast<double>(config.producer.preload_rows) * (row + kIndexBytes);
  return static_cast<std::uint64_t>(records * (table + wal) + preloaded * (1 + kWalFactor));
}

std::uint64_t sink_bytes(const Config& config, const std::vector<PhasePlan>& plan) {
  const double rows = records_at_most(plan) + static_cast<double>(config.producer.preload_rows);
  return static_cast<std::uint64_t>(rows *
                                    (kRowBytesWithoutPayload + config.producer.payload_size_kb * 1024));
}

std::string dry_run_text(const Config& config) {
  const std::vector<PhasePlan> plan = plan_phases(config);
  std::size_t name_width = 5;
  for (const PhasePlan& phase : plan) name_width = std::max(name_width, phase.name.size());
  double seconds = 0;
  double records = 0;
  bool all_known = true;
  std::string text = fmt::format("{}: dry run, nothing is started\n\n", config.name);
  text += table_line("#", "phase", "target", "duration", "records", name_width);
  for (const PhasePlan& phase : plan) {
    const double duration_sec = static_cast<double>(phase.duration_us) / 1e6;
    std::string line = table_line(
        std::to_string(phase.index + 1), phase.name, target_text(phase.load), text::sec_text(duration_sec),
        phase.records_expected ? records_text(*phase.records_expected)
        : phase.records_max    ? fmt::format("<= {}", text::count_text(phase.records_max))
                               : "unknown",
        name_width);
    if (phase.warmup) line.insert(line.size() - 1, "  warm-up, not judged");
    text += line;
    seconds += duration_sec;
    records += phase.records_expected.value_or(0);
    all_known = all_known && phase.records_expected;
  }
  const std::string total = all_known     ? records_text(records)
                            : records > 0 ? records_text(records) + " + ?"
                                          : "unknown";
  text += table_line("", "total", "", text::sec_text(seconds), total, name_width);
  text +=
      fmt::format("\n  after each phase  a drain of up to {}\n", text::sec_text(config.drain_timeout_sec));
  if (config.producer.preload_rows > 0) {
    text += fmt::format("  before the first  {} rows are written and drained\n",
                        text::count_text(std::uint64_t{config.producer.preload_rows}));
  }
  text += fmt::format("  disk, estimated   {} at most (table and WAL)\n",
                      text::bytes_text(disk_bytes(config, plan)));
  text += fmt::format("  results           {}\n{}\n", config.output_dir, thresholds_text(config));
  return text + to_json(config).dump(2) + "\n";
}

}  // namespace walstorm::config
