#include "orchestrator/measure/figures/figures.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "orchestrator/measure/figures/figure_table.h"
#include "orchestrator/text/format.h"

namespace walstorm::measure {
namespace {

constexpr std::string_view kProcesses = "processes.";

/// What those who look for figures do with the rest of the table: nothing.
struct FiguresOnly {
  static void is_known(const char* /*name*/, bool /*flag*/) {}
  template <typename T>
  static void fact(const char* /*name*/, const T& /*member*/) {}
  template <typename T>
  static void known_fact(const char* /*name*/, const T& /*member*/, bool /*is_known*/) {}
  static void text(const char* /*name*/, const std::string& /*member*/) {}
  static void time(const char* /*name*/, const std::optional<std::int64_t>& /*unix_us*/) {}
  template <typename T>
  static void word(const char* /*name*/, const T& /*member*/, T /*last*/) {}
  template <typename T>
  static void list(const char* /*name*/, const std::vector<T>& /*objects*/) {}
};

/// Lists the figures, whatever their values are.
class Lister final : public FiguresOnly {
 public:
  std::vector<Figure> found;

  template <typename T>
  void figure(const char* name, const T& /*member*/, FigureTraits traits) {
    found.push_back({prefix_ + name, traits});
  }
  void count(const char* name, std::uint64_t member, bool /*is_known*/, FigureTraits traits) {
    figure(name, member, traits);
  }
  void target(const char* name, const config::Load& load, FigureTraits traits) { figure(name, load, traits); }
  template <typename Body>
  void object(const char* name, const Body& body) {
    const std::string outer = std::exchange(prefix_, prefix_ + name + ".");
    body(*this);
    prefix_ = outer;
  }
  template <typename T, typename Body>
  void optional_object(const char* name, const std::optional<T>& /*member*/, const Body& body) {
    const T any{};
    object(name, [&](Lister& inner) { body(inner, any); });
  }
  static void processes(const char* /*name*/, const std::vector<ProcessReport>& /*list*/) {}

 private:
  std::string prefix_;
};

template <typename Report>
std::vector<Figure> listed() {
  Lister lister;
  const Report any{};
  visit(lister, any);
  return std::move(lister.found);
}

/// Finds the value of one figure.
class Finder final : public FiguresOnly {
 public:
  /// `path`: below the object that is visited.
  explicit Finder(std::string_view path) : path_(path) {}
  std::optional<double> found;

  template <typename T>
  void figure(const char* name, const std::optional<T>& member, FigureTraits /*traits*/) {
    if (path_ == name && member) found = static_cast<double>(*member);
  }
  template <typename T>
  void figure(const char* name, const T& member, FigureTraits traits) {
    figure(name, std::optional(member), traits);
  }
  void count(const char* name, std::uint64_t member, bool is_known, FigureTraits traits) {
    if (is_known) figure(name, member, traits);
  }
  void target(const char* name, const config::Load& load, FigureTraits traits) {
    const auto* constant = std::get_if<config::ConstantLoad>(&load);
    if (constant != nullptr) figure(name, constant->rate, traits);
  }
  template <typename Body>
  void object(std::string_view name, const Body& body) {
    const bool is_inside = path_.size() > name.size() && path_.starts_with(name) && path_[name.size()] == '.';
    if (!is_inside) return;
    Finder inner(path_.substr(name.size() + 1));
    body(inner);
    if (inner.found) found = inner.found;
  }
  template <typename T, typename Body>
  void optional_object(const char* name, const std::optional<T>& member, const Body& body) {
    if (member) object(name, [&](Finder& inner) { body(inner, *member); });
  }
  void processes(const char* name, const std::vector<ProcessReport>& list) {
    object(name, [&list](Finder& inner) {
      for (const ProcessReport& process : list)
        inner.object(process.role, [&process](Finder& of_one) { visit(of_one, process); });
    });
  }

 private:
  std::string_view path_;
};

}  // namespace

const std::vector<Figure>& figures() {
  static const std::vector<Figure> all = listed<PhaseReport>();
  return all;
}

const std::vector<Figure>& process_figures() {
  static const std::vector<Figure> all = listed<ProcessReport>();
  return all;
}

std::optional<double> figure_of(const PhaseReport& phase, const std::string& path) {
  Finder finder(path);
  visit(finder, phase);
  return finder.found;
}

std::optional<FigureTraits> traits_of(const std::string& path) {
  const bool of_process = path.starts_with(kProcesses);
  const auto role_end = of_process ? path.find('.', kProcesses.size()) : std::string::npos;
  const std::string wanted = role_end == std::string::npos ? path : path.substr(role_end + 1);
  const auto& all = of_process ? process_figures() : figures();
  const auto at =
      std::find_if(all.begin(), all.end(), [&wanted](const Figure& each) { return each.path == wanted; });
  return at == all.end() ? std::nullopt : std::optional(at->traits);
}

Better better_of(const std::string& path) {
  return traits_of(path).value_or(FigureTraits{}).better;
}

std::string figure_text(const std::string& path, std::optional<double> value) {
  const auto traits = traits_of(path);
  return traits ? text::figure_text(traits->unit, value) : text::number_text(value);
}

config::FigureNames figure_names() {
  config::FigureNames names;
  for (const Figure& figure : figures()) names.of_phase.push_back({figure.path, figure.traits.known});
  for (const Figure& figure : process_figures())
    names.of_process.push_back({figure.path, figure.traits.known});
  return names;
}

}  // namespace walstorm::measure
