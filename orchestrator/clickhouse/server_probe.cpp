#include "orchestrator/clickhouse/server_probe.h"

#include <chrono>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

constexpr std::chrono::seconds kProbeTimeout{30};

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
  session.pin(first_pinned_settings(false));
  const Statement ask_version{.sql = "SELECT version()"};
  Rows version = session.ask("ask for its version", ask_version, kProbeTimeout, 0, Session::WhenLost::wake);
  if (version.empty()) {  // a profile's `offset` or `limit`, which only later servers have
    session.pin(first_pinned_settings(true));
    version = session.ask("ask for its version", ask_version, kProbeTimeout, 0);
  }
  if (version.empty() || version[0].empty() || !version[0][0])
    throw wire::Error(wire::ErrorKind::unavailable,
                      session.name() +
                          ": SELECT version() is answered with nothing: look at the settings of the "
                          "user of clickhouse.url");
  std::string release = *version[0][0];
  if (release.ends_with('\r')) release.pop_back();  // output_format_tsv_crlf_end_of_line, not pinned yet
  session.pin(first_pinned_settings(is_since_22_1(release)));
  std::set<std::pair<std::string, std::string>> listed;
  for (const auto& row : session.ask("ask what it can do", {.sql = features_query()}, kProbeTimeout, 0))
    listed.emplace(row.at(0).value_or(""), row.at(1).value_or(""));
  Features features = features_of(release, listed);
  session.pin(features.pinned_settings);
  return features;
}

}  // namespace walstorm::clickhouse
