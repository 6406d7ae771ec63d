// The threads of devices that share a window. Under ThreadSanitizer as well (tests/sanitize.sh).
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "model/session/device_threads.h"

namespace vidi {
namespace {

// Every thread does its piece of each round, and the caller waits for all of them.
TEST(DeviceThreads, DoRoundAfterRound) {
  DeviceThreads threads(4);
  std::vector<int> counts(4);
  for (int round = 1; round <= 200; ++round) {
    threads.run([&](size_t i) { ++counts[i]; });
    for (const int count : counts) ASSERT_EQ(count, round);
  }
}

// They are threads of their own: all of a round are in it at once.
TEST(DeviceThreads, WorkAtOnce) {
  DeviceThreads threads(3);
  std::atomic<int> here{0};
  threads.run([&](size_t) {
    ++here;
    while (here < 3) std::this_thread::yield();
  });
  EXPECT_EQ(here, 3);
}

// They end without a round, too, and one alone is the caller's.
TEST(DeviceThreads, NoneAndOne) {
  for (const size_t n : {1u, 5u}) DeviceThreads threads(n);
  DeviceThreads one(1);
  const auto caller = std::this_thread::get_id();
  one.run([&](size_t i) {
    EXPECT_EQ(i, 0u);
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

}  // namespace
}  // namespace vidi
