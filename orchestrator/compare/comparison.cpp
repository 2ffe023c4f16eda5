#include "orchestrator/compare/comparison.h"

#include <algorithm>
#include <fmt/format.h>

#include "orchestrator/measure/ledger/ledger.h"

namespace walstorm::compare {
namespace {

using measure::Better;
using measure::Outcome;
using measure::PhaseReport;
using report::RecordedRun;

/// What a phase that broke off measured is of another load than was asked for.
bool ran_to_its_end(const PhaseReport& phase) {
  return phase.outcome == Outcome::passed || phase.outcome == Outcome::thresholds_crossed;
}

void add_once(std::vector<std::string>& all, const std::string& text) {
  if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
}

const PhaseReport* judged_phase(const RecordedRun& run, const std::string& name) {
  for (const PhaseReport& phase : run.report.phases) {
    if (!phase.warmup && phase.name == name) return &phase;
  }
  return nullptr;
}

std::vector<std::string> phase_names(const Runs& base, const Runs& candidate) {
  std::vector<std::string> names;
  for (const Runs* side : {&base, &candidate}) {
    for (const RecordedRun& run : *side) {
      for (const PhaseReport& phase : run.report.phases) {
        if (!phase.warmup) add_once(names, phase.name);
      }
    }
  }
  return names;
}

std::vector<std::string> roles_of(const Runs& base, const Runs& candidate) {
  std::vector<std::string> roles;
  for (const Runs* side : {&base, &candidate}) {
    for (const RecordedRun& run : *side) {
      for (const PhaseReport& phase : run.report.phases) {
        for (const auto& process : phase.processes) add_once(roles, process.role);
      }
    }
  }
  return roles;
}

/// One side's reports of one phase.
std::vector<const PhaseReport*> reports_of(const Runs& runs, const std::string& phase) {
  std::vector<const PhaseReport*> reports;
  for (const RecordedRun& run : runs) {
    const PhaseReport* report = judged_phase(run, phase);
    if (report != nullptr && ran_to_its_end(*report)) reports.push_back(report);
  }
  return reports;
}

std::vector<double> samples_of(const std::vector<const PhaseReport*>& reports, const std::string& path) {
  std::vector<double> samples;
  for (const PhaseReport* report : reports) {
    if (const auto value = measure::figure_of(*report, path)) samples.push_back(*value);
  }
  return samples;
}

FigureChange change_in(const Runs& base, const Runs& candidate, const std::string& phase,
                       const std::string& path) {
  return change_of(path, measure::better_of(path), samples_of(reports_of(base, phase), path),
                   samples_of(reports_of(candidate, phase), path));
}

Verdicts verdicts_of(const Runs& runs, const std::string& name) {
  Verdicts verdicts;
  for (const RecordedRun& run : runs) {
    const PhaseReport* phase = judged_phase(run, name);
    if (phase == nullptr) continue;
    const auto at = std::find_if(verdicts.begin(), verdicts.end(), [phase](const auto& verdict) {
      return verdict.first == phase->verdict.state;
    });
    if (at == verdicts.end()) {
      verdicts.emplace_back(phase->verdict.state, 1);
    } else {
      ++at->second;
    }
  }
  return verdicts;
}

PhaseComparison compare_phase(const Runs& base, const Runs& candidate, const std::string& name,
                              const std::vector<std::string>& paths) {
  const auto of_base = reports_of(base, name);
  const auto of_candidate = reports_of(candidate, name);
  PhaseComparison phase{
      name, of_base.size(), of_candidate.size(), verdicts_of(base, name), verdicts_of(candidate, name), {}};
  for (const std::string& path : paths) {
    const Better better = measure::better_of(path);
    if (better == Better::neither) continue;
    FigureChange figure = change_of(path, better, samples_of(of_base, path), samples_of(of_candidate, path));
    if (figure.base || figure.candidate) phase.figures.push_back(std::move(figure));
  }
  return phase;
}

std::vector<std::string> warnings_of(const measure::RunReport& report) {
  std::vector<std::string> warnings;
  if (report.outcome == Outcome::failed) warnings.push_back("failed: " + report.failure);
  if (report.outcome == Outcome::interrupted) warnings.emplace_back("was interrupted");
  if (!measure::is_clean(report))
    warnings.emplace_back("its ledger is broken: rows are missing, doubled or altered");
  for (const PhaseReport& phase : report.phases) {
    if (!phase.warmup && !ran_to_its_end(phase))
      warnings.push_back(fmt::format("its phase \"{}\" broke off: its figures are left out", phase.name));
  }
  return warnings;
}

std::vector<ComparedRun> compared(const Runs& runs) {
  std::vector<ComparedRun> all;
  for (const RecordedRun& run : runs) {
    const measure::RunReport& report = run.report;
    all.push_back({report.folder, report.name, report.started_at_unix_us, report.outcome,
                   measure::is_clean(report), warnings_of(report)});
  }
  return all;
}

bool is_tested(const FigureChange& figure) {
  return figure.said != Said::untold && !figure.all_equal;
}

}  // namespace

bool Comparison::can_tell() const {
  return least_p(base.size(), candidate.size()) < kSignificant;
}

bool Comparison::crossed() const {
  return std::any_of(gates.begin(), gates.end(), [](const GateResult& gate) { return gate.holds; });
}

Comparison compare_runs(const Runs& base, const Runs& candidate, const std::vector<Gate>& gates) {
  Comparison comparison{compared(base), compared(candidate), differences_of(base, candidate), {}, 0, {}};
  const auto paths = known_figures(base, candidate);
  const auto names = phase_names(base, candidate);
  for (const std::string& name : names) {
    comparison.phases.push_back(compare_phase(base, candidate, name, paths));
    const auto& figures = comparison.phases.back().figures;
    comparison.tested += static_cast<std::size_t>(std::count_if(figures.begin(), figures.end(), is_tested));
  }
  for (const Gate& gate : gates) {
    std::vector<std::pair<std::string, FigureChange>> changes;
    changes.reserve(names.size());
    for (const std::string& name : names)
      changes.emplace_back(name, change_in(base, candidate, name, gate.path));
    comparison.gates.push_back(judge(gate, changes));
  }
  return comparison;
}

std::vector<std::string> known_figures(const Runs& base, const Runs& candidate) {
  std::vector<std::string> paths;
  for (const measure::Figure& figure : measure::figures()) paths.push_back(figure.path);
  for (const std::string& role : roles_of(base, candidate)) {
    for (const measure::Figure& figure : measure::process_figures())
      paths.push_back(fmt::format("processes.{}.{}", role, figure.path));
  }
  return paths;
}

}  // namespace walstorm::compare
