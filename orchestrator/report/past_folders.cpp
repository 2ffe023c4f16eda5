#include "orchestrator/report/past_folders.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <system_error>
#include <utility>

#include "orchestrator/report/compare_json.h"
#include "orchestrator/report/format.h"
#include "orchestrator/report/json_fields.h"
#include "orchestrator/report/metrics_reader.h"
#include "orchestrator/report/search_json.h"
#include "orchestrator/report/sweep_json.h"
#include "proto/wire/error.h"

namespace walstorm::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using wire::Error;
using wire::ErrorKind;

/// A run has it from its start, metrics.json from its end.
constexpr const char* kConfigFile = "config.json";
/// A folder of more is not one that walstorm made.
constexpr std::size_t kFoldersMax = 100'000;

constexpr std::array<std::pair<const char*, const char*>, 3> kRecords{
    {{kSearchFile, "search"}, {kSweepFile, "sweep"}, {kCompareFile, "compare"}}};

bool has(const fs::path& folder, const char* file) {
  std::error_code unknown;
  return fs::exists(folder / file, unknown);
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code unknown;
    if (entry.is_directory(unknown)) folders.push_back(entry.path());
    if (folders.size() == kFoldersMax) break;
  }
  if (error) {
    throw Error(ErrorKind::config, fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

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
  const measure::RunReport report = read_run(folder).report;
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
  take(document, "name", past.name);
  take(document, "startedAtUnixUs", past.started_at_unix_us);
  take(document, past.kind == "compare" ? "outcome" : "stopReason", past.outcome);
  if (past.outcome.empty()) past.outcome = "not finished";
  take(field(document, "lastPassing"), "achieved", past.best_rate);
}

std::optional<PastFolder> look_at(const fs::path& folder) {
  PastFolder past;
  past.folder = folder.filename().string();
  try {
    for (const auto& [file, kind] : kRecords) {
      if (!has(folder, file)) continue;
      past.kind = kind;
      read_record_into(past, folder / file);
      return past;
    }
    past.kind = "run";
    if (has(folder, kMetricsFile)) {
      read_run_into(past, folder);
    } else if (has(folder, kConfigFile)) {
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
  std::string text = iso_time(unix_us).substr(0, 19);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

}  // namespace

std::vector<fs::path> run_folders(const fs::path& folder) {
  if (has(folder, kMetricsFile)) return {folder};
  std::vector<fs::path> runs;
  for (const fs::path& each : folders_in(folder)) {
    if (has(each, kMetricsFile)) runs.push_back(each);
  }
  if (runs.empty()) {
    throw Error(ErrorKind::config,
                fmt::format("{}: neither a run's folder nor one with runs in it; `walstorm list` shows them",
                            folder.string()));
  }
  return runs;
}

std::vector<PastFolder> past_folders(const fs::path& output) {
  std::vector<PastFolder> all;
  for (const fs::path& folder : folders_in(output)) {
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
                    past.kind == "run" ? std::to_string(past.phases) : "–", rate_text(past.best_rate),
                    past.worst_verdict ? measure::to_string(*past.worst_verdict) : "–"});
  }
  std::string text;
  if (rows.size() > 1) {
    for (const std::string& line : aligned(rows, 2)) text += line + "\n";
  }
  return text + unreadable;
}

}  // namespace walstorm::report
