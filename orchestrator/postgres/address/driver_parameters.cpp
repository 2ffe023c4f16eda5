#include "orchestrator/postgres/address/driver_parameters.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <set>
#include <utility>

#include <libpq-fe.h>
namespace walstorm::postgres {
namespace {

/// They shape the driver's own pool, caches and texts, and nothing that a server sees of walstorm.
constexpr std::array<std::string_view, 52> kIgnored{
    // Prisma
    "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "statement_cache_size",
    // node-postgres and postgres.js: with uselibpqcompat sslmode means what it means to libpq
    "uselibpqcompat", "max", "min", "idle_timeout", "max_lifetime", "prepare", "fetch_types",
    // pgx
    "pool_max_conns", "pool_min_conns", "pool_min_idle_conns", "pool_max_conn_lifetime",
    "pool_max_conn_lifetime_jitter", "pool_max_conn_idle_time", "pool_health_check_period",
    "default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity",
    // JDBC
    "prepareThreshold", "preparedStatementCacheQueries", "preparedStatementCacheSizeMiB",
    "defaultRowFetchSize", "reWriteBatchedInserts", "binaryTransfer", "ApplicationName", "tcpKeepAlive",
    "connectTimeout", "loginTimeout", "socketTimeout", "cancelSignalTimeout", "assumeMinServerVersion",
    "autosave", "stringtype", "logServerErrorDetail",
    // lib/pq, sqlx, asyncpg, SQLAlchemy
    "binary_parameters", "disable_prepared_binary_result", "statement-cache-capacity",
    "prepared_statement_cache_size", "async_fallback",
    // Rails, Ecto, Django
    "pool", "pool_size", "prepared_statements", "checkout_timeout", "reaping_frequency", "conn_max_age",
    "conn_health_checks",
    // Supabase's marks on what it hands out
    "supa", "workaround"};

/// Their presence says that the URL was written for Prisma.
constexpr std::array<std::string_view, 8> kPrismas{"schema",      "connection_limit",    "pool_timeout",
                                                   "pgbouncer",   "socket_timeout",      "sslaccept",
                                                   "sslidentity", "statement_cache_size"};

/// What libpq learned, and when (release notes of PostgreSQL).
constexpr std::array<std::pair<std::string_view, int>, 14> kSince{{{"require_auth", 16},
                                                                   {"sslcertmode", 16},
                                                                   {"load_balance_hosts", 16},
                                                                   {"gssdelegation", 16},
                                                                   {"sslnegotiation", 17},
                                                                   {"min_protocol_version", 18},
                                                                   {"max_protocol_version", 18},
                                                                   {"sslkeylogfile", 18},
                                                                   {"servicefile", 18},
                                                                   {"oauth_issuer", 18},
                                                                   {"oauth_client_id", 18},
                                                                   {"oauth_scope", 18},
                                                                   {"scram_client_key", 18},
                                                                   {"scram_server_key", 18}}};

constexpr std::array<std::string_view, 6> kSslModes{"disable", "allow",     "prefer",
                                                    "require", "verify-ca", "verify-full"};

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::set<std::string> known_to_libpq() {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse("", nullptr),
                                                                               PQconninfoFree);
  std::set<std::string> names;
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr;
       ++option) {
    names.insert(option->keyword);
  }
  return names;
}

