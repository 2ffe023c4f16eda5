#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/clickhouse/features.h"
#include "orchestrator/clickhouse/session.h"

/// walstorm's tables in ClickHouse: numbered statements (migrations/*.sql), each carried out once in a
/// database and recorded in its table `migrations`.
namespace walstorm::clickhouse {

struct Migration {
  std::uint32_t number = 0;
  std::string name;      ///< of the table that it creates: "task_runs"
  std::string checksum;  ///< SHA-256 of the file
  std::string sql;       ///< with places in braces that depend on the server
};

/// All that this program knows, in their order. Put in at build time.
[[nodiscard]] const std::vector<Migration>& embedded_migrations();

/// `migration`'s statement for one server and database.
[[nodiscard]] std::string rendered(const Migration& migration, const Features& features,
                                   const std::string& database);

/// One row of the table `migrations`.
struct AppliedMigration {
  std::string name, checksum;
};
/// By number.
using AppliedMigrations = std::map<std::uint32_t, AppliedMigration>;

/// Which of `known` are still to be carried out. Throws Error{unavailable} that says what to do, when the
/// database is a newer walstorm's, or has another history than this one's.
[[nodiscard]] std::vector<Migration> outstanding(const std::vector<Migration>& known,
                                                 const AppliedMigrations& applied,
                                                 const std::string& database);

/// Whether `database` holds walstorm's table `migrations`: by its columns. False too where there is no
/// database.
[[nodiscard]] bool is_ours(Session& session, const std::string& database);

/// Whether `database` is ours already (true), or free for walstorm's tables (false; it need not be there).
/// Throws Error{unavailable} when it holds a table `migrations` that is not walstorm's or, without one, a
/// table by the name of one of `known`'s: once there are migrations it would pass for ours, and walstorm
/// clean would drop it.
[[nodiscard]] bool require_ours_or_free(Session& session, const std::string& database,
                                        const std::vector<Migration>& known = embedded_migrations());

/// What was carried out in `database`, which is ours.
[[nodiscard]] AppliedMigrations applied_migrations(Session& session, const std::string& database);

/// Makes the database and brings it up to date. Can be done again, and by two at once: every statement leaves
/// alone what is there. Throws Error that names the step, and before anything is made where the database is
/// neither ours nor free.
void migrate(Session& session, const Features& features, const std::string& database,
             const std::vector<Migration>& known = embedded_migrations());

}  // namespace walstorm::clickhouse
