#include "orchestrator/fleet/command_launcher.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>

#include "orchestrator/process/program_path.h"
#include "proto/wire/error.h"

namespace walstorm::fleet {
namespace {

constexpr std::string_view kHost = "{host}";
constexpr std::string_view kProgram = "{program}";

/// `word` with each of the two replaced; what is put in is not looked at again.
std::string filled_in(std::string_view word, const std::string& host, const std::string& program) {
  std::string filled;
  while (!word.empty()) {
    const bool is_host = word.starts_with(kHost);
    if (is_host || word.starts_with(kProgram)) {
      filled += is_host ? host : program;
      word.remove_prefix(is_host ? kHost.size() : kProgram.size());
    } else {
      filled += word.front();
      word.remove_prefix(1);
    }
  }
  return filled;
}

}  // namespace

CommandLauncher::CommandLauncher(std::vector<std::string> command, std::string host,
                                 std::filesystem::path program_folder)
    : command_(std::move(command)), host_(std::move(host)), program_folder_(std::move(program_folder)) {
  const bool names_program = std::any_of(command_.begin(), command_.end(), [](const std::string& word) {
    return word.find(kProgram) != std::string::npos;
  });
  if (names_program) return;
  throw wire::Error(
      wire::ErrorKind::config,
      fmt::format("the launcher [{}] starts no worker: one of its words has to be or contain {}",
                  fmt::join(command_, ", "), kProgram));
}

process::ChildOptions CommandLauncher::child(const std::string& program) const {
  const std::string path = (program_folder_ / program).string();
  process::ChildOptions options;
  const std::string first = filled_in(command_.front(), host_, path);
  options.program =
      first.find('/') == std::string::npos ? process::in_path(first) : std::filesystem::path(first);
  if (options.program.empty()) {
    throw wire::Error(wire::ErrorKind::unavailable,
                      fmt::format("start {}: its launcher \"{}\" is not in PATH; install it, or name it with "
                                  "its folder",
                                  program, first));
  }
  for (std::size_t i = 1; i < command_.size(); ++i)
    options.arguments.push_back(filled_in(command_[i], host_, path));
  options.variables = process::Variables::no_secrets;
  options.signal_group = true;
  return options;
}

}  // namespace walstorm::fleet
