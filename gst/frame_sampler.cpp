#include "gst/frame_sampler.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

using std::chrono::nanoseconds;

// Times beyond 73 years are damage, and lengths beyond 18 years are forever: sums cannot overflow.
constexpr Time kFarthest = kForever / 4;
constexpr Time kLongest = kForever / 16;
constexpr Time kShortest = std::chrono::milliseconds(1);
constexpr int64_t kMostOverlaps = 64;
constexpr int64_t kHighestRate = 1000;
constexpr size_t kMostPicks = 1 << 20;  // of one step

bool is_possible(Time pts) { return pts > -kFarthest && pts < kFarthest; }

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
  if (stop > kFarthest || stop <= window.start) return 0;
  const __int128 length = stop.count() - window.start.count();
  auto k = static_cast<uint64_t>(length * rate_numerator_ /
                                 (rate_denominator_ * __int128{1'000'000'000}));
  while (k > 0 && target_of(window, k - 1) >= stop) --k;
  while (target_of(window, k) < stop) ++k;
  return k;
}

void FrameSampler::reshape(SamplingShape shape) {
  shape_ = shape;
  if (!running() || windows_.back().start <= last_pts_) return;  // none is planned
  Open& planned = windows_.back();
  const Open& last = windows_[windows_.size() - 2];
  // Where the last one ends at the latest: a longer stride must not leave a hole.
  const Time start =
      length() == kForever ? planned.start : std::min(last.start + stride(), last.stop);
  next_frame_starts_ = start <= last_pts_ || (next_frame_starts_ && length() == kForever);
  planned.start = next_frame_starts_ ? last_pts_ + nanoseconds(1) : start;
  planned.stop = length() == kForever ? kForever : planned.start + length();
}

SamplerStep FrameSampler::frame(Time pts, Time reach) {
  if (!is_possible(pts) || (running() && pts < last_pts_)) return {};
  if (running() && is_missed_jump(pts)) return finish(last_pts_ + nanoseconds(1));
  SamplerStep step;
  start_windows(pts);
  last_pts_ = pts;
  for (Open& window : windows_) settle(window, pts, pts, step);
  const bool is_picked = std::any_of(step.picks.begin(), step.picks.end(),
                                     [&](const Pick& pick) { return pick.pts == pts; });
  // A frame with the PTS of the grabbed one loses every tie against it.
  step.grab = grabbed_ != pts && (is_picked || may_be_picked(pts, reach));
  if (step.grab) grabbed_ = pts;
  close_passed(pts, step);
  return step;
}

SamplerStep FrameSampler::finish(Time end) {
  SamplerStep step;
  if (!running()) return step;
  Open& first = windows_.front();
  const Time stop = std::min(first.stop, std::clamp(end, last_pts_, kFarthest));
  const bool is_covered = covered_ && covered_->start <= first.start && covered_->stop >= stop;
  if (!is_covered) {
    settle(first, stop - nanoseconds(1), std::nullopt, step);
    const bool partial = first.stop != kForever && stop < first.stop;
    step.closed.push_back({first.index, first.start, stop, partial, kForever});
  }
  windows_.clear();
  next_frame_starts_ = false;
  grabbed_.reset();
  covered_.reset();
  return step;
}

// A generous bound of what a frame at `pts` would settle.
bool FrameSampler::is_missed_jump(Time pts) const {
  const double gap = std::chrono::duration<double>(pts - last_pts_).count();
  const double length_s = std::chrono::duration<double>(length()).count();
  const double stride_s = std::chrono::duration<double>(stride()).count();
  const double n_windows = static_cast<double>(windows_.size()) + gap / stride_s;
  const double n_targets = 1 + std::min(gap, length_s) * rate();
  return n_windows * n_targets > static_cast<double>(kMostPicks);
}

// Starts a grid, or those windows of it that a frame at `pts` has reached; plans the one behind.
void FrameSampler::start_windows(Time pts) {
  if (!running()) {
    rate_denominator_ = std::max(shape_.rate_denominator, 1);
    rate_numerator_ =
        std::clamp<int64_t>(shape_.rate_numerator, 1, kHighestRate * rate_denominator_);
    windows_.push_back(planned_at(pts));
  } else if (std::exchange(next_frame_starts_, false)) {
    Open& planned = windows_.back();
    if (planned.stop != kForever) planned.stop += pts - planned.start;
    planned.start = pts;
  }
  while (windows_.back().start <= pts && windows_.back().stop != kForever) {
    windows_.push_back(planned_at(windows_.back().start + stride()));
  }
}

// Picks for the window's targets up to and including `up_to`: of the grabbed frame, which lies
// before all of them, and `frame`, which lies behind, the nearer.
void FrameSampler::settle(Open& window, Time up_to, std::optional<Time> frame,
                          SamplerStep& step) const {
  while (step.picks.size() < kMostPicks) {
    const Time target = target_of(window, window.next_target);
    if (target > up_to || target >= window.stop) return;
    const bool take_grabbed = grabbed_ && (!frame || target - *grabbed_ <= *frame - target);
    if (!take_grabbed && !frame) return;
    step.picks.push_back({window.index, target, take_grabbed ? *grabbed_ : *frame});
    ++window.next_target;
  }
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
    step.closed.push_back({window.index, window.start, window.stop, false, windows_[i + 1].start});
    if (!covered_ || window.stop > covered_->stop) covered_ = {window.start, window.stop};
  }
  if (still_open.size() != windows_.size()) windows_ = std::move(still_open);
}

}  // namespace vidi
