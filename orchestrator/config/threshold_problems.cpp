#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/config/json/did_you_mean.h"
#include "orchestrator/config/process_roles.h"
#include "orchestrator/config/thresholds.h"

/// What a config's thresholds get wrong, in words.
namespace walstorm::config {
namespace {

constexpr const char* kProcesses = "processes.";

/// What begins so comes before what is spelt alike: of "consumer.lag" somebody has left out the rest.
std::string or_meant(std::string says, const std::string& word, const std::vector<std::string>& candidates) {
  std::string meant;
  for (const std::string& candidate : candidates) {
    if (!candidate.starts_with(word)) continue;
    if (meant.empty() || candidate.size() < meant.size()) meant = candidate;
  }
  if (meant.empty()) meant = nearest(word, candidates);
  if (!meant.empty()) says += fmt::format("; did you mean {}?", meant);
  return says;
}

/// Only what the checks need; nullopt when something is wrong with the phases themselves.
std::optional<std::vector<Phase>> phases_in(const Json& document, const std::vector<Problem>& found) {
  if (is_known(found, Pointer("/phases"))) return std::nullopt;
  std::vector<Phase> phases;
  for (const Json& phase : document["phases"]) {
    phases.push_back({.name = phase["name"],
                      .duration_sec = phase["durationSec"],
                      .load = {},
                      .records = {},
                      .warmup = phase["warmup"]});
  }
  return phases;
}

/// The roles of the report's processes[], as this config starts them.
std::optional<std::vector<std::string>> roles_in(const Json& document, const std::vector<Problem>& found) {
  for (const char* section : {"/producer", "/consumer", "/clickhouse"}) {
    if (is_known(found, Pointer(section))) return std::nullopt;
  }
  const bool own_clickhouse = document["consumer"]["useMockClickhouse"] == false &&
                              document["clickhouse"].value("url", "") == "private";
  return process_roles(document["producer"]["workerCount"].get<std::uint32_t>(), own_clickhouse);
}

/// Finds what is wrong with one threshold after the other.
class Check final {
 public:
  Check(const Json& document, const std::vector<Problem>& found, const FigureNames& names)
      : names_(names), phases_(phases_in(document, found)), roles_(roles_in(document, found)) {
    if (phases_) {
      for (const Phase& phase : *phases_) phase_names_.push_back(phase.name);
    }
  }

  void look_at(const Json& written, const Pointer& at) {
    const Threshold threshold = threshold_from(written);
    const Pointer expr_at = written.is_string() ? at : at / "expr";
    if (threshold.delay_abort_sec > 0 && !threshold.abort_on_fail) {
      add(at / "delayAbortSec", "says when abortOnFail may end the run: set that to true, or leave this out");
    }
    const auto parsed = parse_expression(threshold.expr);
    if (const auto* error = std::get_if<ExpressionError>(&parsed)) {
      add(expr_at, fmt::format("column {}: {}", error->column, error->message));
      return;
    }
    const auto& expression = std::get<Expression>(parsed);
    if (names_are_known(expression, expr_at)) figures_are_known_in_time(threshold, expression, at);
    if (phases_) phases_suit(threshold, expression, at, expr_at);
  }

  [[nodiscard]] std::vector<Problem> problems() && { return std::move(problems_); }

 private:
  void add(const Pointer& at, std::string message) { problems_.push_back({at, std::move(message)}); }

  /// nullptr when the figure is not known; `says` is why. A role that cannot be checked is taken as known.
  [[nodiscard]] const FigureName* find(const Expression::Figure& figure, std::string& says) const {
    const auto in = [](const std::vector<FigureName>& names, const std::string& path) -> const FigureName* {
      const auto at =
          std::find_if(names.begin(), names.end(), [&](const FigureName& name) { return name.path == path; });
      return at == names.end() ? nullptr : &*at;
    };
    if (const FigureName* name = in(names_.of_phase, figure.path)) return name;
    if (!figure.path.starts_with(kProcesses)) {
      says = why_not_of_phase(figure.path);
      return nullptr;
    }
    const std::string rest = figure.path.substr(std::string(kProcesses).size());
    const std::string role = rest.substr(0, rest.find('.'));
    const FigureName* name = in(names_.of_process, rest.substr(std::min(rest.size(), role.size() + 1)));
    if (name == nullptr) {
      std::vector<std::string> candidates;
      for (const FigureName& each : names_.of_process) {
        candidates.push_back(fmt::format("{}{}.{}", kProcesses, role, each.path));
      }
      says = or_meant(fmt::format("unknown figure {}", figure.path), figure.path, candidates);
    } else if (roles_ && std::find(roles_->begin(), roles_->end(), role) == roles_->end()) {
      says = or_meant(fmt::format("this config has no process {}", role), role, *roles_);
      return nullptr;
    }
    return name;
  }

