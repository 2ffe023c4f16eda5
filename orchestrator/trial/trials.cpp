#include "orchestrator/trial/trials.h"

#include <fmt/format.h>
#include <utility>

#include "orchestrator/config/json/secrets.h"
#include "orchestrator/text/format.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

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
      terminal_(config::hide_secrets),
      progress_(terminal_.out(), display),
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
    if (!terminal_.is_idle()) return;
    progress_.show(fmt::format("{}: {} {}, lag p99 {}", doing, text::sec_text(second.phase_elapsed_sec),
                               text::rate_text(second.landed_per_sec), text::ms_text(second.lag_p99_ms)));
  };
  silent.on_not_written = [this, run = config.name](const std::vector<std::string>& not_written) {
    outputs_.take_over(run, not_written);
  };
  return run::carry_out(loop_, servers_.against(config), folder_.path(), silent,
                        [this] { return servers_.failure(); });
}

int Trials::conclude(const std::function<std::string()>& result, const std::function<void()>& write,
                     int exit_code) {
  progress_.end();
  outputs_.attempt("standard output", [&] { terminal_.out() << result() << std::flush; });
  write();
  const auto not_written = outputs_.not_written();
  terminal_.out() << report::not_written_text(not_written, exit_code) << std::flush;
  terminal_.finish(loop_);
  return report::exit_code_with(not_written, exit_code);
}

/// A trial's last phase is the judged one.
void Trials::take(const measure::Second& second) {
  if (std::exchange(phase_, second.phase) != second.phase) lag_ms_.clear();
  if (second.draining || second.phase_elapsed_sec < kFillingSec || !second.lag_p50_ms) return;
  lag_ms_.push_back(*second.lag_p50_ms);
}

}  // namespace walstorm::trial
