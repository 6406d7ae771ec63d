#include "gst/frame_times.h"

#include <algorithm>

namespace vidi {
namespace {

// Frames that are copied although another may be nearer: one frame may get lost unnoticed.
constexpr Time kShortestReach = std::chrono::milliseconds(50);
constexpr int kReachInFrames = 2;

}  // namespace

Time FrameTimes::reach_after(Time pts, std::optional<Time> duration) const {
  if (frame_length_ == Time(0)) return kForever;
  const Time interval = std::max({frame_length_, last_interval_, duration.value_or(Time(0))});
  return std::max(kShortestReach, kReachInFrames * std::min<Time>(interval, std::chrono::hours(1)));
}

Time FrameTimes::end_of(Time pts, std::optional<Time> duration, Time sampling_interval) const {
  if (duration) return pts + *duration;
  return pts + (frame_length_ > Time(0) ? frame_length_ : sampling_interval);
}

bool FrameTimes::jumps_at(Time pts, Time stride) const {
  if (!any()) return false;
  return pts < last_pts_ || pts > last_end_ + std::max(kShortestJump, stride);
}

void FrameTimes::pass_frame(Time pts, Time end) {
  if (any()) last_interval_ = pts - last_pts_;
  last_pts_ = pts;
  last_end_ = std::max(last_end_, end);
}

void FrameTimes::pass_gap(Time end) {
  if (any()) last_end_ = std::max(last_end_, end);
}

void FrameTimes::forget() {
  last_pts_ = last_end_ = Time(-1);
  last_interval_ = Time(0);
}

}  // namespace vidi
