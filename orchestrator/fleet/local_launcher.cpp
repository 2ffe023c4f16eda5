#include "orchestrator/fleet/local_launcher.h"

#include <utility>

namespace walstorm::fleet {

LocalLauncher::LocalLauncher(process::Variables variables, std::filesystem::path folder)
    : variables_(variables), folder_(std::move(folder)) {}

process::ChildOptions LocalLauncher::child(const std::string& program) const {
  process::ChildOptions options;
  options.program = folder_ / program;
  options.variables = variables_;
  return options;
}

}  // namespace walstorm::fleet
