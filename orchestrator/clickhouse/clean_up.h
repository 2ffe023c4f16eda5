#pragma once

#include <string>
#include <vector>

#include "orchestrator/clickhouse/session.h"

namespace walstorm::clickhouse {

/// Drops walstorm's tables in `database`, and the database when nothing else is in it and it is not the
/// server's default one; with `dry_run` only looks. Touches nothing in a database without walstorm's table
/// `migrations`. Returns a line for each thing, rows and runs counted. Can be done again when it was broken
/// off.
std::vector<std::string> clean_up(Session& session, const std::string& database, bool dry_run);

}  // namespace walstorm::clickhouse
