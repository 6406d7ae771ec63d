// Highlights: a ranked list of moments, as many as are wanted a minute. Out of retrieval questions
// (element page, 4a), or the list that the model itself makes. Pure logic.
#pragma once

#include <string>
#include <vector>

#include "gst/results/hit.h"

namespace vidi {

// The moments that people keep, asked when `task=highlight` has neither a prompt nor queries.
const std::vector<std::string>& built_in_moments();

class HighlightRanker {
 public:
  // `found`: of one window; windows come in order. Best first: of hits that overlap by more than
  // half (intersection over union) the one with the highest confidence stays (temporal non-maximum
  // suppression), then as many as `max_per_minute` allows for the window's length, at least one;
  // what earlier overlapping windows kept counts, unless it is the same moment seen again (same
  // query, overlapping or touching). A moment that an earlier window told under another query is
  // not told twice. 0 = all. An unknown confidence ranks last, of equals the earlier is better. The
  // label of what stays is its query. Returned by start. Of the model's own list
  // (`!from_queries`) labels stay, and what overlaps are two moments: the model said so.
  std::vector<Hit> keep_best(std::vector<Hit> found, unsigned max_per_minute);
  void clear();

 private:
  struct Told {
    std::string label;
    Time start{}, stop{};
  };
  void forget_for(const AnalysisWindow& window);
  size_t n_told_within(const AnalysisWindow& window) const;
  bool told_again(const Hit& hit) const;
  bool is_told_otherwise(const Hit& hit) const;
  void remember(const std::vector<Hit>& kept);

  std::vector<Told> told_;  // by windows that this one may still overlap
  Time last_start_{};       // of the last window
};

}  // namespace vidi
