#include "gst/windows/frame_sampler.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

using std::chrono::nanoseconds;

// Lengths beyond 18 years are forever: sums cannot overflow.
constexpr Time kLongest = kForever / 16;
constexpr Time kShortest = std::chrono::milliseconds(1);
constexpr int64_t kMostOverlaps = 64;
constexpr int64_t kHighestRate = 1000;
constexpr size_t kMostPicks = 1 << 20;  // of one step

}  // namespace

Time FrameSampler::length() const {
  if (shape_.duration <= Time::zero()) return kForever;
  return std::clamp(shape_.duration, kShortest, kLongest);
}

Time FrameSampler::stride() const {
  const Time longest = std::min(length(), kLongest);
  return std::clamp(shape_.stride, std::max(longest / kMostOverlaps, kShortest), longest);
}

double FrameSampler::rate() const {
  return static_cast<double>(rate_numerator_) / static_cast<double>(rate_denominator_);
}

Time FrameSampler::interval() const {
  return nanoseconds(rate_denominator_ * 1'000'000'000 / rate_numerator_);
}

FrameSampler::Open FrameSampler::planned_at(Time start) {
  const Time stop = length() == kForever ? kForever : start + length();
  return {next_index_++, start, stop, 0};
}

// In 128 bits and from the window's start: rates like 30000/1001 do not drift, however long it is.
Time FrameSampler::target_of(const Open& window, uint64_t k) const {
  const __int128 scaled = static_cast<__int128>(k) * rate_denominator_ * 1'000'000'000;
  const __int128 rounded = (2 * scaled + rate_numerator_) / (2 * rate_numerator_);
  const __int128 target = window.start.count() + rounded;
  return nanoseconds(static_cast<int64_t>(std::min<__int128>(target, kForever.count())));
}

// The first k whose target is not below the window's stop.
uint64_t FrameSampler::targets_of_earliest(Time end) const {
  const Open& window = windows_.front();
  const Time stop = std::min(window.stop, end);
  if (stop > kFarthestTime || stop <= window.start) return 0;
  const __int128 length = stop.count() - window.start.count();
  auto k = static_cast<uint64_t>(length * rate_numerator_ /
                                 (rate_denominator_ * __int128{1'000'000'000}));
  while (k > 0 && target_of(window, k - 1) >= stop) --k;
  while (target_of(window, k) < stop) ++k;
  return k;
}

void FrameSampler::reshape(SamplingShape shape) {
  shape_ = shape;
  if (!running() || windows_.back().start <= reached_) return;  // none is planned
  Open& planned = windows_.back();
  const Open& last = windows_[windows_.size() - 2];
  // Where the last one ends at the latest: a longer stride must not leave a hole.
  const Time start =
      length() == kForever ? planned.start : std::min(last.start + stride(), last.stop);
  next_frame_starts_ = start <= reached_ || (next_frame_starts_ && length() == kForever);
  planned.start = next_frame_starts_ ? reached_ + nanoseconds(1) : start;
  planned.stop = length() == kForever ? kForever : planned.start + length();
}

SamplerStep FrameSampler::frame(Time pts, Time reach, Time lead) {
  if (!is_possible(pts) || (running() && pts < last_pts_)) return {};
  if (running() && is_missed_jump(pts)) return finish(reached_ + nanoseconds(1));
  SamplerStep step;
  start_windows(pts, lead);
  settle(pts, {pts, std::exchange(last_pts_, pts), pts}, step);
  reached_ = std::max(reached_, pts);
  const bool is_picked = std::any_of(step.picks.begin(), step.picks.end(),
                                     [&](const Pick& pick) { return pick.pts == pts; });
  // A frame with the PTS of the grabbed one loses every tie against it.
  step.grab = grabbed_ != pts && (is_picked || may_be_picked(pts, reach));
  if (step.grab) grabbed_ = pts;
  close_passed(pts, step);
  return step;
}

// Closes nothing: what was not picked yet may be by the next frame that comes.
SamplerStep FrameSampler::skip(Time pts) {
  if (!running() || !is_possible(pts) || pts < last_pts_ || is_missed_jump(pts)) return {};
  SamplerStep step;
  start_windows(pts);
  settle(pts, {std::nullopt, std::exchange(last_pts_, pts), pts}, step);
  reached_ = std::max(reached_, pts);
  return step;
}

// Below an interval, the next frame may still be near.
SamplerStep FrameSampler::advance(Time now) {
  if (!running() || !is_possible(now) || now <= reached_ || now - last_pts_ <= interval() ||
      is_missed_jump(now)) {
    return {};
  }
  SamplerStep step;
  start_windows(now);
  settle(now - nanoseconds(1), {std::nullopt, last_pts_, kForever}, step);  // it may end here
  reached_ = now;
  close_passed(now, step);
  return step;
}

SamplerStep FrameSampler::finish(Time end, Time next_start) {
  if (!running()) return {};
  SamplerStep step;
  if (windows_.front().stop < end) step = advance(end - nanoseconds(1));
  windows_.erase(windows_.begin() + 1, windows_.end());
  const Open first = windows_.front();
  const Time stop = std::min(first.stop, std::clamp(end, reached_, kFarthestTime));
  const bool is_covered = covered_ && covered_->start <= first.start && covered_->stop >= stop;
  if (!is_covered) {
    settle(stop - nanoseconds(1), {std::nullopt, last_pts_, kForever}, step);
    const bool partial = first.stop != kForever && stop < first.stop;
    step.closed.push_back({first.index, first.start, stop, partial, next_start, true, first_pts_,
                           first_pts_ != last_pts_});
  }
  windows_.clear();
  next_frame_starts_ = false;
  grabbed_.reset();
  covered_.reset();
  return step;
}

// A generous bound of what a frame at `pts` would settle.
bool FrameSampler::is_missed_jump(Time pts) const {
  const double gap = std::chrono::duration<double>(pts - reached_).count();
  const double length_s = std::chrono::duration<double>(length()).count();
  const double stride_s = std::chrono::duration<double>(stride()).count();
  const double n_windows = static_cast<double>(windows_.size()) + gap / stride_s;
  const double n_targets = 1 + std::min(gap, length_s) * rate();
  return n_windows * n_targets > static_cast<double>(kMostPicks);
}

// Starts a grid, or those windows of it that a frame at `pts` has reached; plans the one behind.
void FrameSampler::start_windows(Time pts, Time lead) {
  if (!running()) {
    first_pts_ = last_pts_ = pts;
    reached_ = pts - lead;
    rate_denominator_ = std::max(shape_.rate_denominator, 1);
    rate_numerator_ =
        std::clamp<int64_t>(shape_.rate_numerator, 1, kHighestRate * rate_denominator_);
    windows_.push_back(planned_at(reached_));
  } else if (std::exchange(next_frame_starts_, false)) {
    Open& planned = windows_.back();
    if (planned.stop != kForever) planned.stop += pts - planned.start;
    planned.start = pts;
  }
  while (windows_.back().start <= pts && windows_.back().stop != kForever) {
    windows_.push_back(planned_at(windows_.back().start + stride()));
  }
}

// Picks for the open windows' targets up to and including `up_to`.
void FrameSampler::settle(Time up_to, const Neighbours& around, SamplerStep& step) {
  for (Open& window : windows_) {
    while (step.picks.size() < kMostPicks) {
      const Time target = target_of(window, window.next_target);
      if (target > up_to || target >= window.stop) break;
      const auto pick = pick_for(target, around);
      if (!pick) break;
      step.picks.push_back({window.index, target, *pick});
      ++window.next_target;
    }
  }
}

// Nothing: it is not known yet, or what should be picked did not come.
std::optional<Time> FrameSampler::pick_for(Time target, const Neighbours& around) const {
  if (!grabbed_ || target < around.before) return nearest_that_is_there(target, around);
  if (target == around.behind) return around.at_hand;
  const bool before_stands =
      around.behind == kForever || around.behind - around.before > interval();
  if (before_stands) return grabbed_;
  if (target - around.before > around.behind - target) return around.at_hand;
  return grabbed_ == around.before ? grabbed_ : nearest_that_is_there(target, around);
}

std::optional<Time> FrameSampler::nearest_that_is_there(Time target,
                                                        const Neighbours& around) const {
  const bool grabbed_is_nearer =
      grabbed_ && (around.behind == kForever || target - *grabbed_ <= abs(around.behind - target));
  return grabbed_is_nearer ? grabbed_ : around.at_hand;
}

bool FrameSampler::may_be_picked(Time pts, Time reach) const {
  return std::any_of(windows_.begin(), windows_.end(), [&](const Open& window) {
    const Time target = target_of(window, window.next_target);
    return target < window.stop && target - pts <= reach;
  });
}

void FrameSampler::close_passed(Time pts, SamplerStep& step) {
  std::deque<Open> still_open;
  for (size_t i = 0; i < windows_.size(); ++i) {
    const Open& window = windows_[i];
    if (window.stop > pts) {
      still_open.push_back(window);
      continue;
    }
    // The one behind is there: the last window is planned, so it stops ahead of `pts`.
    step.closed.push_back({window.index, window.start, window.stop, false, windows_[i + 1].start,
                           false, first_pts_, first_pts_ != last_pts_});
    if (!covered_ || window.stop > covered_->stop) covered_ = {window.start, window.stop};
  }
  if (still_open.size() != windows_.size()) windows_ = std::move(still_open);
}

}  // namespace vidi
