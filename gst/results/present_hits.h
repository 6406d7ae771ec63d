// Which questions hold "now": what analytics-meta puts on the pictures that pass.
//
// A hit is known a window after it happened, so of a live stream "now" is what the last analysed
// window said: a picture in one of its hits, or behind it where a hit reached its end, until the
// next window is analysed.
//
// Thread-safe; the streaming thread asks before each picture.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "gst/results/hit.h"

namespace vidi {

struct PresentHit {
  std::string query_id;
  double confidence = 0;  // 0: not known
};

class PresentHits {
 public:
  // Of the last analysed window; `stop`: its end. `reach`: a hit that ends at most this long before
  // it may be going on (its last picture stands for as long).
  void set(const std::vector<Hit>& hits, Time stop, Time reach);
  void clear();
  void enable(bool on);  // default: off, and at() has nothing
  // Each question once, in the order of their ids' first hits, with its surest hit's confidence.
  std::vector<PresentHit> at(Time pts) const;

 private:
  struct Stretch {
    PresentHit hit;
    Time start{}, stop{};
  };

  std::atomic<bool> on_{false};  // without it pictures pass without the lock
  mutable std::mutex mutex_;
  std::vector<Stretch> stretches_;
};

}  // namespace vidi
