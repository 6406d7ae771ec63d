// Time that passes as it does while somebody works, or that makes a moment an odd one. Nobody may
// wait for something this way: what a test waits for says so itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace vidi::test {

inline void let_pass(std::chrono::nanoseconds time) {
  std::mutex alone;
  std::unique_lock lock(alone);
  std::condition_variable never;
  const auto end = std::chrono::steady_clock::now() + time;
  never.wait_until(lock, end, [&] { return std::chrono::steady_clock::now() >= end; });
}

}  // namespace vidi::test
