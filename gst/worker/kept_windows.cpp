#include "gst/worker/kept_windows.h"

#include <utility>

namespace vidi {

void KeptWindows::set_bound(size_t n) {
  bound_ = n;
  while (windows_.size() > bound_) windows_.pop_front();
}

void KeptWindows::add(const Analysis& analysis) {
  windows_.push_back(analysis);
  while (windows_.size() > bound_) windows_.pop_front();
}

std::vector<Analysis> KeptWindows::overlapping(Time start, Time stop) const {
  std::vector<Analysis> found;
  for (const Analysis& kept : windows_) {
    if (kept.window->start < stop && start < kept.window->stop) found.push_back(kept);
  }
  return found;
}

bool KeptWindows::cover(Time start, Time stop) const {
  for (const Analysis& kept : windows_) {
    if (kept.window->start <= start && start < kept.window->stop) start = kept.window->stop;
  }
  return start >= stop;
}

std::deque<Analysis> KeptWindows::take_all() { return std::exchange(windows_, {}); }

}  // namespace vidi
