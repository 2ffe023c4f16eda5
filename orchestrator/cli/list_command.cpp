#include <filesystem>
#include <system_error>
#include <vector>

#include "orchestrator/cli/command.h"
#include "orchestrator/cli/past_folders.h"

namespace walstorm {
namespace {

void describe_list(CLI::App& list, Words& words) {
  list.add_option("DIR", words.folder, "The folder (default ./profiling-results)")->type_name("DIR");
}

std::string read_list(const CLI::App& /*command*/, const Words& words, CommandLine& line) {
  line.folder = words.folder;
  return {};
}

int carry_out_list(const CommandLine& line) {
  const std::filesystem::path& folder = line.folder.empty() ? line.output_dir : line.folder;
  std::error_code unknown;
  const bool nothing_yet = line.folder.empty() && !std::filesystem::exists(folder, unknown);
  show(past_folders_text(nothing_yet ? std::vector<PastFolder>() : past_folders(folder), folder));
  return 0;
}

}  // namespace

CommandPage list_command() {
  return {.command = Command::list,
          .name = "list",
          .says = "List earlier runs: name, date, outcome, best rate, worst verdict",
          .usage = "[DIR] [options]",
          .about = R"(It lists the folders of runs, searches, sweeps and comparisons, the newest first.)",
          .options = {"output"},
          .examples = R"(  walstorm list
  walstorm list before)",
          .describe = describe_list,
          .read = read_list,
          .carry_out = carry_out_list};
}

}  // namespace walstorm
