#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "gst/worker/window_queue.h"

namespace vidi {
namespace {

using WindowPtr = std::shared_ptr<AnalysisWindow>;
using Windows = std::vector<WindowPtr>;

WindowPtr window(uint64_t index) {
  auto made = std::make_shared<AnalysisWindow>();
  made->index = index;
  return made;
}

std::vector<uint64_t> indices(const Windows& windows) {
  std::vector<uint64_t> found;
  for (const auto& each : windows) found.push_back(each->index);
  return found;
}

std::vector<uint64_t> pop_all(WindowQueue& queue) {
  std::vector<uint64_t> found;
  while (const auto each = queue.pop()) {
    found.push_back(each->index);
    queue.done(*each);
  }
  return found;
}

using Indices = std::vector<uint64_t>;

// Windows leave in the order they came, and an empty queue gives nothing.
TEST(WindowQueue, FirstInFirstOut) {
  WindowQueue queue(10);
  EXPECT_EQ(queue.pop(), nullptr);
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(queue.push(window(i), OverloadPolicy::kBlock).empty());
  }
  EXPECT_EQ(queue.n_waiting(), 3u);
  EXPECT_EQ(pop_all(queue), (Indices{0, 1, 2}));
}

// When full, drop-oldest gives up the front, drop-newest what comes; neither is cancelled, for
// neither ran.
TEST(WindowQueue, FullQueuesDrop) {
  WindowQueue oldest(2), newest(2);
  for (uint64_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(oldest.push(window(i), OverloadPolicy::kDropOldest).empty());
    EXPECT_TRUE(newest.push(window(i), OverloadPolicy::kDropNewest).empty());
  }
  const auto from_oldest = oldest.push(window(2), OverloadPolicy::kDropOldest);
  EXPECT_EQ(indices(from_oldest), (Indices{0}));
  EXPECT_FALSE(from_oldest[0]->cancel->cancelled());
  EXPECT_EQ(indices(newest.push(window(2), OverloadPolicy::kDropNewest)), (Indices{2}));
  EXPECT_EQ(pop_all(oldest), (Indices{1, 2}));
  EXPECT_EQ(pop_all(newest), (Indices{0, 1}));
}

// The oldest that is left has the place among other queues of those that fell out before it.
TEST(WindowQueue, WhoLosesWindowsKeepsThePlace) {
  using std::chrono::seconds;
  const std::chrono::steady_clock::time_point begin;
  WindowQueue queue(2);
  for (int i = 0; i < 5; ++i) {
    const WindowPtr next = window(static_cast<uint64_t>(i));
    next->turn = begin + seconds(i);
    queue.push(next, OverloadPolicy::kDropOldest);
  }
  EXPECT_EQ(queue.front()->index, 3u);
  EXPECT_EQ(queue.front()->turn, begin);
  queue.done(*queue.pop());
  EXPECT_EQ(queue.front()->turn, begin + seconds(4));
}

// The window in work does not count as waiting: the bound is of those behind it.
TEST(WindowQueue, TheOneInWorkTakesNoPlace) {
  WindowQueue queue(1);
  queue.push(window(0), OverloadPolicy::kDropOldest);
  EXPECT_FALSE(queue.in_work());
  const auto popped = queue.pop();
  ASSERT_TRUE(popped);
  EXPECT_TRUE(queue.in_work());
  EXPECT_EQ(queue.n_waiting(), 0u);
  EXPECT_TRUE(queue.push(window(1), OverloadPolicy::kDropOldest).empty());
  queue.done(*popped);
  EXPECT_FALSE(queue.in_work());
  queue.done(*popped);  // once more does no harm
}

// A bound of 0 is one of 1; a bound that becomes smaller lets fall what is too much.
TEST(WindowQueue, TheBoundCanChange) {
  WindowQueue queue(0);
  EXPECT_TRUE(queue.push(window(0), OverloadPolicy::kDropNewest).empty());
  EXPECT_EQ(queue.push(window(1), OverloadPolicy::kDropNewest).size(), 1u);
  queue.set_bound(3);
  queue.push(window(2), OverloadPolicy::kDropNewest);
  queue.push(window(3), OverloadPolicy::kDropNewest);
  queue.set_bound(0);
  EXPECT_EQ(indices(queue.push(window(4), OverloadPolicy::kDropOldest)), (Indices{0, 2, 3}));
  EXPECT_EQ(pop_all(queue), (Indices{4}));
  EXPECT_TRUE(queue.push(nullptr, OverloadPolicy::kBlock).empty());
  EXPECT_EQ(queue.n_waiting(), 0u);
}

// Block takes every window; as many as the bound may wait before the chain has to.
TEST(WindowQueue, BlockTakesAllAndTheChainWaits) {
  WindowQueue queue(2);
  for (uint64_t i = 0; i < 2; ++i) queue.push(window(i), OverloadPolicy::kBlock);
  EXPECT_TRUE(queue.wait_for_room());
  EXPECT_TRUE(queue.push(window(2), OverloadPolicy::kBlock).empty());
  auto room = std::async(std::launch::async, [&] { return queue.wait_for_room(); });
  EXPECT_EQ(room.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  ASSERT_TRUE(queue.pop());
  EXPECT_TRUE(room.get());

  queue.push(window(3), OverloadPolicy::kBlock);
  auto wider = std::async(std::launch::async, [&] { return queue.wait_for_room(); });
  queue.set_bound(3);
  EXPECT_TRUE(wider.get());
}

// Idle means that nothing waits and nothing is in work.
TEST(WindowQueue, IdleIsNothingWaitingAndNothingInWork) {
  WindowQueue queue(2);
  EXPECT_TRUE(queue.wait_until_idle());
  queue.push(window(0), OverloadPolicy::kBlock);
  const auto popped = queue.pop();
  ASSERT_TRUE(popped);
  auto idle = std::async(std::launch::async, [&] { return queue.wait_until_idle(); });
  EXPECT_EQ(idle.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  queue.done(*popped);
  EXPECT_TRUE(idle.get());
}

// interrupt() cancels all, gives back what waited, and ends the waits; until resume() nothing is
// taken and nothing waits.
TEST(WindowQueue, InterruptEndsEverything) {
  WindowQueue queue(1);
  const auto working = window(0);
  queue.push(working, OverloadPolicy::kBlock);
  ASSERT_TRUE(queue.pop());
  for (uint64_t i = 1; i < 4; ++i) queue.push(window(i), OverloadPolicy::kBlock);
  auto idle = std::async(std::launch::async, [&] { return queue.wait_until_idle(); });
  auto room = std::async(std::launch::async, [&] { return queue.wait_for_room(); });

  const Windows waited = queue.interrupt();
  EXPECT_EQ(indices(waited), (Indices{1, 2, 3}));
  EXPECT_TRUE(working->cancel->cancelled());
  for (const auto& each : waited) EXPECT_TRUE(each->cancel->cancelled());
  EXPECT_FALSE(idle.get());
  EXPECT_FALSE(room.get());
  EXPECT_FALSE(queue.wait_for_room());
  EXPECT_FALSE(queue.wait_until_idle());
  EXPECT_TRUE(queue.in_work());  // until the worker says so
  EXPECT_EQ(indices(queue.push(window(4), OverloadPolicy::kBlock)), (Indices{4}));

  queue.resume();
  queue.done(*working);
  EXPECT_TRUE(queue.wait_until_idle());
  EXPECT_TRUE(queue.push(window(5), OverloadPolicy::kBlock).empty());
  EXPECT_EQ(pop_all(queue), (Indices{5}));
}

// A wait that began before a flush returns false, even when the flush is over before it wakes.
TEST(WindowQueue, AWaitDoesNotSleepThroughAFlush) {
  constexpr int kWanted = 20, kMostRounds = 600;  // on a busy machine many threads begin too late
  int n_ended = 0;
  for (int round = 0; round < kMostRounds && n_ended < kWanted; ++round) {
    WindowQueue queue(1);
    queue.push(window(0), OverloadPolicy::kBlock);
    const auto popped = queue.pop();
    ASSERT_TRUE(popped);
    auto idle = std::async(std::launch::async, [&] { return queue.wait_until_idle(); });
    EXPECT_EQ(idle.wait_for(std::chrono::milliseconds(3)), std::future_status::timeout);
    queue.interrupt();
    queue.resume();
    // A thread that was too slow to begin before the flush waits for the window in work.
    if (idle.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout) {
      queue.done(*popped);
    }
    if (!idle.get()) ++n_ended;
  }
  EXPECT_EQ(n_ended, kWanted);
}

// With many threads, flushes in between, and every policy, each window comes out exactly once.
TEST(WindowQueue, EveryWindowComesOutOnce) {
  constexpr uint64_t kProducers = 3, kEach = 2000;
  WindowQueue queue(4);
  std::mutex mutex;
  std::map<uint64_t, int> n_out;
  std::atomic<uint64_t> n_popped{0};
  const auto record = [&](const Windows& windows) {
    const std::lock_guard lock(mutex);
    for (const auto& each : windows) ++n_out[each->index];
  };

  std::atomic<uint64_t> n_producing{kProducers};
  std::vector<std::thread> threads;
  for (uint64_t p = 0; p < kProducers; ++p) {
    threads.emplace_back([&, p] {
      const OverloadPolicy policy = static_cast<OverloadPolicy>(p);
      for (uint64_t i = 0; i < kEach; ++i) {
        if (policy == OverloadPolicy::kBlock) queue.wait_for_room();
        record(queue.push(window(p * kEach + i), policy));
      }
      --n_producing;
    });
  }
  for (int c = 0; c < 2; ++c) {
    threads.emplace_back([&] {
      while (n_producing > 0 || queue.n_waiting() > 0) {
        if (const auto each = queue.pop()) {
          record({each});
          ++n_popped;
          queue.done(*each);
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  threads.emplace_back([&] {
    // A flush every so often, the first after some pops: one that lasts lets all producers through.
    for (uint64_t i = 1; i <= 20; ++i) {
      while (n_producing > 0 && n_popped < 50 * i) std::this_thread::yield();
      record(queue.interrupt());
      queue.resume();
      queue.wait_until_idle();
    }
  });
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(queue.n_waiting(), 0u);
  EXPECT_FALSE(queue.in_work());
  EXPECT_GE(n_popped, 50u);
  EXPECT_EQ(n_out.size(), kProducers * kEach);
  for (const auto& [index, n] : n_out) ASSERT_EQ(n, 1) << "window " << index;
}

}  // namespace
}  // namespace vidi
