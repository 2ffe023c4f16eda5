#include "orchestrator/compare/differences.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <set>
#include <string_view>

#include "orchestrator/text/format.h"

namespace walstorm::compare {
namespace {

using report::RecordedRun;
using Text = std::function<std::string(const RecordedRun&)>;

constexpr const char* kNone = "–";

/// What a run is called, where it is written, what `sweep` would do with its config.
constexpr std::array<std::string_view, 4> kSaysNothing{"name", "description", "profiling.", "sweep."};

bool says_nothing(const std::string& path) {
  return std::any_of(kSaysNothing.begin(), kSaysNothing.end(), [&path](std::string_view known) {
    return known.ends_with('.') ? path.starts_with(known) : path == known;
  });
}

Difference::Kind kind_of(const std::string& path) {
  const bool is_load = path.starts_with("phases.") || path.starts_with("producer.");
  return is_load ? Difference::Kind::load : Difference::Kind::setting;
}

std::string raw_leaf(const RecordedRun& run, const std::string& path) {
  const auto found = run.config.find(path);
  return found == run.config.end() ? kNone : found->second;
}

/// Runs of one command share its private servers, which a config then names by where they listen: a folder
/// that is made for one PostgreSQL, and a port of loopback for the ClickHouse beside it.
std::string leaf_of(const RecordedRun& run, const std::string& path) {
  constexpr std::string_view kPrivatePostgres = "walstorm-postgres-";
  constexpr std::string_view kLoopback = "http://127.0.0.1:";
  std::string text = raw_leaf(run, path);
  const bool on_shared_postgres = raw_leaf(run, "database.url").find(kPrivatePostgres) != std::string::npos;
  if (!on_shared_postgres) return text;
  if (path == "database.url") return "private";
  if (path == "clickhouse.url" && text.find(kLoopback) == 0) return "private";
  return text;
}

std::vector<std::string> values_of(const Runs& runs, const Text& text) {
  std::vector<std::string> values;
  for (const RecordedRun& run : runs) {
    const std::string value = text(run);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  return values;
}

std::string known(const std::string& text) {
  return text.empty() ? kNone : text;
}

class Finder final {
 public:
  Finder(const Runs& base, const Runs& candidate) : base_(base), candidate_(candidate) {}

  void look_at(Difference::Kind kind, const std::string& what, const Text& text) {
    Difference difference{kind, what, values_of(base_, text), values_of(candidate_, text)};
    const bool same = difference.base.size() == 1 && difference.base == difference.candidate;
    if (!same) found_.push_back(std::move(difference));
  }

  void look_at_versions_and_machines() {
    const auto look = [this](const char* what, const Text& text) {
      look_at(Difference::Kind::environment, what, text);
    };
    look("walstorm", [](const RecordedRun& run) {
      return fmt::format("{} ({}, {})", known(run.tool.version), known(run.tool.git_revision),
                         known(run.tool.build_type));
    });
    look("PostgreSQL", [](const RecordedRun& run) { return known(run.report.environment.postgres_version); });
    look("ClickHouse",
         [](const RecordedRun& run) { return known(run.report.environment.clickhouse_version); });
    look("host", [](const RecordedRun& run) { return known(run.report.environment.host); });
    look("kernel", [](const RecordedRun& run) { return known(run.report.environment.kernel); });
    look("CPU", [](const RecordedRun& run) {
      const auto& machine = run.report.environment;
      return fmt::format("{} × {}", machine.cpu_count, known(machine.cpu_model));
    });
    look("memory",
         [](const RecordedRun& run) { return text::bytes_text(run.report.environment.memory_bytes); });
  }

  void look_at_postgres_settings() {
    std::set<std::string> names;
    for (const Runs* side : {&base_, &candidate_}) {
      for (const RecordedRun& run : *side) {
        for (const auto& [name, value] : run.report.environment.postgres_settings) names.insert(name);
      }
    }
    for (const std::string& name : names) {
      look_at(Difference::Kind::environment, "PostgreSQL's " + name, [&name](const RecordedRun& run) {
        const auto& settings = run.report.environment.postgres_settings;
        const auto at = settings.find(name);
        return at == settings.end() ? kNone : at->second;
      });
    }
  }

  void look_at_config(Difference::Kind wanted) {
    std::set<std::string> paths;
    for (const Runs* side : {&base_, &candidate_}) {
      for (const RecordedRun& run : *side) {
        for (const auto& [path, value] : run.config) paths.insert(path);
      }
    }
    for (const std::string& path : paths) {
      if (says_nothing(path) || kind_of(path) != wanted) continue;
      look_at(wanted, path, [&path](const RecordedRun& run) { return leaf_of(run, path); });
    }
  }

  [[nodiscard]] std::vector<Difference> found() && { return std::move(found_); }

 private:
  const Runs& base_;
  const Runs& candidate_;
  std::vector<Difference> found_;
};

}  // namespace

const char* to_string(Difference::Kind kind) {
  switch (kind) {
    case Difference::Kind::load:
      return "load";
    case Difference::Kind::setting:
      return "setting";
    case Difference::Kind::environment:
      return "environment";
  }
  return "setting";
}

std::vector<Difference> differences_of(const Runs& base, const Runs& candidate) {
  Finder finder(base, candidate);
  finder.look_at_versions_and_machines();
  finder.look_at_postgres_settings();
  finder.look_at_config(Difference::Kind::load);
  finder.look_at_config(Difference::Kind::setting);
  return std::move(finder).found();
}

bool load_differs(const std::vector<Difference>& differences) {
  return std::any_of(differences.begin(), differences.end(),
                     [](const Difference& difference) { return difference.kind == Difference::Kind::load; });
}

std::string difference_text(const Difference& difference) {
  return fmt::format("{}: {} -> {}", difference.what, fmt::join(difference.base, ", "),
                     fmt::join(difference.candidate, ", "));
}

}  // namespace walstorm::compare
