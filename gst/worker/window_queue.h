// Complete windows on their way to the model's worker: bounded, first in, first out. Thread-safe
// (std::mutex); no GStreamer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "gst/windows/analysis_window.h"

namespace vidi {

enum class OverloadPolicy { kBlock, kDropOldest, kDropNewest };

class WindowQueue {
 public:
  explicit WindowQueue(size_t bound);  // of the windows that may wait; 0 is taken as 1

  // Takes the window and returns those that fell out for it (the oldest, or the window itself).
  // kBlock takes every window: the one who must wait is the video chain, see wait_for_room. Between
  // interrupt() and resume() the window itself falls out: it belongs to what was interrupted.
  std::vector<std::shared_ptr<AnalysisWindow>> push(std::shared_ptr<AnalysisWindow> window,
                                                    OverloadPolicy policy);
  std::shared_ptr<const AnalysisWindow> front() const;  // null when empty; it stays
  std::shared_ptr<AnalysisWindow> pop();    // null when empty; counts as in work until done()
  void done(const AnalysisWindow& window);  // it was popped, and is delivered or given up

  // Blocks while more windows wait than the bound (as many as the bound may) and, when given,
  // `wanted` says so, which is asked again whenever something changes; false when interrupted.
  bool wait_for_room(const std::function<bool()>& wanted = {});
  // Blocks until nothing waits and nothing is in work; false when interrupted.
  bool wait_until_idle();

  // Empties the queue, cancels what waits and what is in work, wakes every wait. Returns what
  // waited. The waits return false until resume().
  std::vector<std::shared_ptr<AnalysisWindow>> interrupt();
  void resume();

  void set_bound(size_t bound);
  size_t n_waiting() const;
  // Whether a window that waits overlaps [start, stop).
  bool waits_for(Time start, Time stop) const;
  bool in_work() const;

 private:
  template <class Condition>
  bool wait_until(Condition condition);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<AnalysisWindow>> windows_;
  std::vector<std::shared_ptr<Cancel>> running_;  // of the windows in work, as popped
  size_t bound_;
  bool interrupted_ = false;
  uint64_t n_interrupts_ = 0;  // a wait that sleeps through interrupt() and resume() returns false
};

}  // namespace vidi
