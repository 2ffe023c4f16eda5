#include "orchestrator/compare/compare_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <vector>

#include "orchestrator/compare/change_text.h"
#include "orchestrator/profile/show/diff_text.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"

namespace walstorm::compare {
namespace {

using Kind = Difference::Kind;
using Row = std::vector<std::string>;

constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

/// What the terminal shows whether it changed or not; a name in the middle stands for every process.
constexpr std::array<std::string_view, 18> kTelling{"producer.throughput",
                                                    "producer.writeLatencyMs.p50",
                                                    "producer.writeLatencyMs.p99",
                                                    "producer.errors",
                                                    "producer.cpuMicrosPerRecord",
                                                    "consumer.throughput",
                                                    "consumer.errors",
                                                    "consumer.lagMs.p50",
                                                    "consumer.lagMs.p99",
                                                    "consumer.receiveMs.p50",
                                                    "consumer.receiveMs.p99",
                                                    "consumer.queueMs.p50",
                                                    "consumer.queueMs.p99",
                                                    "consumer.flushMs.p50",
                                                    "consumer.flushMs.p99",
                                                    "consumer.cpuMicrosPerRecord",
                                                    "ledger.missing",
                                                    "drain.durationSec"};
constexpr std::string_view kMemory = ".rssMaxBytes";
constexpr std::array<std::string_view, 2> kTellingOfProcesses{".cpuMicrosPerRecord", kMemory};

bool is_telling(const FigureChange& figure) {
  // Zero on both sides, as errors should be, says nothing.
  const bool nothing = figure.all_equal && figure.base->median == 0;
  if (nothing) return false;
  if (std::find(kTelling.begin(), kTelling.end(), figure.path) != kTelling.end()) return true;
  // A worker's CPU is the producer's or the consumer's, above.
  const bool is_process = figure.path.starts_with("processes.");
  const bool is_worker =
      figure.path.starts_with("processes.producer-") || figure.path.starts_with("processes.consumer-");
  if (is_worker && !figure.path.ends_with(kMemory)) return false;
  return is_process && std::any_of(kTellingOfProcesses.begin(), kTellingOfProcesses.end(),
                                   [&figure](std::string_view end) { return figure.path.ends_with(end); });
}

bool is_significant(const FigureChange& figure) {
  return figure.said != Said::same && figure.said != Said::untold;
}

/// "consumer.lagMs" of consumer.lagMs.p99: figures that mostly move together.
std::string group_of(const FigureChange& figure) {
  return figure.path.substr(0, figure.path.rfind('.'));
}

/// What the terminal shows of a phase: the telling figures, then of the others that changed beyond noise
/// those whose group does not say so yet. `hidden`: how many more changed.
std::vector<const FigureChange*> shown_figures(const PhaseComparison& phase, std::size_t& hidden) {
  std::vector<const FigureChange*> shown;
  for (const FigureChange& figure : phase.figures) {
    if (is_telling(figure)) shown.push_back(&figure);
  }
  for (const FigureChange& figure : phase.figures) {
    if (is_telling(figure) || !is_significant(figure)) continue;
    const bool said = std::any_of(shown.begin(), shown.end(), [&figure](const FigureChange* other) {
      return other->said == figure.said && group_of(*other) == group_of(figure);
    });
    if (said) {
      ++hidden;
    } else {
      shown.push_back(&figure);
    }
  }
  return shown;
}

std::string painted(const std::string& text, std::string_view colour, bool wanted) {
  return wanted ? fmt::format("{}{}{}", colour, text, kPlain) : text;
}

/// "12.1 ms ±8 %", the wider side of the interval where there is one.
std::string side_text(const std::string& path, const std::optional<MedianInterval>& side) {
  if (!side) return "–";
  std::string text = measure::figure_text(path, side->median);
  text += text::spread_text(side->median, side->low, side->high);
  return text;
}

Row figure_row(const FigureChange& figure) {
  return {figure.path, side_text(figure.path, figure.base), side_text(figure.path, figure.candidate),
          change_text(figure), p_text(figure)};
}

const Row kHeader{"", "base", "candidate", "change", "p"};

std::string verdicts_text(const Verdicts& verdicts) {
  std::string text;
  for (const auto& [state, count] : verdicts)
    text += fmt::format("{}{} ×{}", text.empty() ? "" : ", ", measure::to_string(state), count);
  return text.empty() ? "no run" : text;
}

std::string phase_head(const PhaseComparison& phase) {
  return fmt::format("{}: base {}; candidate {}", phase.name, verdicts_text(phase.base_verdicts),
                     verdicts_text(phase.candidate_verdicts));
}

/// How far the marks can be trusted.
std::vector<std::string> caveats(const Comparison& comparison) {
  std::vector<std::string> lines;
  if (!comparison.can_tell()) {
    lines.push_back(
        fmt::format("{} and {} runs cannot tell a change from noise, however large it is (marked ?): {} runs "
                    "a side could",
                    comparison.base.size(), comparison.candidate.size(), runs_needed()));
  }
  if (comparison.tested > 0) {
    const double alarms = kSignificant * static_cast<double>(comparison.tested);
    lines.push_back(
        fmt::format("~ is within noise (p not below {:g}); of {} figures that could differ, chance alone "
                    "makes up to {:.0f} "
                    "look changed, on average",
                    kSignificant, comparison.tested, std::ceil(alarms)));
  }
  if (comparison.profile)
    lines.insert(lines.end(), comparison.profile->notes.begin(), comparison.profile->notes.end());
  return lines;
}

std::vector<std::string> warnings(const Comparison& comparison) {
  std::vector<std::string> lines;
  const auto add = [&lines](const char* side, const std::vector<ComparedRun>& runs) {
    for (const ComparedRun& run : runs) {
      for (const std::string& warning : run.warnings)
        lines.push_back(fmt::format("{} {}: {}", side, run.folder, warning));
    }
  };
  if (load_differs(comparison.differences))
    lines.emplace_back("the load differs, so the figures do not show what the candidate changed");
  for (const Difference& difference : comparison.differences) {
    const bool is_alike = difference.base.size() < 2 && difference.candidate.size() < 2;
    // Other rows of the same kind are what repeated runs may well have.
    if (is_alike || difference.kind == Kind::environment || difference.what == "seed") continue;
    lines.push_back(fmt::format("the runs of one side differ among themselves, and its medians mix them: {}",
                                difference_text(difference)));
  }
  add("base", comparison.base);
  add("candidate", comparison.candidate);
  return lines;
}

std::string gate_phase_text(const GatePhase& phase) {
  const FigureChange& change = phase.change;
  if (!change.base) return fmt::format("{}: never measured in the base", phase.phase);
  if (!change.candidate) return fmt::format("{}: never measured in the candidate", phase.phase);
  const char* weight = change.said == Said::untold
                           ? "too few runs to tell it from noise, so the change alone decides"
                       : change.said == Said::same ? "within noise"
                                                   : "beyond noise";
  return fmt::format("{}: {} (p {}): {}", phase.phase, amount_text(change.change), p_text(change), weight);
}

/// A line for each gate, with the phases that decide it: those in which it holds, else all.
std::string gate_text(const GateResult& gate) {
  std::string phases;
  for (const GatePhase& phase : gate.phases) {
    if (gate.holds && !phase.holds) continue;
    phases += (phases.empty() ? "" : "; ") + gate_phase_text(phase);
  }
  return fmt::format("{} ({})", gate.gate.text, phases.empty() ? "never measured" : phases);
}

std::string runs_text(const std::vector<ComparedRun>& runs) {
  constexpr std::size_t kShownMax = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(runs.size(), kShownMax); ++i) {
    std::string name = std::filesystem::path(runs[i].folder).filename().string();
    if (name.empty()) name = runs[i].folder;
    text += (text.empty() ? "" : ", ") + name;
  }
  if (runs.size() > kShownMax) text += fmt::format(" and {} more", runs.size() - kShownMax);
  return fmt::format("{} {}: {}", runs.size(), runs.size() == 1 ? "run" : "runs", text);
}

std::string phase_table(const PhaseComparison& phase, bool colour) {
  std::size_t hidden = 0;
  std::vector<Row> rows{kHeader};
  std::vector<std::string_view> colours{kPlain};
  for (const FigureChange* figure : shown_figures(phase, hidden)) {
    rows.push_back(figure_row(*figure));
    colours.push_back(figure->said == Said::better ? kGreen : figure->said == Said::worse ? kRed : kPlain);
  }
  std::string text;
  const auto lines = text::aligned(rows, 2);
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += painted(lines[i], colours[i], colour && colours[i] != kPlain) + "\n";
  if (hidden > 0) text += fmt::format("(and {} more that changed alike)\n", hidden);
  return text;
}

std::string profile_head(const ProfileChange& profile) {
  return fmt::format("profile: {} {} of the base, {} of the candidate", profile.base_runs,
                     profile.base_runs == 1 ? "run" : "runs", profile.candidate_runs);
}

}  // namespace

