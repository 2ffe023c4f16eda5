#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temporary_folder.h"

namespace walstorm::tests {

/// walstorm as a shell starts it: `before` is what the script says first ("trap '' HUP"), `after` what stands
/// behind the command (a redirection). Give script() to WalstormRun as the program.
class WrappedProgram final {
 public:
  explicit WrappedProgram(const std::string& before, const std::string& after = "",
                          const std::filesystem::path& program = WALSTORM_BINARY);

  [[nodiscard]] std::filesystem::path script() const { return folder_.path() / "run.sh"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace walstorm::tests
