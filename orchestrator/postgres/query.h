#pragma once

#include <string>

#include <pqxx/connection>
#include <pqxx/except>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/row>
#include <pqxx/transaction_base>
#include <pqxx/version>

#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
#define WALSTORM_PQXX_HAS_PARAMS 1
#include <pqxx/params>
#else
#define WALSTORM_PQXX_HAS_PARAMS 0
#endif

/// Where libpqxx 6.4 (Debian 12) and 7.10 (Debian 13) differ: exec_params() and exec1() of the one are
/// deprecated in the other. All else that walstorm uses is the same in both.
namespace walstorm::postgres {

/// Runs one statement with its values for $1, $2, ...; without values by the simple protocol, which is all
/// that a replication connection takes.
template <typename... Values>
pqxx::result query(pqxx::transaction_base& transaction, const std::string& sql, const Values&... values) {
  if constexpr (sizeof...(Values) == 0) {
    return transaction.exec(sql);
  } else {
#if WALSTORM_PQXX_HAS_PARAMS
    return transaction.exec(sql, pqxx::params{values...});
#else
    return transaction.exec_params(sql, values...);
#endif
  }
}

/// The one row that the statement has to give; throws pqxx::unexpected_rows.
template <typename... Values>
pqxx::row query_row(pqxx::transaction_base& transaction, const std::string& sql, const Values&... values) {
  const pqxx::result rows = query(transaction, sql, values...);
  if (rows.size() != 1) throw pqxx::unexpected_rows("expected one row of: " + sql);
  return rows[0];
}

/// The same, outside any transaction.
template <typename... Values>
pqxx::row query_row(pqxx::connection& connection, const std::string& sql, const Values&... values) {
  pqxx::nontransaction transaction(connection);
  return query_row(transaction, sql, values...);
}

}  // namespace walstorm::postgres