  [[nodiscard]] std::string why_not_of_phase(const std::string& path) const {
    std::vector<std::string> all;
    std::string below;
    for (const FigureName& name : names_.of_phase) {
      all.push_back(name.path);
      if (!name.path.starts_with(path + ".")) continue;
      below += (below.empty() ? "" : ", ") + name.path.substr(path.size());
    }
    if (!below.empty()) return fmt::format("{} is several figures: write one of {}", path, below);
    return or_meant(fmt::format("unknown figure {}", path), path, all);
  }

  /// The figures, and the phases before their dots. All that is unknown makes one problem.
  bool names_are_known(const Expression& expression, const Pointer& at) {
    std::vector<std::string> wrong;
    const auto note = [&wrong](const std::string& says) {
      if (std::find(wrong.begin(), wrong.end(), says) == wrong.end()) wrong.push_back(says);
    };
    for (const Expression::Figure& figure : expression.figures()) {
      std::string says;
      if (find(figure, says) == nullptr) note(says);
      const bool is_named = !figure.phase.empty() && phases_;
      if (is_named &&
          std::find(phase_names_.begin(), phase_names_.end(), figure.phase) == phase_names_.end()) {
        note(or_meant(fmt::format("there is no phase \"{}\"", figure.phase), figure.phase, phase_names_));
      }
    }
    if (wrong.empty()) return true;
    add(at, fmt::format("{}", fmt::join(wrong, "; ")));
    return false;
  }

  void figures_are_known_in_time(const Threshold& threshold, const Expression& expression,
                                 const Pointer& at) {
    for (const Expression::Figure& figure : expression.figures()) {
      if (!figure.phase.empty()) continue;  // of a phase that has ended
      std::string ignored;
      const Known known = find(figure, ignored)->known;
      if (threshold.window_sec && known != Known::over_a_window) {
        add(at / "windowSec",
            fmt::format("{} is known of a whole phase only, not of a window: leave this out", figure.path));
      }
      if (threshold.abort_on_fail && known == Known::at_the_end) {
        add(at / "abortOnFail",
            fmt::format("{} is known only when the phase has ended: leave this out", figure.path));
      }
    }
  }

  void phases_suit(const Threshold& threshold, const Expression& expression, const Pointer& at,
                   const Pointer& expr_at) {
    if (threshold.phase) {
      const auto named = std::find(phase_names_.begin(), phase_names_.end(), *threshold.phase);
      if (named == phase_names_.end()) {
        add(at / "phase", or_meant("there is no such phase", *threshold.phase, phase_names_));
        return;
      }
      const Phase& phase = (*phases_)[static_cast<std::size_t>(named - phase_names_.begin())];
      if (phase.warmup) {
        add(at / "phase", "is a warm-up, and warm-ups are never judged; others may be compared with it");
        return;
      }
    }
    std::size_t judged = 0;
    for (std::size_t i = 0; i < phases_->size(); ++i) {
      if (!judges(threshold, expression, *phases_, i)) continue;
      ++judged;
      const Phase& phase = (*phases_)[i];
      if (!threshold.window_sec || *threshold.window_sec <= phase.duration_sec) continue;
      add(at / "windowSec", fmt::format("is longer than phase \"{}\", which it would judge: {:g} s",
                                        phase.name, phase.duration_sec));
    }
    if (judged == 0 && !is_known(problems_, expr_at)) add(expr_at, why_none_is_judged(threshold));
  }

  [[nodiscard]] static std::string why_none_is_judged(const Threshold& threshold) {
    if (threshold.phase) {
      return fmt::format("a phase that it refers to must come before the one it judges, \"{}\"",
                         *threshold.phase);
    }
    return "there is no phase to judge: none but warm-ups, or none after those it refers to";
  }

  const FigureNames& names_;
  const std::optional<std::vector<Phase>> phases_;
  const std::optional<std::vector<std::string>> roles_;
  std::vector<std::string> phase_names_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> threshold_problems(const Json& document, const std::vector<Problem>& found,
                                        const FigureNames& names) {
  const auto thresholds = document.find("thresholds");
  if (thresholds == document.end() || !thresholds->is_array()) return {};
  Check check(document, found, names);
  for (std::size_t i = 0; i < thresholds->size(); ++i) {
    const Pointer at = Pointer("/thresholds") / i;
    if (!is_known(found, at)) check.look_at((*thresholds)[i], at);
  }
  return std::move(check).problems();
}

}  // namespace walstorm::config
