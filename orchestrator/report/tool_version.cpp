#include "orchestrator/report/tool_version.h"

#include "proto/wire/version.h"

namespace walstorm::report {

ToolVersion this_tool() {
  return {wire::kToolVersion, wire::kGitRevision, wire::kBuildType};
}

}  // namespace walstorm::report
