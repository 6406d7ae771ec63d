// Who asks, and who asks alone: a file that was being asked when a process ended is asked with no
// other beside it, so that no other is blamed for the next end. Any thread.
#pragma once

#include <condition_variable>
#include <mutex>

class Gate {
 public:
  void enter(bool alone) {
    std::unique_lock lock(mutex_);
    if (alone) ++n_waiting_alone_;
    changed_.wait(lock,
                  [&] { return alone ? n_inside_ == 0 : !is_one_alone_ && n_waiting_alone_ == 0; });
    if (alone) --n_waiting_alone_, is_one_alone_ = true;
    ++n_inside_;
  }
  void leave() {
    std::lock_guard lock(mutex_);
    --n_inside_;
    is_one_alone_ = false;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int n_inside_ = 0, n_waiting_alone_ = 0;
  bool is_one_alone_ = false;
};
