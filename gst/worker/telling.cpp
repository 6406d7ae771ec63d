#include "gst/worker/telling.h"

#include <algorithm>
#include <utility>

namespace vidi {

void Telling::begin(Window window) {
  std::lock_guard lock(mutex_);
  windows_.push_back({window, {}});
}

void Telling::tell(Window window, Call call) {
  std::unique_lock lock(mutex_);
  const auto entry = std::find_if(windows_.begin(), windows_.end(),
                                  [window](const Entry& e) { return e.window == window; });
  if (entry == windows_.end()) return;  // forgotten
  entry->call = std::move(call);
  work_off(lock);
}

void Telling::say(Call call) {
  std::unique_lock lock(mutex_);
  others_.push_back(std::move(call));
  work_off(lock);
}

size_t Telling::n_untold() const {
  std::lock_guard lock(mutex_);
  return windows_.size();
}

void Telling::forget() {
  std::deque<Entry> windows;  // freed without the lock
  std::deque<Call> others;
  std::lock_guard lock(mutex_);
  windows.swap(windows_);
  others.swap(others_);
}

// Called with the lock. An empty one: nothing is due.
Telling::Call Telling::next() {
  Call call;
  if (!others_.empty()) {
    call = std::move(others_.front());
    others_.pop_front();
  } else if (!windows_.empty() && windows_.front().call) {
    call = std::move(windows_.front().call);
    windows_.pop_front();
  }
  return call;
}

// Another thread that is at it already, or this one further up, does it.
void Telling::work_off(std::unique_lock<std::mutex>& lock) {
  if (is_telling_) return;
  is_telling_ = true;
  while (Call call = next()) {
    lock.unlock();
    try {
      call();
    } catch (...) {
      // A listener's exception must not end the process, nor keep others from hearing.
    }
    call = {};  // what it holds goes without the lock
    lock.lock();
  }
  is_telling_ = false;
}

}  // namespace vidi
