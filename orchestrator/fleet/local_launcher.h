#pragma once

#include <filesystem>

#include "orchestrator/fleet/launcher.h"
#include "orchestrator/process/program_path.h"

namespace walstorm::fleet {

/// Workers as children of ours, of programs in one folder.
class LocalLauncher final : public Launcher {
 public:
  /// `variables`: what the workers are given of the environment.
  explicit LocalLauncher(process::Variables variables, std::filesystem::path folder = process::own_folder());

  [[nodiscard]] process::ChildOptions child(const std::string& program) const override;
  [[nodiscard]] bool child_is_worker() const override { return true; }

 private:
  const process::Variables variables_;
  const std::filesystem::path folder_;
};

}  // namespace walstorm::fleet
