#pragma once

#include <gtest/gtest.h>
#include <variant>
#include <vector>

#include "orchestrator/cli/cli.h"

namespace walstorm {

/// The command line with these words behind the program's name.
inline std::variant<CommandLine, Answer> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "walstorm");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

/// What the words ask for; a failure when they are answered instead.
inline CommandLine taken(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    ADD_FAILURE() << "answered: " << answer->text;
    return {};
  }
  return std::get<CommandLine>(parsed);
}

}  // namespace walstorm
