#include "orchestrator/clickhouse/server_probe.h"

#include <chrono>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

constexpr std::chrono::seconds kTimeout{30};

}  // namespace

Address server_address(const config::Clickhouse& settings) {
  Address address = parse_address(*settings.url, "clickhouse.url");
  const std::string named = std::exchange(address.database, "");
  // Every URL without a path means "default", and many write it out.
  if (named.empty() || named == "default" || named == settings.database) return address;
  throw wire::Error(
      wire::ErrorKind::config,
      fmt::format(
          "clickhouse.url names the database \"{0}\", and walstorm writes into clickhouse.database, "
          "\"{1}\": take it out of the URL, or set clickhouse.database to \"{0}\" if walstorm is to make "
          "its tables there",
          named, settings.database));
}

Features ask_features(Session& session) {
  const Rows version = session.ask("ask for its version", {.sql = "SELECT version()"}, kTimeout, 0);
  std::set<std::pair<std::string, std::string>> listed;
  for (const auto& row : session.ask("ask what it can do", {.sql = features_query()}, kTimeout, 0))
    listed.emplace(row.at(0).value_or(""), row.at(1).value_or(""));
  return features_of(version.at(0).at(0).value_or(""), listed);
}

}  // namespace walstorm::clickhouse
