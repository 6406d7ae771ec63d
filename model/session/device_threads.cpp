#include "model/session/device_threads.h"

namespace vidi {

DeviceThreads::DeviceThreads(size_t n) {
  try {
    for (size_t i = 1; i < n; ++i) threads_.emplace_back([this, i] { serve(i); });
  } catch (...) {
    end();
    throw;
  }
}

DeviceThreads::~DeviceThreads() { end(); }

void DeviceThreads::end() {
  {
    std::lock_guard lock(mutex_);
    ends_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void DeviceThreads::run(const std::function<void(size_t)>& work) {
  std::unique_lock lock(mutex_);
  work_ = &work;
  n_busy_ = threads_.size();
  ++round_;
  changed_.notify_all();
  lock.unlock();
  work(0);
  lock.lock();
  changed_.wait(lock, [&] { return n_busy_ == 0; });
  work_ = nullptr;
}

void DeviceThreads::serve(size_t index) {
  uint64_t served = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ends_ || round_ != served; });
    if (ends_) return;
    served = round_;
    const std::function<void(size_t)>& work = *work_;
    lock.unlock();
    work(index);
    lock.lock();
    if (--n_busy_ == 0) changed_.notify_all();
  }
}

}  // namespace vidi
