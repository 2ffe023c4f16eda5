#include "orchestrator/report/report_md.h"

#include <fmt/format.h>
#include <iterator>
#include <vector>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/judge/load_evidence.h"
#include "orchestrator/report/observation_text.h"
#include "orchestrator/report/phase_text.h"
#include "orchestrator/report/threshold_text.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"

namespace walstorm::report {
namespace {

using Row = std::vector<std::string>;

Row times(const std::string& name, const measure::Distribution& d) {
  return {name,
          text::count_text(d.count),
          text::ms_text(d.p50),
          text::ms_text(d.p90),
          text::ms_text(d.p99),
          text::ms_text(d.p999),
          text::ms_text(d.max),
          text::ms_text(d.mean)};
}

std::string drain_text(const measure::DrainReport& drain) {
  if (!drain.completed) return "not drained";
  return text::sec_text(drain.duration_sec) + (*drain.completed ? "" : ", gave up");
}

std::string verdicts(const measure::RunReport& report) {
  std::string text;
  for (const auto& phase : report.phases) {
    text += fmt::format("- **{}**{}: {}\n", phase.name, phase.warmup ? " (warm-up)" : "",
                        verdict_text(phase.verdict));
    for (const std::string& step : next_steps(phase)) text += fmt::format("  - try: {}\n", step);
    for (const std::string& note : phase.notes) text += fmt::format("  - {}\n", note);
  }
  for (const std::string& note : report.notes) text += fmt::format("- note: {}\n", note);
  return text + "\n";
}

std::string phases_table(const measure::RunReport& report) {
  std::vector<Row> rows;
  for (const auto& phase : report.phases) {
    rows.push_back({phase.name, text::sec_text(phase.duration_sec), config::target_text(phase.target),
                    text::rate_text(phase.producer.throughput),
                    text::percent_text(phase.producer.target_ratio),
                    text::count_text(phase.producer.known(phase.producer.records)),
                    text::count_text(phase.producer.not_started), text::rate_text(phase.consumer.throughput),
                    text::bytes_text(phase.consumer.wal_behind_bytes_max),
                    text::percent_text(phase.consumer.loop_utilization_mean), drain_text(phase.drain)});
  }
  return text::markdown_table({"phase", "load", "target", "achieved", "of target", "records", "not started",
                               "landed", "WAL behind, max", "consumer loop busy", "drain"},
                              rows);
}

std::string flush_size_text(const measure::ConsumerReport& consumer) {
  return consumer.records_per_flush
             ? fmt::format(" of {:.1f} records on average", *consumer.records_per_flush)
             : "";
}

/// Nothing with the mock, which makes none.
std::string parts_text(const measure::ConsumerReport& consumer) {
  if (!consumer.parts_created) return "";
  return fmt::format("; ClickHouse made {} parts of them, {} were active at most, {} at the end",
                     text::count_text(consumer.parts_created), text::count_text(consumer.parts_active_max),
                     text::count_text(consumer.parts_active_end));
}

std::string processes_table(const measure::PhaseReport& phase) {
  std::vector<Row> rows;
  for (const auto& process : phase.processes) {
    rows.push_back({process.role, process.pid ? std::to_string(*process.pid) : "–",
                    text::sec_text(process.cpu_user_sec), text::sec_text(process.cpu_system_sec),
                    text::micros_text(process.cpu_micros_per_record), text::bytes_text(process.rss_max_bytes),
                    text::count_text(process.context_switches)});
  }
  return text::markdown_table(
      {"process", "pid", "CPU user", "CPU system", "CPU per record", "memory, max", "context switches"},
      rows);
}

/// Empty where the verdict has none.
std::string evidence_table(const measure::Verdict& verdict) {
  if (verdict.evidence.empty()) return "";
  std::vector<Row> rows;
  for (const auto& evidence : verdict.evidence) {
    const auto number = [](const std::optional<double>& value) {
      return value ? fmt::format("{:.6g}", *value) : "–";
    };
    rows.push_back({evidence.figure, number(evidence.value), number(evidence.limit), evidence.says});
  }
  return text::markdown_table({"evidence", "value", "limit", "says"}, rows);
}

std::string phase_section(const measure::PhaseReport& phase) {
  const measure::ProducerReport& p = phase.producer;
  const measure::ConsumerReport& c = phase.consumer;
  std::string text = fmt::format(
      "### {}\n\n{}. {} inserts, {} updates, {} deletes in {} transactions; "
      "{} landed in {} flushes{}: {} encoded, {} sent{}{}{}.\n\n",
      phase.name,
      phase.started_at_unix_us ? "Started " + text::iso_time(*phase.started_at_unix_us) : "Did not start",
      text::count_text(p.known(p.inserts)), text::count_text(p.known(p.updates)),
      text::count_text(p.known(p.deletes)), text::count_text(p.known(p.transactions)),
      text::count_text(c.known(c.records)), text::count_text(c.known(c.batches)), flush_size_text(c),
      text::bytes_text(c.known(c.encoded_bytes)), text::bytes_text(c.known(c.wire_bytes)), parts_text(c),
      c.errors > 0 ? "; " : "", flush_errors_text(c));
  text += text::markdown_table(
      {"time", "count", "p50", "p90", "p99", "p99.9", "max", "mean"},
      {times("write latency", phase.producer.write_latency_ms),
       times("service time", phase.producer.service_time_ms),
       times("schedule lag", phase.producer.schedule_lag_ms), times("replication lag", phase.consumer.lag_ms),
       times("– receive", phase.consumer.receive_ms), times("– queue", phase.consumer.queue_ms),
       times("– flush", phase.consumer.flush_ms)});
  if (phase.producer.censored.value_or(0) > 0) {
    text += fmt::format(
        "{} transactions were due and not in PostgreSQL when the load ended; they are in the write latency, "
        "and "
        "those never started in the schedule lag, with the age they had then.\n\n",
        text::count_text(phase.producer.censored));
  }
  if (p.errors > 0) text += measure::roll_backs_text(p) + ".\n\n";
  if (phase.consumer.censored.value_or(0) > 0) {
    text += fmt::format(
        "{} records were not acknowledged when the drain gave up; they are in the replication lag "
        "with the age they had then.\n\n",
        text::count_text(phase.consumer.censored));
  }
  std::vector<Row> rows = ladder_rows(phase.ladder);
  const Row header = rows.front();
  rows.erase(rows.begin());
  text += text::markdown_table(header, rows);
  if (const std::string postgres = postgres_text(phase.postgres); !postgres.empty())
    text += postgres + "\n\n";
  text += processes_table(phase);
  text += fmt::format("Ledger: {}.\n\n", ledger_text(phase.ledger));
  return text + evidence_table(phase.verdict);
}

std::string thresholds_table(const measure::RunReport& report) {
  std::vector<Row> rows;
  for (const auto& phase : report.phases) {
    for (const auto& threshold : phase.thresholds) {
      rows.push_back({expression_text(threshold), phase.name,
                      threshold.passed         ? "ok"
                      : is_measured(threshold) ? "**crossed**"
                                               : "**no data**",
                      text::number_text(threshold.observed), text::number_text(threshold.limit),
                      threshold.says});
    }
  }
  return rows.empty()
             ? ""
             : "## Thresholds\n\n" +
                   text::markdown_table({"threshold", "phase", "outcome", "observed", "limit", "says"}, rows);
}

std::string environment_section(const measure::RunReport& report, const ToolVersion& tool) {
  const measure::Environment& e = report.environment;
  const auto known = [](const std::string& text) { return text.empty() ? "–" : text; };
  std::vector<Row> rows{
      {"host", known(e.host)},
      {"kernel", known(e.kernel)},
      {"CPU",
       e.cpu_count == 0 ? known(e.cpu_model) : fmt::format("{} × {}", e.cpu_count, known(e.cpu_model))},
      {"memory", e.memory_bytes == 0 ? "–" : text::bytes_text(e.memory_bytes)},
      {"PostgreSQL", known(e.postgres_version)},
      {"ClickHouse", known(e.clickhouse_version)},
      {"walstorm", fmt::format("{} ({}, {})", tool.version, tool.git_revision, tool.build_type)}};
  for (const auto& clock : e.clocks) {
    rows.push_back({fmt::format("clock of {}", clock.role), clock_text(clock)});
  }
  for (const auto& [name, value] : e.postgres_settings) rows.push_back({name, value});
  return "## Environment\n\n" + text::markdown_table({"what", "value"}, rows);
}

constexpr const char* kHowToRead = R"(## How to read this

- **achieved**, **landed**: records per second committed in PostgreSQL, and acknowledged by the sink, over the load window alone; the drain is never in it.
- **write latency** counts from the moment a batch was *due*, so a generator or server that falls late shows it; **service time** from its start; **schedule lag** is the difference.
- **replication lag**: from PostgreSQL's commit timestamp to the sink's acknowledgement, per record. Its stages: **receive** (until read from the socket), **queue** (until its flush starts), **flush** (until acknowledged).
- **where the WAL was**: distances on the way from PostgreSQL to the sink, looked at once a second, in bytes and as the age of the oldest byte in them. An idle pipe has a floor that need not be 0.
- **try** names what to change next, most promising first; the verdict's bottleneck, in parentheses, is the part that held up the others.
- **generator-limited** says that the producers could not keep the schedule: the figures then show no limit of the replication.
- "–" is a figure that was not measured. All figures, with more percentiles, are in `metrics.json`; each second of the run is in `timeseries.csv`.
)";

}  // namespace

std::string report_md(const measure::RunReport& report, const ToolVersion& tool,
                      const std::map<std::string, Timeline>& timelines) {
  std::string text = fmt::format("# {}: {}\n\n", report.name, measure::to_string(report.outcome));
  if (!report.failure.empty()) text += fmt::format("**{}**\n\n", report.failure);
  text += verdicts(report);
  text += fmt::format("{} to {}, exit code {}.\n\n", text::iso_time(report.started_at_unix_us),
                      text::iso_time(report.ended_at_unix_us), report.exit_code);
  text += thresholds_table(report);
  text += "## Phases\n\n" + phases_table(report);
  for (const auto& phase : report.phases) {
    text += phase_section(phase);
    if (timelines.contains(phase.name)) text += timeline_text(timelines.at(phase.name));
  }
  text += report.profile_section;
  text += fmt::format("## Ledger\n\n- changes: {}\n- rows: {}\n- content: {}\n", ledger_text(report.changes),
                      ledger_text(report.rows), ledger_text(report.content));
  for (const std::string& difference : report.content.differences)
    text += fmt::format("  - {}\n", difference);
  return text + "\n" + environment_section(report, tool) + kHowToRead;
}

}  // namespace walstorm::report
