#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "orchestrator/fleet/launcher.h"

namespace walstorm::fleet {

/// Workers by a command of the user's: ["ssh", "{host}", "{program}"]. The command stays while the worker
/// lives, hands stdin and stdout through, and may be one that becomes the worker by exec.
///
/// It is given walstorm's own environment but for secrets: an agent's socket, a cluster's configuration. A
/// signal goes to all of its process group. A worker elsewhere that no signal reaches ends by its stdin.
class CommandLauncher final : public Launcher {
 public:
  /// `{host}` and `{program}` in `command`'s words are replaced: by `host`, and by a program's path in
  /// `program_folder`, which is the host's. Throws Error{config} for a command without a word or without
  /// {program}.
  CommandLauncher(std::vector<std::string> command, std::string host, std::filesystem::path program_folder);

  [[nodiscard]] process::ChildOptions child(const std::string& program) const override;
  [[nodiscard]] bool child_is_worker() const override { return false; }

 private:
  const std::vector<std::string> command_;
  const std::string host_;
  const std::filesystem::path program_folder_;
};

}  // namespace walstorm::fleet
