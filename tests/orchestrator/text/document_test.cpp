#include "orchestrator/text/document.h"

#include <gtest/gtest.h>
#include <limits>

namespace walstorm::text {
namespace {

using Json = nlohmann::ordered_json;

TEST(Document, IsLaidOutAsNlohmannDoes) {
  const Json document{{"b", {{"list", {1, 2.5, "three", nullptr, true}}, {"none", Json::array()}}},
                      {"a", Json::object()},
                      {"say \"é\"", "a\nb"},
                      {"numbers", {5.0, -0.25, 100'000.0, 1e20, 3e-9, 9'007'199'254'740'993}}};
  EXPECT_EQ(document_text(document), document.dump(2) + "\n");
}

TEST(Document, HasTheShortestTextOfEachNumber) {
  EXPECT_EQ(document_text(0.0527205), "0.0527205\n");
  EXPECT_EQ(document_text(std::numeric_limits<double>::infinity()), "null\n");
}

TEST(Document, LosesOfATextThatIsNotUtf8TheBytesThatAreNot) {
  EXPECT_EQ(document_text({{"path\xff", "caf\xe9"}}), "{\n  \"path\xef\xbf\xbd\": \"caf\xef\xbf\xbd\"\n}\n");
}

}  // namespace
}  // namespace walstorm::text
