#include "orchestrator/check/check.h"

#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

#include "orchestrator/check/attempt.h"
#include "orchestrator/check/clickhouse.h"
#include "orchestrator/check/machine.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/postgres/own_database.h"
#include "orchestrator/postgres/prepared_database.h"
#include "orchestrator/postgres/readiness.h"
#include "orchestrator/postgres/schema_copy.h"
#include "orchestrator/postgres/server_probe.h"
#include "orchestrator/postgres/session.h"
#include "orchestrator/postgres/table_shape.h"
#include "orchestrator/process/private_folder.h"
#include "orchestrator/process/proc_activity.h"
#include "orchestrator/profile/doctor.h"
#include "orchestrator/profile/preload/gperftools.h"
#include "orchestrator/profile/profiler.h"
#include "orchestrator/profile/record/perf_ability.h"

namespace walstorm::check {
namespace {

/// A private server to ask. Its log stands in a folder of its own: a name in the temporary folder that can be
/// guessed may be a link of somebody else's.
class PostgresOnTrial final {
 public:
  PostgresOnTrial(process::EventLoop& loop, const config::Database& settings)
      : server_(loop, settings.settings, log_folder_.path() / "postgres.log") {}

  [[nodiscard]] const postgres::Address& address() const { return server_.address(); }

 private:
  process::PrivateFolder log_folder_{process::FolderFor::check};
  postgres::PrivateServer server_;
};

config::Finding clocks(const wire::ClockOffset& offset) {
  const std::string says = postgres::clock_text(offset);
  return {config::Level::ok, "clock",
          offset.known_us() == 0 ? says : says + ": a run corrects its times by that", ""};
}

/// A database of that name may be somebody's: a run would refuse to empty it.
void ask_database(process::EventLoop& loop, const config::Config& config, const postgres::Address& address,
                  std::vector<config::Finding>& findings) {
  attempt(findings, "database", [&] {
    postgres::Session session(loop, address.conninfo(config.database.profiling_database, "walstorm-check"),
                              "check PostgreSQL");
    session.ask<bool>("look into the database", kLookTimeout, 0, [](auto& connection) {
      postgres::require_ours(connection);
      return true;
    });
  });
}

void ask_server(process::EventLoop& loop, const config::Config& config, const postgres::Address& address,
                std::vector<config::Finding>& findings) {
  const std::uint64_t needed = config::disk_bytes(config, config::plan_phases(config));
  const std::string home = postgres::home_database(address, config.database);
  postgres::Session session(loop, address.conninfo(home, "walstorm-check"), "check PostgreSQL");
  bool leads_to_it = false;
  const bool reached = attempt(findings, "connection", [&] {
    const auto probe = postgres::probe_server(session, address, home, config);
    const auto judged = postgres::judge_server(probe, config, needed);
    findings.insert(findings.end(), judged.begin(), judged.end());
    leads_to_it = probe.between != postgres::Between::pooler;
    if (!leads_to_it) return;
    findings.push_back(check_disk(postgres::local_data_folder(probe), needed));
    if (probe.target.exists && !probe.target.refused) ask_database(loop, config, address, findings);
  });
  if (!reached || !leads_to_it) return;
  attempt(findings, "clock", [&] {
    findings.push_back(clocks(
        session.ask<wire::ClockOffset>("compare the clocks", kLookTimeout, 0, postgres::compare_clocks)));
  });
}

/// The schema to be copied is dumped for real: its privileges are too many to be asked for one by one.
void ask_source(process::EventLoop& loop, const config::Config& config, const postgres::Address& address,
                std::vector<config::Finding>& findings) {
  attempt(findings, "schema", [&] {
    const auto source = postgres::schema_source(config.database, address);
    if (!source) return;
    postgres::Session session(loop, source->address.conninfo(source->database, "walstorm-check"),
                              "ask " + source->shown());
    const int version =
        session.ask<int>("look at its table", kLookTimeout, 0, [shown = source->shown()](auto& connection) {
          postgres::require_fitting_table(connection, shown);
          return postgres::server_version(connection);
        });
    const auto tools = postgres::find_dump_tools(loop, version / 10'000);
    const postgres::SchemaDump dump(loop, tools, *source);
    findings.push_back({config::Level::ok, "schema",
                        fmt::format("{} (version {}) copies that of {}", tools.pg_dump.string(), tools.major,
                                    source->shown()),
                        ""});
  });
}

Section look_at_postgres(process::EventLoop& loop, const config::Config& config) {
  Section section;
  std::unique_ptr<PostgresOnTrial> trial;
  postgres::Address address;
  section.title = config.database.url ? "PostgreSQL" : "PostgreSQL, private";
  const bool known = attempt(section.findings, "server", [&] {
    if (config.database.url) {
      address = postgres::Address::parse(*config.database.url);
      section.title = "PostgreSQL at " + address.shown();  // with the variables that took part
    } else {
      trial = std::make_unique<PostgresOnTrial>(loop, config.database);
      address = trial->address();
    }
  });
  if (!known) return section;
  if (const std::string ignored = address.ignored_text(); !ignored.empty())
    section.findings.push_back({config::Level::note, "URL", ignored, ""});
  ask_server(loop, config, address, section.findings);
  ask_source(loop, config, address, section.findings);
  if (trial) {
    section.findings.insert(
        section.findings.begin(),
        {config::Level::ok, "server",
         fmt::format("one from {} starts", postgres::find_postgres_binaries().string()), ""});
  }
  return section;
}

}  // namespace

namespace {

/// What a run that profiles can record here.
Section look_at_profiling(process::EventLoop& loop, const config::Profiling& profiling) {
  Section section{"Profiles", {}};
  const profile::Gperftools within = profile::look_for_gperftools();
  if (profiling.flame() || profiling.contention()) {
    attempt(section.findings, "perf", [&] {
      const profile::PerfAbility ability = profile::judge_perf_ability(profile::look_at_perf(loop));
      section.findings = ability.findings;
      // A worker carries one profiler.
      if (profiling.flame() && !ability.on_cpu && !profiling.heap())
        section.findings.push_back(profile::judge_sampler(within));
      if (profiling.contention()) section.findings.push_back(profile::judge_contention(ability));
    });
  }
  if (profiling.heap()) section.findings.push_back(profile::judge_heap(within));
  return section;
}

}  // namespace

std::vector<Section> look(process::EventLoop& loop, const config::Config& config) {
  std::vector<Section> sections{
      look_at_postgres(loop, config),
      look_at_clickhouse(loop, config),
      {"This machine",
       {check_workers(), check_output_folder(config.output_dir), check_temporary_folder(), check_perf()}}};
  if (profile::Profiler::is_wanted(config.profiling))
    sections.push_back(look_at_profiling(loop, config.profiling));
  if (config.profiling.doctor())
    sections.push_back({"Doctor", profile::judge_doctor_ability(process::read_proc_activity(::getpid()))});
  return sections;
}

}  // namespace walstorm::check
