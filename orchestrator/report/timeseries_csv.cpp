#include "orchestrator/report/timeseries_csv.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "orchestrator/text/csv.h"
#include "orchestrator/text/format.h"

namespace walstorm::report {
namespace {

std::string field(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "";
}

std::string field(const std::optional<std::uint64_t>& value) {
  return value ? std::to_string(*value) : "";
}

}  // namespace

std::string csv_header(const std::vector<std::string>& roles) {
  std::vector<std::string> fields{"time",
                                  "phase",
                                  "phaseElapsedSec",
                                  "draining",
                                  "targetPerSec",
                                  "producedPerSec",
                                  "receivedPerSec",
                                  "landedPerSec",
                                  "lagP50Ms",
                                  "lagP99Ms",
                                  "scheduleLagP99Ms",
                                  "headToSentBytes",
                                  "sentToReceivedBytes",
                                  "receivedToFlushedBytes",
                                  "flushedToConfirmedBytes",
                                  "flushesInFlight",
                                  "bufferedBytes",
                                  "loopUtilization",
                                  "headToSentSec",
                                  "sentToReceivedSec",
                                  "receivedToFlushedSec",
                                  "flushedToConfirmedSec",
                                  "walsenderState",
                                  "walsenderWait"};
  for (const std::string& role : roles) {
    fields.push_back(role + ".cpuShare");
    fields.push_back(role + ".rssBytes");
  }
  return text::csv_row(fields);
}

std::string csv_line(const measure::Second& second, const std::vector<std::string>& roles) {
  std::vector<std::string> fields{text::iso_time(second.at_unix_us),
                                  second.phase,
                                  fmt::format("{:.3f}", second.phase_elapsed_sec),
                                  second.draining ? "true" : "false",
                                  field(second.target_per_sec),
                                  field(second.produced_per_sec),
                                  field(second.received_per_sec),
                                  field(second.landed_per_sec),
                                  field(second.lag_p50_ms),
                                  field(second.lag_p99_ms),
                                  field(second.schedule_lag_p99_ms),
                                  field(second.head_to_sent_bytes),
                                  field(second.sent_to_received_bytes),
                                  field(second.received_to_flushed_bytes),
                                  field(second.flushed_to_confirmed_bytes),
                                  field(second.flushes_in_flight),
                                  field(second.buffered_bytes),
                                  field(second.loop_utilization),
                                  field(second.head_to_sent_sec),
                                  field(second.sent_to_received_sec),
                                  field(second.received_to_flushed_sec),
                                  field(second.flushed_to_confirmed_sec),
                                  (second.walsender_state),
                                  (second.walsender_wait)};
  for (const std::string& role : roles) {
    const auto process =
        std::find_if(second.processes.begin(), second.processes.end(),
                     [&](const measure::Second::Process& candidate) { return candidate.role == role; });
    const bool known = process != second.processes.end();
    fields.push_back(known ? field(process->cpu_share) : "");
    fields.push_back(known ? field(process->rss_bytes) : "");
  }
  return text::csv_row(fields);
}

}  // namespace walstorm::report
