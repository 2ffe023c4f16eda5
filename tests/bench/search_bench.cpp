// Known answers of `walstorm search`: a mock sink that takes so many records a second, and no more, is what
// the search has to find. Each search is a program of its own, as people start it; some run at once, for each
// of them leaves the machine mostly idle. 19 of 20 brackets have to hold the answer and be at most 5 % wide.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double kWidthMax = 0.05;
constexpr double kFoundShareMin = 0.95;

struct Options {
  int searches = 20;
  int parallel = 3;
  std::string trial_duration = "10s";
};

/// Spread over 800 to 6,000 records/s, so that the edge lies elsewhere among the values that are tried.
int capacity_of(int search) {
  return 800 + search * 1237 % 5200;
}

/// One search, from its start to its search.json.
class Searching final {
 public:
  Searching(process::EventLoop& loop, int number, int capacity, const Options& options)
      : capacity_(capacity) {
    const fs::path file = folder_.path() / "config.json";
    const json config{{"name", fmt::format("capped-{}", capacity)},
                      {"seed", number + 1},
                      {"phases", {{{"name", "load"}, {"durationSec", 20}, {"targetThroughput", capacity}}}},
                      {"producer", {{"writeMode", "copy"}, {"batchSize", 20}}},
                      {"consumer", {{"useMockClickhouse", true}, {"mock", {{"maxRecordsPerSec", capacity}}}}},
                      {"database", {{"url", "private"}}}};
    std::ofstream(file) << config.dump(2);
    process::ChildOptions child;
    child.program = fs::read_symlink("/proc/self/exe").parent_path() / "walstorm";
    child.arguments = {
        "search",           file.string(),          "--output", (folder_.path() / "out").string(),
        "--trial-duration", options.trial_duration, "--quiet"};
    child.log_file = folder_.path() / "walstorm.log";
    child_ = std::make_unique<process::ChildProcess>(loop, child);
  }

  [[nodiscard]] bool ended() const { return child_->ended().has_value(); }

  /// Whether it found what was built in; a line of the table.
  bool print() const {
    json found;
    for (const auto& entry : fs::directory_iterator(folder_.path() / "out")) {
      std::ifstream in(entry.path() / "search.json");
      if (in) found = json::parse(in, nullptr, false);
    }
    if (!found.is_object() || !found["lastPassing"].is_object() || !found["firstFailing"].is_object()) {
      fmt::print("  {:>8}  no bracket: {}\n", capacity_,
                 process::last_lines(folder_.path() / "walstorm.log", 3));
      return false;
    }
    const double low = found["lastPassing"]["targetThroughput"];
    const double high = found["firstFailing"]["targetThroughput"];
    const double width = found["width"];
    const bool good = low <= capacity_ && capacity_ <= high && width <= kWidthMax;
    fmt::print("  {:>8} {:>9.0f} {:>9.0f} {:>6.1f} % {:>7} {:<14} {:<10} {}\n", capacity_, low, high,
               width * 100, found["trials"].size(), found["stopReason"].get<std::string>(),
               found["boundBy"].is_string() ? found["boundBy"].get<std::string>() : "-",
               good ? "holds it" : "MISSED");
    std::fflush(stdout);
    return good;
  }

 private:
  tests::TemporaryFolder folder_;
  double capacity_;
  std::unique_ptr<process::ChildProcess> child_;
};

int bench(const Options& options) {
  process::EventLoop loop;
  fmt::print("capacity  passing   failing   width  trials stopped        bound by\n");
  std::vector<std::unique_ptr<Searching>> running;
  int begun = 0;
  int found = 0;
  while (begun < options.searches || !running.empty()) {
    while (begun < options.searches && running.size() < static_cast<std::size_t>(options.parallel)) {
      running.push_back(std::make_unique<Searching>(loop, begun, capacity_of(begun), options));
      ++begun;
    }
    const auto waited = loop.wait(std::chrono::hours(1), 0, [&] {
      return std::any_of(running.begin(), running.end(), [](const auto& search) { return search->ended(); });
    });
    if (waited != process::Waited::done) return 1;
    for (auto at = running.begin(); at != running.end();) {
      if (!(*at)->ended()) {
        ++at;
        continue;
      }
      if ((*at)->print()) ++found;
      at = running.erase(at);
    }
  }
  fmt::print("{} of {} brackets hold the capacity that was built in and are at most {:.0f} % wide\n", found,
             options.searches, kWidthMax * 100);
  return found >= kFoundShareMin * options.searches ? 0 : 1;
}

}  // namespace
}  // namespace walstorm::bench

int main(int argc, char** argv) {
  using namespace walstorm::bench;
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--searches") options.searches = std::atoi(argv[i + 1]);
    if (name == "--parallel") options.parallel = std::atoi(argv[i + 1]);
    if (name == "--trial-duration") options.trial_duration = argv[i + 1];
  }
  if (options.searches < 1 || options.parallel < 1) {
    fmt::print(stderr, "usage: {} [--searches N] [--parallel N] [--trial-duration TIME]\n", argv[0]);
    return 2;
  }
  try {
    return bench(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}
