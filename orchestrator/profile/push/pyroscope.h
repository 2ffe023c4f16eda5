#pragma once

#include <string>
#include <vector>

#include "orchestrator/profile/push/http_exchange.h"
#include "orchestrator/profile/stacks/pprof.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// The requests that push a phase's on-CPU stacks, one for each target: POST /ingest with folded stacks and
/// name, from, until, format, sampleRate, spyName, units and aggregationType, as Pyroscope's server API has
/// them (https://grafana.com/docs/pyroscope/latest/configure-server/about-server-api). Tags are run, phase
/// and role. `url` may have a path before /ingest.
[[nodiscard]] std::vector<HttpRequest> pyroscope_requests(const std::string& url, const std::string& run,
                                                          const std::string& phase, const Profile& profile,
                                                          const Taken& taken);

/// Sends them. A sentence for each phase that could not be pushed: that is a warning, and no more. Blocks.
[[nodiscard]] std::vector<std::string> push_to_pyroscope(const std::vector<HttpRequest>& requests);

}  // namespace walstorm::profile
