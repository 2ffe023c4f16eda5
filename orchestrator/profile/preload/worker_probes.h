#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/preload/gperftools.h"

namespace walstorm::profile {

/// The profilers that walstorm's own workers carry within them, and the signals that drive these. A worker is
/// signalled only where it has a handler for it, and between phases, when it has nothing to do. Whatever goes
/// wrong is told in notes() and never thrown. Lives on the loop.
class WorkerProbes final {
 public:
  struct Worker {
    std::string name, target;
    pid_t pid = 0;
  };
  /// What one worker left of a phase.
  struct CpuFile {
    std::string phase, worker, target;
    std::filesystem::path file;
    std::int64_t began_unix_us = 0, ended_unix_us = 0;
    std::optional<std::uint64_t> cpu_us;  ///< that the worker took in it, by /proc
  };
  struct HeapFiles {
    std::string phase, worker, target;
    std::filesystem::path begin, end;  ///< empty: it did not come
    std::optional<std::uint64_t> rss_begin_bytes, rss_end_bytes;
  };

  /// `folder` takes what the workers write.
  WorkerProbes(process::EventLoop& loop, Gperftools found, const std::filesystem::path& folder);

  /// The variables with which that worker is to be started, so that it carries that.
  [[nodiscard]] std::vector<std::string> equip(const std::string& worker, Carried carried);

  /// Those that carry something begin to sample, and write what their heaps hold. Turns the loop for a
  /// moment.
  void begin_phase(const std::string& phase, const std::vector<Worker>& workers);
  /// The opposite, and their heaps once more. Does nothing when no phase is on.
  void end_phase();

  [[nodiscard]] const std::vector<CpuFile>& cpu_files() const { return cpu_files_; }
  [[nodiscard]] const std::vector<HeapFiles>& heap_files() const { return heap_files_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Equipped {
    Carried carried = Carried::nothing;
    unsigned cpu_files = 0, dumps = 0;
    bool samples = false;  // it was told to
  };

  [[nodiscard]] std::string stem(const std::string& worker) const;
  void toggle(const Worker& worker);
  [[nodiscard]] std::vector<std::filesystem::path> dump_heaps();
  [[nodiscard]] std::filesystem::path new_dump(const std::string& worker) const;
  void note(const std::string& text);

  process::EventLoop& loop_;
  const Gperftools found_;
  const std::filesystem::path folder_;
  std::map<std::string, Equipped> equipped_;  // by the worker's name
  std::vector<Worker> workers_;               // of the phase that is on
  std::vector<CpuFile> cpu_files_;
  std::vector<HeapFiles> heap_files_;
  std::vector<std::string> notes_;
};

/// Whether process `pid` has a handler for that signal, of its own or of a library's; without one a real-time
/// signal would end it.
[[nodiscard]] bool has_handler(pid_t pid, int signal);

}  // namespace walstorm::profile