/// What to do about a parameter that libpq does not take.
std::string advice(const std::string& name) {
  if (name == "sslidentity") {
    return "sslidentity (Prisma's) is a PKCS#12 file, which libpq cannot read: take it and sslpassword out, "
           "and write sslcert=client.crt&sslkey=client.key&sslrootcert=ca.crt (openssl pkcs12 -in FILE "
           "-clcerts -nokeys, and -nocerts -nodes)";
  }
  if (name == "ssl") return "ssl: write sslmode=require or sslmode=disable for it";
  const auto newer =
      std::find_if(kSince.begin(), kSince.end(), [&](const auto& each) { return each.first == name; });
  if (newer != kSince.end()) {
    return fmt::format("{} came with libpq {}, and this is libpq {}: take it out", name, newer->second,
                       PQlibVersion() / 10'000);
  }
  return fmt::format("{} is no parameter of libpq, by which walstorm connects: take it out", name);
}

/// Whether sslcert means what it means to Prisma: the server's CA. To libpq it is the client's certificate,
/// of no use without its key.
bool sslcert_is_the_ca(const ConnectionUrl& url) {
  if (url.find("sslcert") == nullptr || url.find("sslkey") != nullptr) return false;
  const bool prismas = std::any_of(kPrismas.begin(), kPrismas.end(),
                                   [&](std::string_view name) { return url.find(name) != nullptr; });
  if (prismas) return true;
  const char* home = std::getenv("HOME");
  std::error_code unreadable;
  return std::getenv("PGSSLKEY") == nullptr &&
         (home == nullptr || !std::filesystem::exists(
                                 std::filesystem::path(home) / ".postgresql" / "postgresql.key", unreadable));
}

void set(ConnectionUrl& url, const std::string& name, const std::string& raw_value) {
  url.remove(name);
  url.parameters.push_back({name, raw_value, name + "=" + raw_value});
}

/// Prisma's words for TLS: sslcert is the CA, and sslaccept says whether the certificate is verified at all.
void translate_prismas_tls(ConnectionUrl& url, std::vector<std::string>& problems) {
  const UrlParameter* accept = url.find("sslaccept");
  const std::string accepted = accept == nullptr ? "" : accept->value;
  if (accept != nullptr && accepted != "strict" && accepted != "accept_invalid_certs") {
    problems.emplace_back("sslaccept is strict or accept_invalid_certs: take it out");
    url.remove("sslaccept");
    return;
  }
  if (sslcert_is_the_ca(url)) {
    const std::string& raw = url.find("sslcert")->raw;
    const std::string ca = raw.substr(raw.find('=') + 1);
    url.remove("sslcert");
    // With a CA libpq verifies against it, and must not fall back to a connection without TLS then.
    if (accepted != "accept_invalid_certs") {
      set(url, "sslrootcert", ca);
      if (url.find("sslmode") == nullptr || url.find("sslmode")->value == "prefer")
        set(url, "sslmode", "require");
    }
  }
  if (accepted == "strict") set(url, "sslmode", "verify-full");
  url.remove("sslaccept");
}

void take_schema(ConnectionUrl& url, DriverParameters& found) {
  std::vector<std::string>& problems = found.problems;
  for (const char* name : {"search_path", "currentSchema", "schema"}) {
    const UrlParameter* parameter = url.find(name);
    if (parameter == nullptr) continue;
    const std::string schema = parameter->value;
    url.remove(name);
    if (std::string_view(name) != "schema" && schema.find_first_of(",\"") != std::string::npos) {
      problems.push_back(fmt::format("{} names more than a schema: name the one to use by schema=", name));
    } else if (schema.find('\0') != std::string::npos) {
      problems.push_back(fmt::format("{}: a name cannot hold %00", name));
    } else if (schema.starts_with("pg_")) {
      problems.push_back(
          fmt::format("{}: PostgreSQL keeps names that begin with pg_ for itself: name another", name));
    } else {
      found.schema = schema;
    }
  }
}

}  // namespace

DriverParameters take_out_driver_parameters(ConnectionUrl& url) {
  DriverParameters found;
  std::vector<std::string>& problems = found.problems;
  translate_prismas_tls(url, problems);
  take_schema(url, found);
  const auto known = known_to_libpq();
  const auto parameters = url.parameters;
  for (const UrlParameter& each : parameters) {
    // libpq's one word of JDBC's.
    if (known.contains(each.name) || (each.name == "ssl" && each.value == "true")) continue;
    if (contains(kIgnored, each.name)) {
      found.ignored.push_back(each.name);
      url.remove(each.name);
    } else {
      problems.push_back(advice(each.name));
    }
  }
  const UrlParameter* mode = url.find("sslmode");
  if (mode != nullptr && mode->value == "no-verify") {
    problems.emplace_back(
        "sslmode=no-verify is node-postgres's: write sslmode=require, which verifies no certificate either");
  } else if (mode != nullptr && !contains(kSslModes, mode->value)) {
    problems.push_back(fmt::format("sslmode is one of {}", fmt::join(kSslModes, ", ")));
  }
  return found;
}

}  // namespace walstorm::postgres
