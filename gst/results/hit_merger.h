// Hits of overlapping windows become one. Pure logic; the caller serialises.
//
// Two hits of one question (and label) that overlap, or lie at most the merge gap apart, are one
// hit from the earlier start to the later stop, with the higher confidence of the two. A hit that a
// later window may still extend (it ends within the merge gap of that window's start, or behind it)
// is sent once with final = false, and once more under the same id with final = true when no later
// window can. All others are sent once, final. Growth between the two is not sent.
//
// What was sent first keeps its id, and the text, the fractions and the window of the part that was
// found first; `truncated` is that of any part. A window that the gate is closed for neither begins
// nor ends one: what ran at the end of the last analysed window stays open, and its stop stays what
// was seen, until the next analysed window finds it where that begins, or ends it. When two hits
// that were sent as tentative turn out to be one, the one with the lower id is sent as final; the
// other id is never final.
#pragma once

#include <utility>
#include <vector>

#include "gst/results/hit.h"

namespace vidi {

class HitMerger {
 public:
  // What a window found; `next_start` = where the next window starts (kForever: there is none).
  // Returns what is to be sent now: finals by start, then the tentative ones.
  std::vector<Hit> add(std::vector<Hit> found, Time next_start, Time merge_gap, bool merge);
  // The window that started before `next_start` brought nothing (dropped, failed).
  std::vector<Hit> pass(Time next_start, Time merge_gap);
  // The gate was closed for the window that started before `next_start` and stops at `stop`.
  std::vector<Hit> hold(Time stop, Time next_start, Time merge_gap);
  // A window is about to be added that was analysed from `start` on: from there it is the one that
  // tells.
  void end_hold(Time start);
  std::vector<Hit> finish();  // no later window comes: all that is open, final
  void clear();               // flush: forget what is open; ids go on
  // So many ids in a row for hits that are told elsewhere; the first of them.
  uint64_t take_ids(size_t n) { return std::exchange(next_id_, next_id_ + n); }

 private:
  std::vector<Hit> settle(std::vector<Hit> hits, Time next_start, Time merge_gap, bool merge);

  uint64_t next_id_ = 1;
  std::vector<Hit> open_;
};

}  // namespace vidi
