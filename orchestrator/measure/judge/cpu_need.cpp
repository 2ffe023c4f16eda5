#include "orchestrator/measure/judge/cpu_need.h"

#include <algorithm>
#include <fmt/format.h>

namespace walstorm::measure {
namespace {

/// A process that is always on a CPU or waiting for one has no time left from here on.
constexpr double kCpuBoundShare = 0.85;
/// One that waits for a CPU for so much of the time may have too little of it, whatever it used: the kernel
/// counts a wait when it ends, so one who waits long is seen to have waited less.
constexpr double kCpuDeniedShare = 0.4;
/// Of the time in which it wanted a CPU a process should get this much.
constexpr double kServedShare = 0.75;
/// The kernel's own work and PostgreSQL's writers of WAL and pages take what is left.
constexpr double kMachineFullShare = 0.8;
/// With those counted too; and so much of it the run's own, for it to be the run that crowds the machine.
constexpr double kAllFullShare = 0.9;
constexpr double kOwnShare = 0.5;
/// Of the connections, those that wait for their client.
constexpr double kMostConnections = 0.5;
constexpr double kWaitWorthTelling = 0.05;

/// How much of the time a process wanted a CPU, whether it got one or not.
double cpu_wanted(const ProcessReport& process) {
  return process.cpu_share.value_or(0) + process.cpu_wait_share.value_or(0);
}

}  // namespace

const ProcessReport& process_of(const PhaseReport& phase, std::string_view role) {
  static const ProcessReport kNone{};
  const ProcessReport* found = &kNone;
  for (const ProcessReport& process : phase.processes) {
    const bool is_it = process.role == role || process.role.starts_with(fmt::format("{}-", role));
    if (is_it && process.cpu_share.value_or(-1) > found->cpu_share.value_or(-1)) found = &process;
  }
  return *found;
}

bool fills_a_cpu(const ProcessReport& process) {
  return process.cpu_share.value_or(0) >= kCpuBoundShare;
}

bool may_lack_cpu(const ProcessReport& process) {
  return process.cpu_share &&
         (cpu_wanted(process) >= kCpuBoundShare || process.cpu_wait_share.value_or(0) >= kCpuDeniedShare);
}

bool is_starved(const ProcessReport& process, double wanted) {
  return process.cpu_share && *process.cpu_share < kServedShare * std::max(wanted, cpu_wanted(process));
}

std::optional<bool> backends_wait_for_the_producer(const PhaseReport& phase, const PipeSettings& settings) {
  const auto& waits = phase.postgres.writer_waits;
  if (waits.empty()) return std::nullopt;
  double waiting = 0;
  for (const char* what : {"idle", "Client:ClientRead"}) {
    if (waits.contains(what)) waiting += waits.at(what);
  }
  return waiting >= kMostConnections * connections_of(settings);
}

bool is_crowded(const PhaseReport& phase) {
  const double own = phase.busy.cpus.value_or(0);
  const double all = phase.busy.machine.value_or(0);
  return own >= kMachineFullShare || (all >= kAllFullShare && own >= kOwnShare * all);
}

std::optional<double> used_by_others(const PhaseReport& phase) {
  if (!phase.busy.machine || !phase.busy.cpus) return std::nullopt;
  return std::max(0.0, *phase.busy.machine - *phase.busy.cpus);
}

std::optional<double> records_per_sec_by_cpu(const PhaseReport& phase) {
  const auto& per_sec = phase.producer.throughput;
  const auto& own = phase.busy.cpus;
  if (!per_sec || own.value_or(0) <= 0 || !process_of(phase, "postgres-backends").cpu_share)
    return std::nullopt;
  const double left = std::max(*own, 1 - used_by_others(phase).value_or(0));
  return *per_sec * left / *own;
}

std::string cpu_figure(const std::string& role) {
  return fmt::format("processes.{}.cpuShare", role);
}

std::string percent(double share) {
  return fmt::format("{:.0f} %", share * 100);
}

std::string cpu_text(const std::string& who, const ProcessReport& process) {
  std::string text = fmt::format("{} used {} of a core", who, percent(process.cpu_share.value_or(0)));
  if (process.cpu_wait_share.value_or(0) >= kWaitWorthTelling)
    text += fmt::format(" and waited for a CPU for {} of the time", percent(*process.cpu_wait_share));
  return text;
}

Evidence machine_evidence(const PhaseReport& phase, double cpu_count) {
  const BusyReport& busy = phase.busy;
  const std::string own = fmt::format("the run's processes used {} of this machine's {} CPUs",
                                      percent(busy.cpus.value_or(0)), cpu_count);
  if (busy.cpus.value_or(0) >= kMachineFullShare || !busy.machine)
    return {"busy.cpus", busy.cpus, kMachineFullShare, own};
  return {"busy.machine", busy.machine, kAllFullShare,
          fmt::format("{}, all processes together {}", own, percent(*busy.machine))};
}

}  // namespace walstorm::measure