std::string compare_text(const Comparison& comparison, const std::string& folder, bool colour) {
  std::string text;
  for (const GateResult& gate : comparison.gates) {
    const std::string word = gate.holds ? "crossed   " : "ok        ";
    text += painted(word, gate.holds ? kRed : kGreen, colour) + gate_text(gate) + "\n";
  }
  if (!text.empty()) text += "\n";
  text += fmt::format("base      {}\ncandidate {}\n", runs_text(comparison.base),
                      runs_text(comparison.candidate));
  for (const Difference& difference : comparison.differences)
    text += fmt::format("differs   {}\n", difference_text(difference));
  if (comparison.differences.empty())
    text += "differs   nothing: the same load, settings, versions and host\n";
  for (const std::string& warning : warnings(comparison))
    text += painted("WARNING   ", kRed, colour) + warning + "\n";
  for (const PhaseComparison& phase : comparison.phases)
    text += fmt::format("\n{}\n{}", phase_head(phase), phase_table(phase, colour));
  if (comparison.phases.empty()) text += "\nno phase that is judged on either side\n";
  if (comparison.profile)
    text += fmt::format("\n{}\n{}", profile_head(*comparison.profile),
                        profile::diff_summary(comparison.profile->targets));
  text += "\n";
  auto notes = caveats(comparison);
  if (comparison.profile) notes.push_back("in the profile, " + profile::diff_test_text());
  for (const std::string& line : notes) text += painted("note      ", kYellow, colour) + line + "\n";
  text += fmt::format("report    {}/compare.md, compare.json: all figures\n", folder);
  if (comparison.profile)
    text += fmt::format("flames    {}/{}: what takes more or less CPU time\n", folder, kFlameFile);
  return text;
}

