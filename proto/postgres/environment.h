#pragma once

#include <map>
#include <string>

namespace walstorm::postgres {

/// Environment variables by name.
using Variables = std::map<std::string, std::string>;

/// PostgreSQL's variables (PGHOST, PGSERVICE, PGOPTIONS, PGPORT, PGTZ ...), which the first call takes out of
/// this process's environment: from then on neither libpq nor a child of ours finds them. libpq fills by them
/// whatever a connection string leaves open, and some of them no connection string overrides; `postgres`
/// itself reads PGPORT and PGDATA. So what they add to a connection is decided in one place: for a server
/// that the user names the orchestrator writes it into the connection string, for a private one they do not
/// exist.
///
/// Those that only say where libpq's files are (PGSERVICEFILE, PGSYSCONFDIR, PGLOCALEDIR) stay: they are used
/// where something names a service.
///
/// Every program's main calls it before it starts a thread.
const Variables& take_postgres_variables();

}  // namespace walstorm::postgres
