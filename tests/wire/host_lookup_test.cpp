#include "proto/postgres/host_lookup.h"

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace walstorm::postgres {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

struct Answered {
  HostAddresses addresses;
  std::string error;
};

struct Rig {
  boost::asio::io_context loop;
  HostLookup lookup{loop};
  std::optional<Answered> answered;

  void start(const std::string& conninfo) {
    answered.reset();
    lookup.start(conninfo, [this](const HostAddresses& addresses, const std::string& error) {
      answered = Answered{addresses, error};
    });
  }
  void await() {
    loop.restart();
    loop.run_for(std::chrono::seconds(60));
  }
};

TEST(HostLookup, HasNothingToDoForAddressesAndSockets) {
  for (const char* conninfo : {"host=127.0.0.1 dbname=x", "host=::1", "host=/run/postgresql port=5433",
                               "dbname=x", "host=somewhere hostaddr=10.0.0.1",
                               "postgresql://u:p@127.0.0.1:5433/x", "what libpq = cannot ' read"}) {
    Rig rig;
    rig.start(conninfo);
    ASSERT_TRUE(rig.answered.has_value()) << conninfo;
    EXPECT_EQ(rig.answered->error, "") << conninfo;
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    rig.answered->addresses.append_to(keywords, values);
    EXPECT_TRUE(keywords.empty()) << conninfo;
  }
}

TEST(HostLookup, GivesAHostForEachAddressWithItsPort) {
  Rig rig;
  rig.start("host=127.0.0.2,localhost port=1111,2222");
  EXPECT_FALSE(rig.answered.has_value()) << "a name is looked up elsewhere";
  rig.await();
  ASSERT_TRUE(rig.answered.has_value());
  const HostAddresses& found = rig.answered->addresses;
  EXPECT_THAT(found.host, AnyOf("127.0.0.2,localhost", "127.0.0.2,localhost,localhost"));
  EXPECT_THAT(found.hostaddr, AnyOf("127.0.0.2,127.0.0.1", "127.0.0.2,::1", "127.0.0.2,::1,127.0.0.1",
                                    "127.0.0.2,127.0.0.1,::1"));
  EXPECT_THAT(found.port, AnyOf("1111,2222", "1111,2222,2222"));
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  found.append_to(keywords, values);
  EXPECT_EQ(keywords.size(), 3U);
}

TEST(HostLookup, SaysWhatCouldNotBeLookedUp) {
  Rig rig;
  rig.start("host=no-such-host.invalid");
  rig.await();
  ASSERT_TRUE(rig.answered.has_value());
  EXPECT_THAT(rig.answered->error, HasSubstr("host name \"no-such-host.invalid\""));
}

TEST(HostLookup, OneThatIsCancelledIsNotHeardOf) {
  Rig rig;
  rig.start("host=localhost");
  rig.lookup.cancel();
  rig.await();
  EXPECT_FALSE(rig.answered.has_value());
}

TEST(HostLookup, MayOutliveItsLoop) {
  for (int i = 0; i < 20; ++i) {
    Rig rig;
    rig.start("host=localhost");
  }
}

}  // namespace
}  // namespace walstorm::postgres
