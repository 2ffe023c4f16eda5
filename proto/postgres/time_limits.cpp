#include "proto/postgres/time_limits.h"

#include <array>
#include <string_view>

namespace walstorm::postgres {
namespace {

struct Limit {
  std::string_view name;
  int since_version;
};

/// https://www.postgresql.org/docs/current/runtime-config-client.html. The statement's own comes first: it
/// could cut what follows.
constexpr std::array kLimits{Limit{"statement_timeout", 0}, Limit{"lock_timeout", 0},
                             Limit{"idle_in_transaction_session_timeout", 0},
                             Limit{"idle_session_timeout", 140'000}, Limit{"transaction_timeout", 170'000}};

std::string set_to_zero(std::string_view set, int server_version) {
  std::string sql;
  for (const Limit& limit : kLimits) {
    if (server_version < limit.since_version) continue;
    sql.append(set).append(limit.name).append(" = 0; ");
  }
  return sql;
}

}  // namespace

std::string lift_time_limits_sql(int server_version) {
  return set_to_zero("SET ", server_version);
}

std::string lift_time_limits_for_transaction_sql(int server_version) {
  return set_to_zero("SET LOCAL ", server_version);
}

}  // namespace walstorm::postgres
