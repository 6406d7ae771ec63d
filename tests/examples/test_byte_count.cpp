// Bytes as people write them on a command line.
#include <gtest/gtest.h>

#include "examples/common/byte_count.h"

namespace {

// GB are 10^9 bytes; a number alone is bytes, in any form that a number has.
TEST(ByteCount, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_byte_count("24GB"), 24000000000u);
  EXPECT_EQ(parse_byte_count("22.5GB"), 22500000000u);
  EXPECT_EQ(parse_byte_count("500MB"), 500000000u);
  EXPECT_EQ(parse_byte_count("24e9"), 24000000000u);
  EXPECT_EQ(parse_byte_count("22000000000"), 22000000000u);
  EXPECT_EQ(parse_byte_count("0"), 0u);
}

// Anything else is none.
TEST(ByteCount, RefusesTheRest) {
  for (const char* text :
       {"", "GB", "24GiB", "24 GB", "-1", "24gb", "1e30", "nan", "inf", "24GBx", "0x10"}) {
    EXPECT_FALSE(parse_byte_count(text)) << text;
  }
}

}  // namespace
