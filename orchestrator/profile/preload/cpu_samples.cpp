#include "orchestrator/profile/preload/cpu_samples.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "orchestrator/profile/preload/symbols.h"
#include "orchestrator/profile/stacks/perf_script.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

/// Beyond it a stack's length is no length: the profiler keeps 254 frames at most.
constexpr std::uint64_t kFramesMax = 1024;

class Words final {
 public:
  explicit Words(std::string_view bytes) : bytes_(bytes) {}

  std::optional<std::uint64_t> next() {
    std::uint64_t word = 0;
    if (bytes_.size() < sizeof word) return std::nullopt;
    std::memcpy(&word, bytes_.data(), sizeof word);
    bytes_.remove_prefix(sizeof word);
    return word;
  }
  [[nodiscard]] std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace

CpuSamples read_cpu_samples(std::string_view bytes) {
  CpuSamples samples;
  Words words(bytes);
  const auto zero = words.next(), header = words.next(), version = words.next(), period = words.next();
  if (!period || *zero != 0 || *header < 3 || *header > kFramesMax || *version != 0)
    throw wire::Error(wire::ErrorKind::data, "this is no CPU profile of gperftools'");
  samples.period_us = *period;
  for (std::uint64_t i = 2; i < *header; ++i) (void)words.next();
  while (true) {
    const auto count = words.next(), depth = words.next();
    if (!depth) return samples;
    if (*depth > kFramesMax)
      throw wire::Error(wire::ErrorKind::data,
                        "a CPU profile of gperftools' has a stack of impossible length");
    CpuSamples::Stack stack{*count, {}};
    for (std::uint64_t i = 0; i < *depth; ++i) {
      const auto address = words.next();
      if (!address) return samples;
      stack.addresses.push_back(*address);
    }
    if (*count == 0) break;  // the trailer
    samples.stacks.push_back(std::move(stack));
  }
  samples.maps = std::string(words.rest());
  samples.complete = true;
  return samples;
}

Profile named(const CpuSamples& samples, const std::string& phase, const std::string& target,
              std::optional<std::uint64_t> cpu_us) {
  Profile profile;
  std::uint64_t count = 0;
  for (const CpuSamples::Stack& stack : samples.stacks) count += stack.count;
  const double ns = cpu_us && count > 0 ? 1000.0 * static_cast<double>(*cpu_us) / static_cast<double>(count)
                                        : 1000.0 * static_cast<double>(samples.period_us);
  Symbols symbols(samples.maps);
  for (const CpuSamples::Stack& stack : samples.stacks) {
    std::vector<Frame> frames;
    for (std::size_t i = stack.addresses.size(); i-- > 0;)
      frames.push_back(symbols.at(i == 0 ? stack.addresses[i] : stack.addresses[i] - 1));
    profile.add({phase, target, Kind::on_cpu}, profile.numbers_of(frames), is_broken(frames), stack.count,
                static_cast<std::uint64_t>(std::llround(ns * static_cast<double>(stack.count))));
  }
  return profile;
}

}  // namespace walstorm::profile
