#include "gst/results/present_hits.h"

#include <algorithm>

namespace vidi {

void PresentHits::set(const std::vector<Hit>& hits, Time stop, Time reach) {
  std::lock_guard lock(mutex_);
  stretches_.clear();
  for (const Hit& hit : hits) {
    const bool may_go_on = hit.stop >= stop - reach;
    stretches_.push_back(
        {{hit.query_id, hit.confidence.value_or(0)}, hit.start, may_go_on ? kForever : hit.stop});
  }
}

void PresentHits::clear() {
  std::lock_guard lock(mutex_);
  stretches_.clear();
}

void PresentHits::enable(bool on) { on_ = on; }

std::vector<PresentHit> PresentHits::at(Time pts) const {
  std::vector<PresentHit> present;
  if (!on_) return present;
  std::lock_guard lock(mutex_);
  for (const Stretch& stretch : stretches_) {
    if (pts < stretch.start || pts >= stretch.stop) continue;
    const auto same = std::find_if(present.begin(), present.end(), [&](const PresentHit& hit) {
      return hit.query_id == stretch.hit.query_id;
    });
    if (same == present.end()) {
      present.push_back(stretch.hit);
    } else {
      same->confidence = std::max(same->confidence, stretch.hit.confidence);
    }
  }
  return present;
}

}  // namespace vidi
