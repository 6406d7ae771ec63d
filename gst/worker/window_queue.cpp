#include "gst/worker/window_queue.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

using Windows = std::vector<std::shared_ptr<AnalysisWindow>>;

}  // namespace

WindowQueue::WindowQueue(size_t bound) : bound_(std::max<size_t>(bound, 1)) {}

Windows WindowQueue::push(std::shared_ptr<AnalysisWindow> window, OverloadPolicy policy) {
  if (!window) return {};
  const std::lock_guard lock(mutex_);
  const bool is_full = windows_.size() >= bound_;
  if (interrupted_ || (is_full && policy == OverloadPolicy::kDropNewest)) {
    return {std::move(window)};
  }
  Windows fallen_out;
  auto turn = window->turn;
  while (policy == OverloadPolicy::kDropOldest && windows_.size() >= bound_) {
    turn = std::min(turn, windows_.front()->turn);
    fallen_out.push_back(std::move(windows_.front()));
    windows_.pop_front();
  }
  windows_.push_back(std::move(window));
  windows_.front()->turn = std::min(windows_.front()->turn, turn);
  changed_.notify_all();
  return fallen_out;
}

std::shared_ptr<const AnalysisWindow> WindowQueue::front() const {
  const std::lock_guard lock(mutex_);
  return windows_.empty() ? nullptr : windows_.front();
}

std::shared_ptr<AnalysisWindow> WindowQueue::pop() {
  const std::lock_guard lock(mutex_);
  if (windows_.empty()) return nullptr;
  auto window = std::move(windows_.front());
  windows_.pop_front();
  running_.push_back(window->cancel);
  changed_.notify_all();
  return window;
}

void WindowQueue::done(const AnalysisWindow& window) {
  const std::lock_guard lock(mutex_);
  std::erase(running_, window.cancel);
  changed_.notify_all();
}

bool WindowQueue::wait_for_room(const std::function<bool()>& wanted) {
  return wait_until([&] { return windows_.size() <= bound_ || (wanted && !wanted()); });
}

bool WindowQueue::wait_until_idle() {
  return wait_until([this] { return windows_.empty() && running_.empty(); });
}

template <class Condition>
bool WindowQueue::wait_until(Condition condition) {
  std::unique_lock lock(mutex_);
  const uint64_t before = n_interrupts_;
  const auto is_interrupted = [&] { return interrupted_ || n_interrupts_ != before; };
  changed_.wait(lock, [&] { return is_interrupted() || condition(); });
  return !is_interrupted();
}

Windows WindowQueue::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  ++n_interrupts_;
  for (const auto& cancel : running_) {
    if (cancel) cancel->cancel();
  }
  Windows waited(std::make_move_iterator(windows_.begin()),
                 std::make_move_iterator(windows_.end()));
  windows_.clear();
  for (const auto& window : waited) {
    if (window->cancel) window->cancel->cancel();
  }
  changed_.notify_all();
  return waited;
}

void WindowQueue::resume() {
  const std::lock_guard lock(mutex_);
  interrupted_ = false;
}

void WindowQueue::set_bound(size_t bound) {
  const std::lock_guard lock(mutex_);
  bound_ = std::max<size_t>(bound, 1);
  changed_.notify_all();
}

bool WindowQueue::waits_for(Time start, Time stop) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(windows_.begin(), windows_.end(),
                     [&](const auto& w) { return w->start < stop && start < w->stop; });
}

size_t WindowQueue::n_waiting() const {
  const std::lock_guard lock(mutex_);
  return windows_.size();
}

bool WindowQueue::in_work() const {
  const std::lock_guard lock(mutex_);
  return !running_.empty();
}

}  // namespace vidi
