// Highlights out of retrieval questions (element page, 4a): a ranked list of moments. Pure logic.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "gst/finding.h"

namespace vidi {

// The moments that people keep, asked when `task=highlight` has neither a prompt nor queries.
const std::vector<std::string>& built_in_moments();

class HighlightRanker {
 public:
  // Best first: of hits that overlap by more than half (intersection over union) the one with the
  // highest confidence stays (temporal non-maximum suppression), then as many as
  // `max_per_minute` allows for the window's length, at least one; what earlier overlapping windows
  // kept counts, unless it is the same moment seen again. 0 = all. The label of what stays is its
  // query. Returned by start.
  std::vector<Finding> keep_best(std::vector<Finding> found, unsigned max_per_minute);
  void clear();

 private:
  struct Kept {
    std::string label;
    Time start{}, stop{};
  };
  std::deque<Kept> kept_;  // of windows that may still be overlapped
};

}  // namespace vidi
