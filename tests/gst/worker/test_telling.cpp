// What is told of windows comes in their order, one call at a time, from whichever thread.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "gst/worker/telling.h"

namespace vidi {
namespace {

// One that has ended early waits for those before it; what is of no window does not.
TEST(Telling, InTheOrderInWhichTheyWereBegun) {
  Telling telling;
  std::vector<int> heard;
  const int windows[] = {0, 1, 2};
  for (const int& window : windows) telling.begin(&window);
  telling.tell(&windows[2], [&] { heard.push_back(2); });
  telling.tell(&windows[1], [&] { heard.push_back(1); });
  telling.say([&] { heard.push_back(9); });
  EXPECT_EQ(heard, std::vector<int>{9});
  EXPECT_EQ(telling.n_untold(), 3u);
  telling.tell(&windows[0], [&] { heard.push_back(0); });
  EXPECT_EQ(heard, (std::vector<int>{9, 0, 1, 2}));
  EXPECT_EQ(telling.n_untold(), 0u);
}

// What a call says in its turn is told behind it; one that throws keeps nobody from hearing.
TEST(Telling, CallsFromACall) {
  Telling telling;
  std::vector<int> heard;
  telling.say([&] {
    telling.say([&] { heard.push_back(1); });
    heard.push_back(0);
    throw 0;
  });
  EXPECT_EQ(heard, (std::vector<int>{0, 1}));
}

// After forget() nothing of before is told.
TEST(Telling, Forgets) {
  Telling telling;
  const int window = 0;
  telling.begin(&window);
  telling.forget();
  telling.tell(&window, [] { FAIL(); });
  EXPECT_EQ(telling.n_untold(), 0u);
}

// Four threads that end windows in any order: each is told once, in order, and never two at once.
TEST(Telling, ManyThreads) {
  constexpr size_t kWindows = 4000, kThreads = 4;
  Telling telling;
  const std::vector<int> windows(kWindows);
  for (const int& window : windows) telling.begin(&window);
  std::vector<size_t> heard;
  std::atomic<bool> is_inside{false};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < kWindows; i += kThreads) {
        telling.tell(&windows[i], [&, i] {
          EXPECT_FALSE(is_inside.exchange(true));
          heard.push_back(i);
          is_inside = false;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(heard.size(), kWindows);
  EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
}

}  // namespace
}  // namespace vidi
