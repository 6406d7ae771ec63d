// Threads for a group's devices, so that what they do at the same time is begun at the same time.
// Torch-free.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vidi {

class DeviceThreads {
 public:
  // The caller's own thread is one of the `n`. Throws std::system_error.
  explicit DeviceThreads(size_t n);
  ~DeviceThreads();
  DeviceThreads(const DeviceThreads&) = delete;
  DeviceThreads& operator=(const DeviceThreads&) = delete;

  // work(0) here, work(1) ... work(n - 1) on the others; returns when all have ended. `work` must
  // not throw. From one thread at a time.
  void run(const std::function<void(size_t)>& work);

 private:
  void serve(size_t index);
  void end();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(size_t)>* work_ = nullptr;  // of the round
  uint64_t round_ = 0;
  size_t n_busy_ = 0;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vidi
