#include "tests/support/wrapped_run.h"

#include <fmt/format.h>
#include <fstream>

namespace walstorm::tests {

WrappedProgram::WrappedProgram(const std::string& before, const std::string& after,
                               const std::filesystem::path& program) {
  std::ofstream(script()) << fmt::format("#!/bin/sh\n{}\nexec {} \"$@\" {}\n", before, program.string(),
                                         after);
  std::filesystem::permissions(script(), std::filesystem::perms::owner_all);
}

}  // namespace walstorm::tests
