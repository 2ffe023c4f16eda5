#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/config/environment.h"
#include "orchestrator/config/figure_names.h"

namespace walstorm::config {

/// One value that the command line (or DATABASE_URL, CLICKHOUSE_URL) puts in place of the file's.
struct Override {
  std::string flag;  ///< as messages name it: "--set producer.batchSize=", "--throughput "
  std::string
      path;  ///< "producer.batchSize", "phases.0.durationSec", "phases.*.durationSec" (of every phase)
  std::string value;     ///< JSON; what is not JSON is text
  bool as_text = false;  ///< text even if it looks like JSON: a name may be 123
};

struct LoadRequest {
  std::optional<std::filesystem::path> file;
  std::vector<Override> overrides;  ///< later ones win
  std::optional<std::filesystem::path> env_file;
  /// False where nothing will be flushed (`walstorm clean`): then the lack of a sink is no error.
  bool needs_sink = true;
};

/// Resolves a configuration: built-in < file < overrides, ${NAME} of the sections database and
/// clickhouse replaced, DATABASE_URL and CLICKHOUSE_URL where neither file nor flag names a server (the
/// latter only where the sink is not the mock). Without a file the run is one phase of 60 s at the producer's
/// target. `process` is the environment of this process (process_environment()); .env.local is looked for in
/// `working_dir` and beside the file. `figures` are what thresholds may
/// name: with none, a threshold is refused.
///
/// Throws Error{config} with every problem, one a line: "config.json: /phases/2/durationSec: -5: must be at
/// least 1"; Error{unavailable} when all is well but there is no sink to flush into.
[[nodiscard]] Config load(const LoadRequest& request, const Environment& process,
                          const std::filesystem::path& working_dir, const FigureNames& figures = {});

}  // namespace walstorm::config
