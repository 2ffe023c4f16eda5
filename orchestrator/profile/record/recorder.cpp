#include "orchestrator/profile/record/recorder.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <fstream>
#include <utility>

#include "orchestrator/process/private_folder.h"
#include "orchestrator/process/proc_stat.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;
using wire::Error;
using wire::ErrorKind;

/// perf writes out what it still holds.
constexpr std::chrono::seconds kEndTimeout{15};
constexpr std::chrono::minutes kScriptTimeout{5};
constexpr int kScriptLogLines = 3;

std::int64_t now_unix_us() {
  return wire::SystemClock().unix_us();
}

/// Ended by our SIGINT, or by itself as its processes ended; both leave a file.
bool went_well(const process::ExitStatus& status) {
  return status.ok() || status.signal == SIGINT || status.signal == SIGTERM;
}

}  // namespace

Recorder::Recorder(process::EventLoop& loop, PerfAbility ability, unsigned frequency_hz, fs::path folder,
                   fs::path log_file)
    : loop_(loop),
      ability_(std::move(ability)),
      frequency_hz_(frequency_hz),
      folder_(std::move(folder)),
      log_file_(std::move(log_file)) {}

void Recorder::add(const std::string& phase, const std::vector<Sampled>& processes) {
  Running running;
  std::string pids;
  for (const Sampled& process : processes) {
    const auto used = process::read_proc_stat(process.pid);
    if (!used) continue;
    running.counted_before_us[process.pid] = used->cpu_user_us + used->cpu_system_us;
    running.recording.targets[process.pid] = process.target;
    pids += (pids.empty() ? "" : ",") + std::to_string(process.pid);
  }
  if (pids.empty() || !ability_.on_cpu) return;
  running.recording.phase = phase;
  running.recording.data = folder_ / fmt::format("{:02}.perf.data", ++files_);
  running.recording.began_unix_us = now_unix_us();
  process::ChildOptions options;
  options.program = ability_.perf;
  options.arguments = {"record",       "--no-buildid-cache",
                       "-o",           running.recording.data.string(),
                       "-F",           std::to_string(frequency_hz_),
                       "--call-graph", "fp",
                       "-e",           "cycles"};
  options.arguments.insert(options.arguments.end(), {"--switch-events", "-p", pids});
  if (ability_.off_cpu) options.arguments.insert(options.arguments.end(), {"-e", "sched:sched_switch"});
  options.log_file = log_file_;
  try {
    running.perf = std::make_unique<process::ChildProcess>(loop_, options);
  } catch (const Error& error) {
    running.recording.failure = error.what();
  }
  running_.push_back(std::move(running));
}

void Recorder::end() {
  for (Running& running : running_) {
    if (!running.perf || running.recording.ended_unix_us != 0) continue;
    running.recording.ended_unix_us = now_unix_us();
    for (const auto& [pid, before_us] : running.counted_before_us) {
      if (const auto used = process::read_proc_stat(pid))
        running.recording.counted_cpu_us[running.recording.targets.at(pid)] +=
            used->cpu_user_us + used->cpu_system_us - before_us;
    }
    if (running.perf->ended()) continue;
    if (const auto used = process::read_proc_stat(running.perf->pid()))
      running.recording.own_cpu_us = used->cpu_user_us + used->cpu_system_us;
    running.perf->send_signal(SIGINT);
  }
}

std::vector<Recording> Recorder::take() {
  end();
  const auto all_ended = [this] {
    return std::all_of(running_.begin(), running_.end(),
                       [](const Running& running) { return !running.perf || running.perf->ended(); });
  };
  // A Ctrl-C that ended the run early is not meant for its profile; the next one is.
  (void)loop_.wait(kEndTimeout, loop_.interrupts(), all_ended);
  std::vector<Recording> recordings;
  for (Running& running : running_) {
    Recording& recording = running.recording;
    std::error_code missing;
    if (running.perf && !running.perf->ended()) {
      recording.failure = fmt::format("perf did not end within {} s", kEndTimeout.count());
    } else if (running.perf && !went_well(*running.perf->ended())) {
      recording.failure = fmt::format("perf ended with {}: {}", to_string(*running.perf->ended()),
                                      process::last_lines(log_file_, kScriptLogLines));
    } else if (running.perf && fs::file_size(recording.data, missing) == 0) {
      recording.failure = "perf left an empty file";
    }
    recordings.push_back(std::move(recording));
  }
  running_.clear();
  return recordings;
}

PerfScript::Result Recorder::read(const Recording& recording) {
  return read_perf_data(loop_, ability_.perf, recording.data, recording.phase, frequency_hz_,
                        [&recording](pid_t pid, const std::string&) -> std::optional<std::string> {
                          const auto found = recording.targets.find(pid);
                          if (found == recording.targets.end()) return std::nullopt;
                          return found->second;
                        });
}

PerfScript::Result read_perf_data(process::EventLoop& loop, const std::string& perf, const fs::path& data,
                                  const std::string& phase, double frequency_hz,
                                  PerfScript::TargetOf target_of) {
  const process::PrivateFolder folder(process::FolderFor::profile);
  const fs::path text = folder.path() / "script.txt";
  process::ChildOptions options;
  options.program = "/bin/sh";  // its output is too much for a log, and errors do not belong in it
  options.arguments = {"-c",          "out=$1; shift; exec \"$@\" >\"$out\"",
                       "sh",          text.string(),
                       perf,          "script",
                       "-i",          fs::absolute(data).string(),
                       "-F",          kPerfScriptFields,
                       "--no-inline", "--show-switch-events"};
  options.log_file = folder.path() / "script.log";
  process::ChildProcess child(loop, options);
  const auto waited = loop.wait(kScriptTimeout, loop.interrupts(), [&] { return child.ended().has_value(); });
  if (waited != process::Waited::done || !child.ended()->ok()) {
    throw Error(
        ErrorKind::unavailable,
        fmt::format("read {} by perf script: {}", data.string(),
                    waited == process::Waited::done ? process::last_lines(options.log_file, kScriptLogLines)
                    : waited == process::Waited::interrupted ? "interrupted"
                                                             : "it did not end in time"));
  }
  PerfScript script(phase, frequency_hz, std::move(target_of));
  std::ifstream in(text);
  script.read(in);
  return script.finish();
}

}  // namespace walstorm::profile
