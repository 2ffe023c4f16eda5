#include "orchestrator/postgres/protocol_version.h"

#include <array>
#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

/// The first major version of PostgreSQL that speaks version i + 1 of pgoutput
/// (src/include/replication/logicalproto.h). That settles `streaming` too: "on" came with 2, "parallel" with
/// 4.
constexpr std::array kFirstMajor{10, 14, 15, 16};

}  // namespace

void require_protocol(const ServerFacts& server, const config::Consumer& consumer) {
  const int needed = kFirstMajor.at(consumer.proto_version - 1);
  const int major = server.version_number / 10000;
  if (major >= needed) return;
  int spoken = 0;
  for (const int first : kFirstMajor) spoken += first <= major ? 1 : 0;
  throw wire::Error(
      wire::ErrorKind::unavailable,
      fmt::format(
          "consumer.protoVersion {} needs PostgreSQL {} or later, and this server is {}: set "
          "consumer.protoVersion to {}{}, or use a newer server",
          consumer.proto_version, needed, server.version, spoken,
          consumer.streaming == config::Streaming::parallel ? " and consumer.streaming to \"on\"" : ""));
}

}  // namespace walstorm::postgres
