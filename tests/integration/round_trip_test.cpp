#include "tests/integration/round_trip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include <pqxx/nontransaction>

#include "tests/integration/consumer_fixture.h"

namespace walstorm::tests {
namespace {

class Probe : public ConsumerOnAServer {
 protected:
  Probe() : ConsumerOnAServer(Protocol{}) {}
};

TEST_F(Probe, A) {
  start_consumer(Protocol{});
  for (const auto& stage : {edge_inserts(), edge_updates(), edge_deletes()}) {
    auto r = result_of([&](pqxx::connection& connection) {
      for (const std::string& sql : stage) {
        try {
          pqxx::nontransaction(connection).exec(sql);
        } catch (const std::exception& e) {
          std::cerr << e.what() << "\n" << sql.substr(0, 500);
          throw;
        }
      }
    });
    std::cerr << r.acknowledged().ShortDebugString() << "\n";
    auto rows = rows_in_postgres(*connection_);
    std::cerr << rows.size() << "\n";
    auto other = rows;
    EXPECT_THAT(differences(rows, other), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace walstorm::tests