std::string compare_md(const Comparison& comparison) {
  std::string text = "# Comparison\n\n";
  for (const std::string& warning : warnings(comparison)) text += fmt::format("- **WARNING**: {}\n", warning);
  text += fmt::format("- base: {}\n- candidate: {}\n", runs_text(comparison.base),
                      runs_text(comparison.candidate));
  for (const std::string& line : caveats(comparison)) text += fmt::format("- {}\n", line);
  text += "\n";
  if (!comparison.gates.empty()) {
    text += "## Conditions\n\n";
    for (const GateResult& gate : comparison.gates)
      text += fmt::format("- {}: {}\n", gate.holds ? "**crossed**" : "ok", gate_text(gate));
    text += "\n";
  }
  text += "## What differs\n\n";
  std::vector<Row> rows;
  for (const Difference& difference : comparison.differences) {
    rows.push_back({difference.what, to_string(difference.kind),
                    fmt::format("{}", fmt::join(difference.base, ", ")),
                    fmt::format("{}", fmt::join(difference.candidate, ", "))});
  }
  text += rows.empty() ? "Nothing: the same load, settings, versions and host.\n\n"
                       : text::markdown_table({"what", "kind", "base", "candidate"}, rows);
  for (const PhaseComparison& phase : comparison.phases) {
    rows.clear();
    for (const FigureChange& figure : phase.figures) rows.push_back(figure_row(figure));
    text += fmt::format("## {}\n\n", phase_head(phase)) +
            text::markdown_table({"figure", "base", "candidate", "change", "p"}, rows);
  }
  text +=
      "Medians of the runs, with the wider side of their 95 % interval from 6 runs on; p by the "
      "Mann-Whitney "
      "test. `~`: within noise. `?`: too few runs to tell.\n";
  if (!comparison.profile) return text;
  text += fmt::format("\n## {}\n\n", profile_head(*comparison.profile));
  return text + profile::diff_md(comparison.profile->targets) +
         fmt::format("The flame graph of both is `{}`.\n", kFlameFile);
}

}  // namespace walstorm::compare
