#include "orchestrator/postgres/protocol_version.h"

#include <gtest/gtest.h>
#include <string>

#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

/// What is said of a server of that version; empty when it will do.
std::string said(int major, std::uint32_t proto_version, config::Streaming streaming) {
  ServerFacts server;
  server.version = std::to_string(major) + ".3";
  server.version_number = major * 10000 + 3;
  config::Consumer consumer;
  consumer.proto_version = proto_version;
  consumer.streaming = streaming;
  try {
    require_protocol(server, consumer);
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    return error.what();
  }
  return {};
}

TEST(RequireProtocol, TakesWhatTheServerSpeaks) {
  EXPECT_EQ(said(14, 1, config::Streaming::off), "");
  EXPECT_EQ(said(14, 2, config::Streaming::on), "");
  EXPECT_EQ(said(15, 3, config::Streaming::on), "");
  EXPECT_EQ(said(16, 4, config::Streaming::parallel), "");
  EXPECT_EQ(said(18, 4, config::Streaming::off), "");
}

TEST(RequireProtocol, SaysWhatToChangeOnAnOlderServer) {
  EXPECT_EQ(said(14, 3, config::Streaming::off),
            "consumer.protoVersion 3 needs PostgreSQL 15 or later, and this server is 14.3: set "
            "consumer.protoVersion to 2, or use a newer server");
  EXPECT_EQ(said(15, 4, config::Streaming::parallel),
            "consumer.protoVersion 4 needs PostgreSQL 16 or later, and this server is 15.3: set "
            "consumer.protoVersion to 3 and consumer.streaming to \"on\", or use a newer server");
}

}  // namespace
}  // namespace walstorm::postgres
