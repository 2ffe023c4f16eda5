#include "orchestrator/config/rules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>

namespace walstorm::config {
namespace {

/// PostgreSQL refuses a statement's text of 1 GB; well before that a transaction is no load test but a bulk
/// load.
constexpr double kTransactionMBMax = 256;
/// NAMEDATALEN - 1 of PostgreSQL.
constexpr std::size_t kNameBytesMax = 63;
/// Above what a PostgreSQL server takes as it comes (max_connections 100) and what one machine drives well.
constexpr double kConnectionsMax = 1000;

/// The document, as far as it is sound.
class Sound final {
 public:
  Sound(const Json& document, const std::vector<Problem>& found) : document_(document), found_(found) {}

  [[nodiscard]] const Json* at(const std::string& path) const {
    const Pointer pointer(path);
    return is_known(found_, pointer) || !document_.contains(pointer) ? nullptr : &document_.at(pointer);
  }
  [[nodiscard]] std::optional<double> number(const std::string& path) const {
    const Json* value = at(path);
    return value && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> text(const std::string& path) const {
    const Json* value = at(path);
    return value && value->is_string() ? std::optional(value->get<std::string>()) : std::nullopt;
  }
  [[nodiscard]] std::size_t phase_count() const {
    const auto phases = document_.find("phases");
    return phases != document_.end() && phases->is_array() ? phases->size() : 0;
  }

 private:
  const Json& document_;
  const std::vector<Problem>& found_;
};

using Problems = std::vector<Problem>;

void phases_differ_in_name(const Sound& config, Problems& problems) {
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < config.phase_count(); ++i) {
    const std::string path = fmt::format("/phases/{}/name", i);
    const auto name = config.text(path);
    if (!name) continue;
    const auto [known, is_new] = first.emplace(*name, i);
    if (!is_new)
      problems.push_back({Pointer(path), fmt::format("is the name of /phases/{} too", known->second)});
  }
}

void ramp_leads_somewhere(const Sound& config, const std::string& path, Problems& problems) {
  const auto from = config.number(path + "/from");
  const auto to = config.number(path + "/to");
  if (from && to && std::max(*from, *to) < 1) {
    problems.push_back({Pointer(path), "a ramp must begin or end at 1 record/s at least", false});
  }
}

void phases_fit_transactions(const Sound& config, Problems& problems) {
  const auto batch_size = config.number("/producer/batchSize");
  for (std::size_t i = 0; i < config.phase_count(); ++i) {
    const std::string path = fmt::format("/phases/{}/records", i);
    const auto records = config.number(path);
    if (records && batch_size && *records < *batch_size) {
      problems.push_back(
          {Pointer(path),
           fmt::format("must be at least producer.batchSize, {}: one transaction", *batch_size)});
    }
  }
}

void transaction_fits_memory(const Sound& config, Problems& problems) {
  const auto batch_size = config.number("/producer/batchSize");
  const auto payload_kb = config.number("/producer/payloadSizeKB");
  if (batch_size && payload_kb && *batch_size * *payload_kb / 1024 > kTransactionMBMax) {
    problems.push_back({Pointer("/producer/batchSize"),
                        fmt::format("with payloadSizeKB {} a transaction is {:.0f} MB; must be at most {} MB",
                                    *payload_kb, *batch_size * *payload_kb / 1024, kTransactionMBMax)});
  }
}

void connections_fit(const Sound& config, Problems& problems) {
  const auto workers = config.number("/producer/workerCount");
  const auto connections = config.number("/producer/connections");
  const auto live_rows = config.number("/producer/maxLiveRows");
  if (!workers || !connections) return;
  const double total = *workers * *connections;
  if (total > kConnectionsMax) {
    problems.push_back({Pointer("/producer/connections"),
                        fmt::format("with workerCount {} these are {} connections; must be at most {}",
                                    *workers, total, kConnectionsMax)});
  } else if (live_rows && *live_rows < total) {
    problems.push_back(
        {Pointer("/producer/maxLiveRows"),
         fmt::format("must be at least 1 for each of the {} connections (workerCount x connections)",
                     total)});
  }
}

void deletes_carry_rows(const Sound& config, Problems& problems) {
  if (config.text("/database/replicaIdentity") != "default") return;
  const Json* mock = config.at("/consumer/useMockClickhouse");
  const auto delete_ratio = config.number("/producer/deleteRatio");
  const char* why = delete_ratio && *delete_ratio > 0 ? "with producer.deleteRatio > 0"
                    : mock && *mock == false          ? "with a real sink"
                                                      : nullptr;
  if (why == nullptr) return;
  problems.push_back(
      {Pointer("/database/replicaIdentity"),
       fmt::format("must be \"full\" {}: deletes and unchanged TOAST would carry no row", why)});
}

void streaming_has_its_protocol(const Sound& config, Problems& problems) {
  const auto streaming = config.text("/consumer/streaming");
  const auto version = config.number("/consumer/protoVersion");
  if (!streaming || !version || *streaming == "off") return;
  const double needed = *streaming == "parallel" ? 4 : 2;
  if (*version >= needed) return;
  problems.push_back(
      {Pointer("/consumer/streaming"),
       fmt::format("needs consumer.protoVersion {} or later, and it is {}", needed, *version)});
}

/// The path of a URL: "app" of postgresql://host/app?schema=public.
std::string database_in(const std::string& url) {
  const std::string before_query = url.substr(0, url.find('?'));
  const auto host = before_query.find("://");
  const auto slash = host == std::string::npos ? host : before_query.rfind('/');
  return slash == std::string::npos || slash < host + 3 ? "" : before_query.substr(slash + 1);
}

/// PostgreSQL cuts longer names without a word; ClickHouse's are names of folders, each byte of theirs up to
/// three characters long.
void names_fit_servers(const Sound& config, Problems& problems) {
  for (const char* path :
       {"/database/profilingDatabase", "/consumer/publicationName", "/clickhouse/database"}) {
    const auto name = config.text(path);
    if (name && name->size() > kNameBytesMax)
      problems.push_back(
          {Pointer(path), fmt::format("is {} bytes long; must be at most {}", name->size(), kNameBytesMax)});
  }
}

void profiling_database_is_ours(const Sound& config, Problems& problems) {
  const Pointer at("/database/profilingDatabase");
  const auto name = config.text(at.to_string());
  if (!name) return;
  static const std::array<std::string, 3> kOfTheServer{"postgres", "template0", "template1"};
  if (std::find(kOfTheServer.begin(), kOfTheServer.end(), *name) != kOfTheServer.end()) {
    problems.push_back({at, "belongs to the server; walstorm empties and drops its database: name another"});
  } else if (const auto url = config.text("/database/url"); url && database_in(*url) == *name) {
    problems.push_back(
        {at, "is the database that the URL names; walstorm empties and drops its database: name another"});
  }
}

void clickhouse_database_is_ours(const Sound& config, Problems& problems) {
  static const std::array<std::string, 3> kOfTheServer{"system", "information_schema", "INFORMATION_SCHEMA"};
  const Pointer at("/clickhouse/database");
  const auto name = config.text(at.to_string());
  if (name && std::find(kOfTheServer.begin(), kOfTheServer.end(), *name) != kOfTheServer.end())
    problems.push_back({at, "belongs to the server; name another"});
}

void schema_comes_from_elsewhere(const Sound& config, Problems& problems) {
  const Pointer at("/database/copySchemaFrom");
  const auto source = config.text(at.to_string());
  if (!source) return;
  const bool is_url = source->find("://") != std::string::npos;
  const auto url = config.text("/database/url");
  if (!is_url && (!url || *url == "private")) {
    problems.push_back({at,
                        "names a database where there is no server yet: write its postgresql:// URL, or name "
                        "its server with "
                        "database.url",
                        false});
  } else if ((is_url ? database_in(*source) : *source) == config.text("/database/profilingDatabase")) {
    problems.push_back({at, "is the profiling database itself, which walstorm empties: name another", false});
  }
}

void settings_are_free(const Sound& config, Problems& problems) {
  static const std::array<std::string, 6> kOurs{"wal_level", "data_directory",          "listen_addresses",
                                                "port",      "unix_socket_directories", "search_path"};
  const Json* settings = config.at("/database/settings");
  if (!settings || !settings->is_object()) return;
  for (const std::string& name : kOurs) {
    if (settings->contains(name)) {
      problems.push_back({Pointer("/database/settings") / name, "is walstorm's own to set; leave it out"});
    }
  }
}

}  // namespace

std::vector<Problem> rule_problems(const Json& document, const std::vector<Problem>& found) {
  const Sound config(document, found);
  Problems problems;
  phases_differ_in_name(config, problems);
  for (std::size_t i = 0; i < config.phase_count(); ++i) {
    ramp_leads_somewhere(config, fmt::format("/phases/{}/targetThroughput", i), problems);
  }
  ramp_leads_somewhere(config, "/producer/targetThroughput", problems);
  phases_fit_transactions(config, problems);
  transaction_fits_memory(config, problems);
  connections_fit(config, problems);
  deletes_carry_rows(config, problems);
  streaming_has_its_protocol(config, problems);
  names_fit_servers(config, problems);
  profiling_database_is_ours(config, problems);
  clickhouse_database_is_ours(config, problems);
  schema_comes_from_elsewhere(config, problems);
  settings_are_free(config, problems);
  return problems;
}

}  // namespace walstorm::config
