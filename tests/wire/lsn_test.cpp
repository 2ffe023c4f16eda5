#include "proto/wire/lsn.h"

#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::wire {
namespace {

TEST(Lsn, IsWrittenAsPostgresWritesIt) {
  EXPECT_EQ(to_string(Lsn{0x16B374D848}), "16/B374D848");
  EXPECT_EQ(to_string(Lsn{0x2A}), "0/2A");
}

TEST(Lsn, ReadsWhatItWrites) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1} << 32, UINT64_MAX}) {
    EXPECT_EQ(parse_lsn(to_string(Lsn{value})).value, value);
  }
}

TEST(Lsn, RefusesWhatIsNone) {
  for (const char* text : {"", "0", "/", "0/", "/0", "g/0", "0/123456789", "0/1 "}) {
    EXPECT_THROW((void)parse_lsn(text), Error) << text;
  }
}

TEST(Lsn, DistancesAreBytesAndNeverNegative) {
  EXPECT_EQ(Lsn{300}.bytes_after(Lsn{100}), 200U);
  EXPECT_EQ(Lsn{100}.bytes_after(Lsn{300}), 0U);
}

}  // namespace
}  // namespace walstorm::wire
