#include "orchestrator/trial/trials.h"

#include <fmt/format.h>
#include <iostream>
#include <utility>

#include "orchestrator/report/format.h"
#include "proto/wire/clock.h"

namespace walstorm::trial {
namespace {

constexpr double kFillingSec = 2;

report::RunFolder folder_of(const config::Config& base, const std::string& command,
                            const std::optional<std::filesystem::path>& resume) {
  if (resume) return report::RunFolder::open(*resume);
  return {base.output_dir, fmt::format("{}-{}", base.name, command), wire::SystemClock().unix_us()};
}

}  // namespace

Trials::Trials(process::EventLoop& loop, const config::Config& base, const std::string& command,
               const std::optional<std::filesystem::path>& resume, const run::Display& display)
    : loop_(loop),
      display_(display),
      folder_(folder_of(base, command, resume)),
      progress_(std::cout, display),
      servers_(loop, base, folder_.logs()) {}

measure::RunReport Trials::carry_out(const config::Config& config, const std::string& doing) {
  progress_.show(doing);
  phase_.clear();
  lag_ms_.clear();
  servers_.replace_dead();
  servers_.discard_leftovers();
  run::Display silent;
  silent.quiet = true;
  silent.summary = false;
  silent.on_second = [this, &doing](const measure::Second& second) {
    take(second);
    progress_.show(fmt::format("{}: {} {}, lag p99 {}", doing, report::sec_text(second.phase_elapsed_sec),
                               report::rate_text(second.landed_per_sec), report::ms_text(second.lag_p99_ms)));
  };
  return run::carry_out(loop_, servers_.against(config), folder_.path(), silent,
                        [this] { return servers_.failure(); });
}

/// A trial's last phase is the judged one.
void Trials::take(const measure::Second& second) {
  if (std::exchange(phase_, second.phase) != second.phase) lag_ms_.clear();
  if (second.draining || second.phase_elapsed_sec < kFillingSec || !second.lag_p50_ms) return;
  lag_ms_.push_back(*second.lag_p50_ms);
}

}  // namespace walstorm::trial
