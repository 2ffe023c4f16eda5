#include "orchestrator/clickhouse/server_probe.h"

#include <chrono>
#include <set>
#include <utility>

namespace walstorm::clickhouse {
namespace {

constexpr std::chrono::seconds kTimeout{30};

}  // namespace

Address server_address(const std::string& url) {
  Address address = parse_address(url, "clickhouse.url");
  address.database.clear();
  return address;
}

Features ask_features(Session& session) {
  const Rows version = session.ask("ask for its version", {.sql = "SELECT version()"}, kTimeout, 0);
  std::set<std::pair<std::string, std::string>> listed;
  for (const auto& row : session.ask("ask what it can do", {.sql = features_query()}, kTimeout, 0))
    listed.emplace(row.at(0).value_or(""), row.at(1).value_or(""));
  return features_of(version.at(0).at(0).value_or(""), listed);
}

}  // namespace walstorm::clickhouse
