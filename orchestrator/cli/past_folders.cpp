#include "orchestrator/cli/past_folders.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <system_error>
#include <utility>

#include "orchestrator/compare/compare_json.h"
#include "orchestrator/report/metrics_reader.h"
#include "orchestrator/report/run_folders.h"
#include "orchestrator/search/search_json.h"
#include "orchestrator/sweep/sweep_json.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/json_fields.h"
#include "proto/wire/error.h"

namespace walstorm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using wire::Error;
using wire::ErrorKind;

/// A run has it from its start, metrics.json from its end.
constexpr const char* kConfigFile = "config.json";

constexpr std::array<std::pair<const char*, const char*>, 3> kRecords{
    {{search::kSearchFile, "search"}, {sweep::kSweepFile, "sweep"}, {compare::kCompareFile, "compare"}}};

/// What is worse stands later.
int badness(measure::VerdictState state) {
  switch (state) {
    case measure::VerdictState::sustained:
      return 0;
    case measure::VerdictState::marginal:
      return 1;
    case measure::VerdictState::generator_limited:
      return 2;
    case measure::VerdictState::falling_behind:
      return 3;
    case measure::VerdictState::stalled:
      return 4;
    case measure::VerdictState::failed:
      return 5;
  }
  return 5;
}

void read_run_into(PastFolder& past, const fs::path& folder) {
  const measure::RunReport report = report::read_run(folder).report;
  past.name = report.name;
  past.started_at_unix_us = report.started_at_unix_us;
  past.outcome = measure::to_string(report.outcome);
  past.phases = report.phases.size();
  for (const measure::PhaseReport& phase : report.phases) {
    if (phase.warmup) continue;
    const measure::VerdictState state = phase.verdict.state;
    if (!past.worst_verdict || badness(state) > badness(*past.worst_verdict)) past.worst_verdict = state;
    const auto& landed = phase.consumer.throughput;
    if (state == measure::VerdictState::sustained && landed)
      past.best_rate = std::max(past.best_rate.value_or(0), *landed);
  }
}

void read_record_into(PastFolder& past, const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const json document = json::parse(in, nullptr, false);
  if (!document.is_object()) throw Error(ErrorKind::data, "is not JSON");
  text::take(document, "name", past.name);
  text::take(document, "startedAtUnixUs", past.started_at_unix_us);
  text::take(document, past.kind == "compare" ? "outcome" : "stopReason", past.outcome);
  if (past.outcome.empty()) past.outcome = "not finished";
  text::take(text::field(document, "lastPassing"), "achieved", past.best_rate);
}

std::optional<PastFolder> look_at(const fs::path& folder) {
  PastFolder past;
  past.folder = folder.filename().string();
  try {
    for (const auto& [file, kind] : kRecords) {
      if (!report::has_file(folder, file)) continue;
      past.kind = kind;
      read_record_into(past, folder / file);
      return past;
    }
    past.kind = "run";
    if (report::has_file(folder, report::kMetricsFile)) {
      read_run_into(past, folder);
    } else if (report::has_file(folder, kConfigFile)) {
      past.unreadable = "it goes on still, or was broken off: there is no metrics.json";
    } else {
      return std::nullopt;
    }
  } catch (const std::exception& error) {
    past.unreadable = error.what();
  }
  return past;
}

/// "2026-01-31 12:00:00", in UTC.
std::string date_text(std::int64_t unix_us) {
  std::string text = text::iso_time(unix_us).substr(0, 19);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

}  // namespace

std::vector<PastFolder> past_folders(const fs::path& output) {
  std::vector<PastFolder> all;
  for (const fs::path& folder : report::folders_in(output)) {
    if (auto past = look_at(folder)) all.push_back(std::move(*past));
  }
  std::stable_sort(all.begin(), all.end(), [](const PastFolder& one, const PastFolder& other) {
    return one.started_at_unix_us > other.started_at_unix_us;
  });
  return all;
}

std::string past_folders_text(const std::vector<PastFolder>& folders, const fs::path& output) {
  if (folders.empty()) return fmt::format("no runs in {}\n", output.string());
  std::vector<std::vector<std::string>> rows{
      {"folder", "kind", "name", "date (UTC)", "outcome", "phases", "best rate", "worst verdict"}};
  std::string unreadable;
  for (const PastFolder& past : folders) {
    if (!past.unreadable.empty()) {
      unreadable += fmt::format("{}: {}\n", past.folder, past.unreadable);
      continue;
    }
    rows.push_back({past.folder, past.kind, past.name, date_text(past.started_at_unix_us), past.outcome,
                    past.kind == "run" ? std::to_string(past.phases) : "–", text::rate_text(past.best_rate),
                    past.worst_verdict ? measure::to_string(*past.worst_verdict) : "–"});
  }
  std::string text;
  if (rows.size() > 1) {
    for (const std::string& line : text::aligned(rows, 2)) text += line + "\n";
  }
  return text + unreadable;
}

}  // namespace walstorm
