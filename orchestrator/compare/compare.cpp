#include "orchestrator/compare/compare.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <system_error>

#include "orchestrator/compare/compare_json.h"
#include "orchestrator/compare/compare_text.h"
#include "orchestrator/compare/comparison.h"
#include "orchestrator/config/json/secrets.h"
#include "orchestrator/report/output.h"
#include "orchestrator/report/run_folder.h"
#include "orchestrator/report/run_folders.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::compare {
namespace {

namespace fs = std::filesystem;
using wire::Error;
using wire::ErrorKind;

constexpr int kThresholdsCrossed = 99;
constexpr std::size_t kFunctionsMax = 25;
constexpr const char* kFlameTitle = "compare: red takes more of the CPU time than the base, blue less";

/// The runs that the folders stand for. One that was named twice, by overlapping folders, is one run.
Runs read_side(const std::vector<fs::path>& folders) {
  std::vector<fs::path> seen;
  Runs runs;
  for (const fs::path& folder : folders) {
    for (const fs::path& run : report::run_folders(folder)) {
      std::error_code unknown;
      const fs::path place = fs::weakly_canonical(run, unknown);
      if (std::find(seen.begin(), seen.end(), place) != seen.end()) continue;
      seen.push_back(place);
      runs.push_back(report::read_run(run));
    }
  }
  return runs;
}

void refuse_other_loads(const std::vector<Difference>& differences) {
  if (!load_differs(differences)) return;
  std::string text = "the load differs, so this would compare two loads and not what handles them:";
  for (const Difference& difference : differences) {
    if (difference.kind == Difference::Kind::load) text += "\n  " + difference_text(difference);
  }
  throw Error(ErrorKind::config, text + "\n--force compares all the same");
}

}  // namespace

int carry_out(const Options& options, const run::Display& display) {
  const Runs base = read_side(options.base);
  const Runs candidate = read_side(options.candidate);
  const auto known = known_figures(base, candidate);
  std::vector<Gate> gates;
  for (const std::string& text : options.fail_on) gates.push_back(parse_gate(text, known));
  if (!options.force) refuse_other_loads(differences_of(base, candidate));

  Comparison comparison = compare_runs(base, candidate, gates);
  comparison.profile = compare_profiles(base, candidate, kFunctionsMax);
  const std::int64_t now = wire::SystemClock().unix_us();
  const int exit_code = comparison.crossed() ? kThresholdsCrossed : 0;
  const report::RunFolder folder(options.output_dir, "compare", now);
  std::cout << config::hide_secrets(compare_text(comparison, folder.path().string(), display.colour))
            << std::flush;
  report::Outputs outputs;
  outputs.attempt(kCompareFile, [&] { folder.write(kCompareFile, compare_json(comparison, now)); });
  outputs.attempt("compare.md", [&] { folder.write("compare.md", compare_md(comparison)); });
  if (comparison.profile)
    outputs.attempt(kFlameFile,
                    [&] { folder.write(kFlameFile, profile_page(*comparison.profile, kFlameTitle)); });
  std::cerr << report::not_written_text(outputs.not_written(), exit_code);
  return report::exit_code_with(outputs.not_written(), exit_code);
}

}  // namespace walstorm::compare
