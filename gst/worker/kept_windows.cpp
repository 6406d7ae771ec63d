#include "gst/worker/kept_windows.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace vidi {
namespace {

constexpr size_t kMostRemembered = 32;  // windows of an owner that gave way

// Its pictures and its sound as results tell of them.
std::shared_ptr<const AnalysisWindow> without_media(const AnalysisWindow& window) {
  auto kept = std::make_shared<AnalysisWindow>(window);
  for (auto& frame : kept->frames) {
    auto light = std::make_shared<SampledFrame>();
    light->pts = frame->pts, light->utc = frame->utc;
    frame = std::move(light);
  }
  for (auto& chunk : kept->audio) {
    auto light = std::make_shared<SoundChunk>();
    light->position = chunk->position;
    chunk = std::move(light);
  }
  return kept;
}

}  // namespace

// Called with the lock; freed without it.
KeptWindows::Windows KeptWindows::take_beyond_bound(Owner owner) {
  const auto is_his = [owner](const Kept& kept) { return kept.owner == owner; };
  auto n = static_cast<size_t>(std::count_if(windows_.begin(), windows_.end(), is_his));
  Windows gone;
  for (auto it = windows_.begin(); it != windows_.end() && n > owners_[owner].bound;) {
    const auto next = std::next(it);
    if (is_his(*it)) gone.splice(gone.end(), windows_, it), --n;
    it = next;
  }
  return gone;
}

void KeptWindows::set_bound(Owner owner, size_t n) {
  Windows gone;
  std::lock_guard lock(mutex_);
  owners_[owner].bound = n;
  gone = take_beyond_bound(owner);
}

void KeptWindows::add(Owner owner, const Analysis& analysis) {
  Windows gone;
  Kept kept{owner, analysis};
  if (analysis.encoded) kept.analysis.window = without_media(*analysis.window);
  std::lock_guard lock(mutex_);
  windows_.push_back(std::move(kept));
  gone = take_beyond_bound(owner);
}

std::vector<Analysis> KeptWindows::overlapping(Owner owner, Time start, Time stop) const {
  std::vector<Analysis> found;
  std::lock_guard lock(mutex_);
  for (const Kept& kept : windows_) {
    const AnalysisWindow& window = *kept.analysis.window;
    if (kept.owner == owner && window.start < stop && start < window.stop)
      found.push_back(kept.analysis);
  }
  return found;
}

Time KeptWindows::covered_until(Owner owner, Time start) const {
  std::lock_guard lock(mutex_);
  for (const Kept& kept : windows_) {
    const AnalysisWindow& window = *kept.analysis.window;
    if (kept.owner == owner && window.start <= start && start < window.stop) start = window.stop;
  }
  return start;
}

bool KeptWindows::gave_way(Owner owner, Time start, Time stop) const {
  std::lock_guard lock(mutex_);
  const auto known = owners_.find(owner);
  if (known == owners_.end()) return false;
  return std::any_of(known->second.gave_way.begin(), known->second.gave_way.end(),
                     [&](const auto& gone) { return gone.first < stop && start < gone.second; });
}

void KeptWindows::forget_before(Owner owner, Time start) {
  Windows gone;
  std::lock_guard lock(mutex_);
  for (auto it = windows_.begin(); it != windows_.end();) {
    const auto next = std::next(it);
    if (it->owner == owner && it->analysis.window->start < start)
      gone.splice(gone.end(), windows_, it);
    it = next;
  }
}

void KeptWindows::forget(Owner owner) {
  Windows gone;
  std::lock_guard lock(mutex_);
  for (auto it = windows_.begin(); it != windows_.end();) {
    const auto next = std::next(it);
    if (it->owner == owner) gone.splice(gone.end(), windows_, it);
    it = next;
  }
  owners_[owner].gave_way.clear();
}

void KeptWindows::remove(Owner owner) {
  forget(owner);
  std::lock_guard lock(mutex_);
  owners_.erase(owner);
}

// Called with the lock.
void KeptWindows::note_that_it_gave_way(const Kept& kept) {
  auto& gave_way = owners_[kept.owner].gave_way;
  gave_way.push_back({kept.analysis.window->start, kept.analysis.window->stop});
  if (gave_way.size() > kMostRemembered) gave_way.pop_front();
}

bool KeptWindows::drop_oldest() {
  Windows gone;
  std::lock_guard lock(mutex_);
  const auto oldest = std::find_if(windows_.begin(), windows_.end(),
                                   [](const Kept& kept) { return kept.analysis.encoded; });
  if (oldest == windows_.end()) return false;
  note_that_it_gave_way(*oldest);
  gone.splice(gone.end(), windows_, oldest);
  return true;
}

bool KeptWindows::drop_all() {
  bool any = false;
  while (drop_oldest()) any = true;
  return any;
}

}  // namespace vidi
