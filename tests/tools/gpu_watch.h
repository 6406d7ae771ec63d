// How busy a GPU is, as its driver counts: the share of the time in which a kernel ran. Through
// libnvidia-ml, which is opened when it is there.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace vidi {

// Looks several times a second from construction to the end.
class GpuWatch {
 public:
  explicit GpuWatch(unsigned index);
  ~GpuWatch();
  GpuWatch(const GpuWatch&) = delete;
  GpuWatch& operator=(const GpuWatch&) = delete;
  void restart();  // what was counted before does not count
  // 0 to 1; nothing where no GPU or no driver's library is.
  std::optional<double> busy_share() const;

 private:
  void watch(void* library, unsigned index);

  std::mutex mutex_;  // guards over_
  std::condition_variable ended_;
  bool over_ = false;
  std::atomic<long> n_{0}, percent_{0};
  std::thread thread_;
};

}  // namespace vidi
