#include "orchestrator/profile/preload/gperftools.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <system_error>

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;
using config::Finding;
using config::Level;

constexpr const char* kCpuLibrary = "libprofiler.so.0";
constexpr const char* kHeapLibrary = "libtcmalloc.so.4";
/// The timer is looked at with the kernel's tick (CONFIG_HZ: 100 to 1,000), and only when that meets the
/// process running, which short bursts often evade: so whenever it does, a sample is due.
constexpr unsigned kSamplerHz = 1000;
constexpr const char* kInstall =
    "apt-get install libgoogle-perftools4 (from Debian 13 and Ubuntu 24.04 on: "
    "libgoogle-perftools4t64)";
constexpr const char* kInTheWay =
    "the workers are built with a sanitizer, whose allocator stands in its place";

std::string library_path(const char* name) {
  std::vector<fs::path> folders{"/usr/local/lib", "/usr/lib64", "/usr/lib", "/lib64", "/lib"};
  for (const char* above : {"/usr/lib", "/lib"}) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(above, missing)) {
      if (entry.path().filename().string().ends_with("-linux-gnu")) folders.push_back(entry.path());
    }
  }
  for (const fs::path& folder : folders) {
    std::error_code missing;
    if (fs::exists(folder / name, missing)) return (folder / name).string();
  }
  return {};
}

}  // namespace

Gperftools look_for_gperftools() {
  Gperftools found{library_path(kCpuLibrary), library_path(kHeapLibrary)};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  found.in_the_way = true;
#endif
  return found;
}

Finding judge_sampler(const Gperftools& found) {
  constexpr const char* kWhat = "without perf";
  if (found.in_the_way)
    return {Level::note, kWhat, std::string("no flame graphs: ") + kInTheWay, "use a release build"};
  if (found.cpu.empty()) {
    return {Level::note, kWhat, fmt::format("no flame graphs either: {} is not installed", kCpuLibrary),
            kInstall};
  }
  return {Level::ok, kWhat,
          fmt::format(
              "the workers sample themselves by {}: what runs in them, without the kernel's part and without "
              "waits; PostgreSQL and ClickHouse cannot be sampled so",
              found.cpu),
          ""};
}

Finding judge_heap(const Gperftools& found) {
  constexpr const char* kWhat = "heap";
  if (found.in_the_way)
    return {Level::note, kWhat, std::string("cannot be profiled: ") + kInTheWay, "use a release build"};
  if (found.heap.empty()) {
    return {Level::note, kWhat, fmt::format("cannot be profiled: {} is not installed", kHeapLibrary),
            kInstall};
  }
  return {Level::ok, kWhat, fmt::format("the workers' allocations are counted by {}", found.heap), ""};
}

int cpu_signal() {
  return SIGRTMIN + 7;
}

int heap_signal() {
  return SIGRTMIN + 8;
}

std::vector<std::string> variables_of(const Gperftools& found, Carried carried, const std::string& stem) {
  const std::string& library = carried == Carried::sampler ? found.cpu : found.heap;
  if (carried == Carried::nothing || library.empty() || found.in_the_way) return {};
  const char* inherited = std::getenv("LD_PRELOAD");
  const bool has_more = inherited != nullptr && *inherited != '\0';
  std::vector<std::string> variables{"LD_PRELOAD=" + library +
                                     (has_more ? std::string(":") + inherited : "")};
  if (carried == Carried::sampler) {
    variables.push_back("CPUPROFILE=" + stem + ".cpu");
    variables.push_back(fmt::format("CPUPROFILESIGNAL={}", cpu_signal()));
    variables.push_back(fmt::format("CPUPROFILE_FREQUENCY={}", kSamplerHz));
    // In a signal's handler frame pointers are the safest way. For the heap there is no choice: tcmalloc's
    // own functions have none.
    variables.emplace_back("TCMALLOC_STACKTRACE_METHOD=generic_fp");
  } else {
    variables.push_back("HEAPPROFILE=" + stem);
    variables.push_back(fmt::format("HEAPPROFILESIGNAL={}", heap_signal()));
    // Only when it is told to: by itself it would write after each GB taken.
    variables.emplace_back("HEAP_PROFILE_ALLOCATION_INTERVAL=0");
    variables.emplace_back("HEAP_PROFILE_INUSE_INTERVAL=0");
  }
  return variables;
}

}  // namespace walstorm::profile
