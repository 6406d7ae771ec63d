// The last analysed windows, as they are encoded, for questions that come later. Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "gst/worker/analysis.h"

namespace vidi {

class KeptWindows {
 public:
  void set_bound(size_t n);            // how many are kept; the oldest go
  void add(const Analysis& analysis);  // windows come by their start
  std::vector<Analysis> overlapping(Time start, Time stop) const;
  bool cover(Time start, Time stop) const;  // from end to end
  // Empties it. What is returned holds the device's memory until it is destroyed.
  std::deque<Analysis> take_all();

 private:
  std::deque<Analysis> windows_;
  size_t bound_ = 1;
};

}  // namespace vidi
