#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <system_error>

#include "orchestrator/cli/command.h"
#include "orchestrator/compare/bench_changes.h"
#include "orchestrator/compare/bench_file.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/commands.h"
#include "orchestrator/profile/profile_folder.h"
#include "proto/wire/error.h"

namespace walstorm {
namespace {

void describe_profile(CLI::App& profile, Words& words) {
  profile.add_option("SOURCE", words.profile_source, "A run's folder, a file, or a URL")->type_name("SOURCE");
}

std::string read_profile(const CLI::App& /*command*/, const Words& words, CommandLine& line) {
  if (words.profile_source.empty()) return "profile: name a run's folder, a file or a URL";
  line.profile_source = words.profile_source;
  return {};
}

int carry_out_profile(const CommandLine& line) {
  process::EventLoop loop;
  show(profile::profile_command(loop, line.profile_source, line.profile.functions_max));
  return 0;
}

void describe_profile_diff(CLI::App& diff, Words& words) {
  diff.add_option("BASE", words.profile_base, "What to compare with")->type_name("SOURCE");
  diff.add_option("CANDIDATE", words.profile_source, "What to judge")->type_name("SOURCE");
}

std::string read_profile_diff(const CLI::App& /*command*/, const Words& words, CommandLine& line) {
  if (words.profile_base.empty() || words.profile_source.empty())
    return "profile-diff: write profile-diff BASE CANDIDATE, a run's folder, a file or a URL each";
  line.profile_base = words.profile_base;
  line.profile_source = words.profile_source;
  return {};
}

/// A file of Google Benchmark; nullopt for anything else, which may be a profile.
std::optional<std::string> bench_file(const std::string& source) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(source, unknown)) return std::nullopt;
  std::string text = profile::read_file(source);
  if (!compare::is_bench_file(text)) return std::nullopt;
  return text;
}

/// Whether both are benchmarks, whose times were then shown.
bool show_bench_changes(const CommandLine& line) {
  const auto base = bench_file(line.profile_base), candidate = bench_file(line.profile_source);
  if (!base && !candidate) return false;
  if (!base || !candidate)
    throw wire::Error(wire::ErrorKind::config,
                      fmt::format("profile-diff: {} is Google Benchmark's, and {} is not",
                                  base ? line.profile_base : line.profile_source,
                                  base ? line.profile_source : line.profile_base));
  show(compare::bench_text(compare::bench_changes(compare::parse_benches(*base, line.profile_base),
                                                  compare::parse_benches(*candidate, line.profile_source))));
  return true;
}

int carry_out_profile_diff(const CommandLine& line) {
  if (show_bench_changes(line)) return 0;
  process::EventLoop loop;
  show(profile::profile_diff_command(loop, line.profile_base, line.profile_source, line.profile.functions_max,
                                     line.output_dir));
  return 0;
}

}  // namespace

CommandPage profile_command() {
  return {
      .command = Command::profile,
      .name = "profile",
      .says = "Say where the CPU time of a profile goes, by module and by function",
      .usage = "SOURCE [options]",
      .about = R"(It reads the profile that a run with --profile flame left in its folder, a perf.data, folded
stacks, a pprof file, or the JSON at which a Pyroscope server renders a profile.)",
      .options = {"top"},
      .examples = R"(  walstorm profile perf.data --top 10
  walstorm profile stacks.folded)",
      .exit_codes = R"(  0    told
  2    bad usage, or no profile there
  3    the server or perf does not answer)",
      .describe = describe_profile,
      .read = read_profile,
      .carry_out = carry_out_profile};
}

CommandPage profile_diff_command() {
  return {
      .command = Command::profile_diff,
      .name = "profile-diff",
      .says = "Say what takes more or less of the CPU time in one profile than in another",
      .usage = "BASE CANDIDATE [options]",
      .about =
          R"(Both are what walstorm profile reads. A change that may well be chance is "~": the sample counts
of both sides go through an exact test of two Poisson counts. It leaves a folder with a flame graph
in which red takes more than before, and blue less.

Two JSON files of Google Benchmark (--benchmark_out_format=json) are compared by each bench's CPU
time: "~" is what the repetitions cannot tell from noise by a Mann-Whitney test.)",
      .options = {"top", "output"},
      .examples = R"(  walstorm profile-diff before.pb.gz after.pb.gz
  walstorm profile-diff before.folded after.folded --top 10 --output diffs
  walstorm profile-diff tests/bench/baseline.json benches.json)",
      .exit_codes = R"(  0    compared
  2    bad usage, or no profile there
  3    the server or perf does not answer)",
      .describe = describe_profile_diff,
      .read = read_profile_diff,
      .carry_out = carry_out_profile_diff};
}

}  // namespace walstorm
