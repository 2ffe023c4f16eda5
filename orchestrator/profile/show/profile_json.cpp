#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/show/profile_report.h"
#include "orchestrator/text/or_null.h"
#include "proto/wire/version.h"

namespace walstorm::profile {
namespace {

using Json = nlohmann::ordered_json;
using text::or_null;

constexpr int kVersion = 1;

std::optional<double> seconds(std::optional<std::uint64_t> ns) {
  return ns ? std::optional(static_cast<double>(*ns) / 1e9) : std::nullopt;
}

Json target_json(const TargetAnalysis& target) {
  Json functions = Json::array(), modules = Json::array(), waits = Json::array();
  Json broken = Json::array();
  for (const BrokenRow& row : target.broken_in)
    broken.push_back({{"object", or_null(row.object)}, {"samples", row.samples}, {"share", row.share}});
  const bool timed = target.cpu_ns.has_value();
  const auto cpu_sec = [timed](std::uint64_t ns) {
    return or_null(timed ? seconds(ns) : std::optional<double>());
  };
  for (const FunctionRow& row : target.functions) {
    functions.push_back({{"function", row.function},
                         {"object", or_null(row.object)},
                         {"module", row.module},
                         {"samples", row.samples},
                         {"cpuSec", cpu_sec(row.ns)},
                         {"share", row.share},
                         {"totalShare", row.total_share}});
  }
  for (const ModuleRow& row : target.modules) {
    modules.push_back({{"module", row.module},
                       {"samples", row.samples},
                       {"cpuSec", cpu_sec(row.ns)},
                       {"share", row.share},
                       {"samplesWithCallees", or_null(row.samples_with_callees)},
                       {"shareWithCallees", or_null(row.share_with_callees)},
                       {"wallPerCpu", or_null(row.wall_per_cpu)}});
  }
  for (const WaitRow& row : target.waits)
    waits.push_back(
        {{"wait", row.wait}, {"samples", row.count}, {"sec", *seconds(row.ns)}, {"shareOfWall", row.share}});
  return {{"target", target.target},
          {"samples", target.samples},
          {"cpuSec", or_null(seconds(target.cpu_ns))},
          {"cpuSecCounted", or_null(seconds(target.counted_cpu_ns))},
          {"offCpuSec", or_null(seconds(target.off_cpu_ns))},
          {"wallPerCpu", or_null(target.wall_per_cpu)},
          {"brokenStacks", target.broken_samples},
          {"brokenShare", or_null(target.broken_share)},
          {"brokenIn", std::move(broken)},
          {"conclusion", target.conclusion},
          {"modules", std::move(modules)},
          {"functions", std::move(functions)},
          {"waits", std::move(waits)}};
}

Json targets_json(const std::vector<TargetAnalysis>& targets) {
  Json all = Json::array();
  for (const TargetAnalysis& target : targets) all.push_back(target_json(target));
  return all;
}

}  // namespace

Json to_json(const ProfileReport& report) {
  Json phases = Json::array();
  for (const PhaseAnalysis& phase : report.phases) {
    phases.push_back({{"phase", phase.phase},
                      {"brokeOff", or_null(phase.broke_off)},
                      {"durationSec", or_null(phase.duration_sec)},
                      {"profilerCpuSec", or_null(phase.profiler_cpu_sec)},
                      {"profilerCpuShare", or_null(phase.profiler_cpu_share)},
                      {"targets", targets_json(phase.targets)}});
  }
  const Limits& limits = report.limits;
  return {{"version", kVersion},
          {"tool", {{"version", wire::kToolVersion}, {"gitRevision", wire::kGitRevision}}},
          {"sampled",
           {{"by", report.how.by},
            {"events", report.how.events},
            {"frequencyHz", or_null(report.how.frequency_hz)},
            {"unwinding", or_null(report.how.unwinding)}}},
          {"profilerCpuSec", or_null(report.profiler_cpu_sec)},
          {"profilerCpuShare", or_null(report.profiler_cpu_share)},
          {"limits",
           {{"samplesMin", limits.samples_min},
            {"computeBoundShare", limits.compute_bound_share},
            {"waitingShare", limits.waiting_share},
            {"noCpuShare", limits.no_cpu_share},
            {"moduleShare", limits.module_share},
            {"brokenShare", limits.broken_share}}},
          {"notes", report.notes},
          {"all", targets_json(report.all)},
          {"phases", std::move(phases)},
          {"heap", report.heap.all.empty() ? Json(nullptr) : heap_json(report.heap)},
          {"contention", report.contention.all.empty() ? Json(nullptr) : contention_json(report.contention)}};
}

}  // namespace walstorm::profile
