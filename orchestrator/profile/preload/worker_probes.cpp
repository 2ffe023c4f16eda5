#include "orchestrator/profile/preload/worker_probes.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/proc_stat.h"
#include "proto/wire/clock.h"

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// A heap is written in milliseconds. One that is being changed at that very moment is left as it is, and
/// asked again.
constexpr milliseconds kDumpTimeout{3000};
constexpr milliseconds kDumpLook{5};
constexpr int kLooksPerSignal = 40;

std::int64_t now_unix_us() {
  return wire::SystemClock().unix_us();
}

std::optional<std::uint64_t> rss_bytes(pid_t pid) {
  const auto stat = process::read_proc_stat(pid);
  return stat ? std::optional(stat->rss_bytes) : std::nullopt;
}

std::optional<std::uint64_t> cpu_us(pid_t pid) {
  const auto stat = process::read_proc_stat(pid);
  return stat ? std::optional(stat->cpu_user_us + stat->cpu_system_us) : std::nullopt;
}

fs::path whole_path(const fs::path& folder) {
  std::error_code failed;
  fs::path path = fs::absolute(folder, failed);
  return failed ? folder : path;
}

}  // namespace

WorkerProbes::WorkerProbes(process::EventLoop& loop, Gperftools found, const fs::path& folder)
    : loop_(loop), found_(std::move(found)), folder_(whole_path(folder)) {}

std::string WorkerProbes::stem(const std::string& worker) const {
  return (folder_ / worker).string();
}

std::vector<std::string> WorkerProbes::equip(const std::string& worker, Carried carried) {
  std::vector<std::string> variables = variables_of(found_, carried, stem(worker));
  if (!variables.empty()) equipped_[worker].carried = carried;
  return variables;
}

void WorkerProbes::begin_phase(const std::string& phase, const std::vector<Worker>& workers) {
  workers_.clear();
  for (const Worker& worker : workers) {
    if (equipped_.contains(worker.name)) workers_.push_back(worker);
  }
  const std::vector<fs::path> dumps = dump_heaps();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const Worker& worker = workers_[i];
    Equipped& equipped = equipped_.at(worker.name);
    if (equipped.carried == Carried::heap_profiler)
      heap_files_.push_back({phase, worker.name, worker.target, dumps[i], {}, rss_bytes(worker.pid), {}});
    toggle(worker);
    if (!equipped.samples) continue;
    const fs::path file = fmt::format("{}.cpu.{}", stem(worker.name), equipped.cpu_files++);
    cpu_files_.push_back({phase, worker.name, worker.target, file, now_unix_us(), 0, cpu_us(worker.pid)});
  }
}

void WorkerProbes::end_phase() {
  for (const Worker& worker : workers_) {
    toggle(worker);
    for (CpuFile& file : cpu_files_) {
      if (file.ended_unix_us != 0 || file.worker != worker.name) continue;
      file.ended_unix_us = now_unix_us();
      const auto now_us = cpu_us(worker.pid);
      file.cpu_us = now_us && file.cpu_us ? std::optional(*now_us - *file.cpu_us) : std::nullopt;
    }
  }
  const std::vector<fs::path> dumps = dump_heaps();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const auto last = std::find_if(heap_files_.rbegin(), heap_files_.rend(),
                                   [&](const HeapFiles& files) { return files.worker == workers_[i].name; });
    if (last == heap_files_.rend() || !last->end.empty()) continue;
    last->end = dumps[i];
    last->rss_end_bytes = rss_bytes(workers_[i].pid);
  }
  workers_.clear();
}

/// Begins to sample, or ends it: one signal does both.
void WorkerProbes::toggle(const Worker& worker) {
  Equipped& equipped = equipped_.at(worker.name);
  if (equipped.carried != Carried::sampler) return;
  if (!has_handler(worker.pid, cpu_signal())) {
    if (!equipped.samples)
      note(
          fmt::format("{} cannot be sampled from within: it has ended, or was not started here as a child, "
                      "or {} did not load",
                      worker.name, found_.cpu));
    return;
  }
  if (::kill(worker.pid, cpu_signal()) == 0) equipped.samples = !equipped.samples;
}

/// Of each worker the file that it wrote; empty where it wrote none.
std::vector<fs::path> WorkerProbes::dump_heaps() {
  std::vector<fs::path> files(workers_.size());
  std::vector<bool> is_due(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Equipped& equipped = equipped_.at(workers_[i].name);
    is_due[i] = equipped.carried == Carried::heap_profiler && has_handler(workers_[i].pid, heap_signal());
    if (equipped.carried == Carried::heap_profiler && !is_due[i])
      note(fmt::format(
          "the heap of {} is not known: it has ended, or was not started here as a child, or {} did not load",
          workers_[i].name, found_.heap));
    while (!new_dump(workers_[i].name).empty()) ++equipped.dumps;  // answers that came late
  }
  boost::asio::steady_timer tick(loop_.io());
  const auto deadline = std::chrono::steady_clock::now() + kDumpTimeout;
  for (int looks = 0; std::find(is_due.begin(), is_due.end(), true) != is_due.end() &&
                      std::chrono::steady_clock::now() < deadline;
       ++looks) {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (is_due[i] && looks % kLooksPerSignal == 0) (void)::kill(workers_[i].pid, heap_signal());
    }
    const auto ticked = std::make_shared<bool>(false);  // may outlive the wait
    tick.expires_after(kDumpLook);
    tick.async_wait([ticked](const boost::system::error_code&) { *ticked = true; });
    (void)loop_.wait(kDumpTimeout, loop_.interrupts(), [&ticked] { return *ticked; });
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (is_due[i] && !(files[i] = new_dump(workers_[i].name)).empty()) is_due[i] = false;
    }
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (is_due[i])
      note(fmt::format("{} did not write what its heap holds within {} s", workers_[i].name,
                       kDumpTimeout.count() / 1000));
  }
  return files;
}

fs::path WorkerProbes::new_dump(const std::string& worker) const {
  const fs::path file = fmt::format("{}.{:04d}.heap", stem(worker), equipped_.at(worker).dumps + 1);
  std::error_code missing;
  return fs::exists(file, missing) ? file : fs::path();
}

void WorkerProbes::note(const std::string& text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(text);
}

bool has_handler(pid_t pid, int signal) {
  constexpr std::string_view kCaught = "SigCgt:";
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(kCaught)) continue;
    const auto mask = std::strtoull(line.c_str() + kCaught.size(), nullptr, 16);
    return (mask >> (signal - 1) & 1U) != 0;
  }
  return false;
}

}  // namespace walstorm::profile
