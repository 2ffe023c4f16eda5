#include "proto/postgres/sqlstate.h"

#include <algorithm>
#include <array>

namespace walstorm::postgres {
namespace {

struct Rule {
  std::string_view begins_with;
  Refusal refusal;
  std::string_view advice = {};
};

/// The first one that fits counts: codes stand before their class.
constexpr std::array kRules{
    Rule{"08P01", Refusal::final},  // protocol_violation
    Rule{"08", Refusal::session_ended},
    Rule{"25P03", Refusal::session_ended,  // idle_in_transaction_session_timeout
         "raise idle_in_transaction_session_timeout of the role, or in database.settings"},
    Rule{"25P04", Refusal::session_ended,  // transaction_timeout
         "raise transaction_timeout of the role, or in database.settings, or lower producer.batchSize"},
    Rule{"40001", Refusal::rolled_back,  // serialization_failure
         "lower default_transaction_isolation of the role or in database.settings, or keep others from "
         "changing \"TaskRun\""},
    Rule{"40002", Refusal::final},       // transaction_integrity_constraint_violation
    Rule{"40P01", Refusal::rolled_back,  // deadlock_detected
         "find who else locks rows of \"TaskRun\": PostgreSQL's log names both sides of a deadlock"},
    Rule{"40", Refusal::rolled_back},
    Rule{"53", Refusal::unavailable},
    Rule{"55006", Refusal::rolled_back},  // object_in_use
    Rule{"55P03", Refusal::rolled_back,   // lock_not_available: lock_timeout, NOWAIT
         "raise lock_timeout of the role or in database.settings, or find who holds the lock "
         "(pg_blocking_pids)"},
    Rule{"57014", Refusal::rolled_back,  // query_canceled: statement_timeout, pg_cancel_backend
         "raise statement_timeout of the role or in database.settings, lower producer.batchSize, or find who "
         "cancels"},
    Rule{"57P04", Refusal::final},         // database_dropped
    Rule{"57P05", Refusal::session_ended,  // idle_session_timeout
         "raise idle_session_timeout of the role, or in database.settings"},
    Rule{"57P", Refusal::session_ended},
    Rule{"57", Refusal::unavailable},
    Rule{"58P01", Refusal::final},  // undefined_file: a WAL segment is gone
    Rule{"58", Refusal::unavailable},
};

const Rule* rule_of(std::string_view sqlstate) {
  const auto* const fits = std::find_if(kRules.begin(), kRules.end(), [sqlstate](const Rule& rule) {
    return sqlstate.starts_with(rule.begins_with);
  });
  return fits == kRules.end() ? nullptr : fits;
}

}  // namespace

Refusal refusal_of(std::string_view sqlstate) {
  if (sqlstate.empty()) return Refusal::session_ended;
  const Rule* const rule = rule_of(sqlstate);
  return rule == nullptr ? Refusal::final : rule->refusal;
}

std::string_view rollback_advice(std::string_view sqlstate) {
  const Rule* const rule = rule_of(sqlstate);
  return rule == nullptr ? std::string_view() : rule->advice;
}

}  // namespace walstorm::postgres
