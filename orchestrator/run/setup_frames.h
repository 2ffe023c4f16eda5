#pragma once

#include <cstdint>
#include <string>

#include "orchestrator/config/config.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/config/process_roles.h"
#include "orchestrator/target/target.h"
#include "proto/control.pb.h"

/// Config and plan as the frames that workers are told by. Pure.
namespace walstorm::run {

using config::consumer_name;
using config::producer_name;

/// application_name of a worker's connections is this and the worker's name.
inline constexpr const char* kApplicationPrefix = "walstorm-";

/// What all workers of a run are told alike.
struct SetupFacts {
  std::string run_id;
  std::string conninfo;  ///< of the profiling database, with this worker's application_name
  bool private_server = false;
  std::uint32_t wal_sender_timeout_ms = 0;
};

[[nodiscard]] proto::ControlFrame producer_setup(const config::Config& config, const SetupFacts& facts,
                                                 unsigned index);
/// `target` is where its sink writes.
[[nodiscard]] proto::ControlFrame consumer_setup(const config::Config& config, const SetupFacts& facts,
                                                 const target::Target& target, unsigned index);
[[nodiscard]] proto::ControlFrame start_phase(const config::PhasePlan& phase);
[[nodiscard]] proto::ControlFrame start_preload(const config::Phase& preload);
[[nodiscard]] proto::ControlFrame end_phase(unsigned phase_index, double drain_timeout_sec);

}  // namespace walstorm::run
