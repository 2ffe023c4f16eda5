#pragma once

#include <string>

namespace walstorm::report {

/// Which walstorm made a run; empty where its file does not say.
struct ToolVersion {
  std::string version, git_revision, build_type;
};

/// This program's own.
[[nodiscard]] ToolVersion this_tool();

}  // namespace walstorm::report
