#include "gst/windows/frame_times.h"

#include <algorithm>

namespace vidi {
namespace {

// Frames that are copied although another may be nearer: one frame may get lost unnoticed.
constexpr Time kShortestReach = std::chrono::milliseconds(50);
constexpr int kReachInFrames = 2;

// Where a frame stood once, others will.
constexpr Time kMemory = std::chrono::minutes(1);
constexpr Time kLongestStandOfACamera = std::chrono::minutes(1);

}  // namespace

Time FrameTimes::reach_after(Time pts, std::optional<Time> duration) const {
  if (frame_length_ == Time(0)) return kForever;
  Time interval = std::max({frame_length_, last_interval_, duration.value_or(Time(0))});
  if (pts - stood_until_ < kMemory) interval = std::max(interval, stood_for_);
  return std::max(kShortestReach, kReachInFrames * std::min<Time>(interval, std::chrono::hours(1)));
}

Time FrameTimes::end_of(Time pts, std::optional<Time> duration) const {
  if (duration) return pts + *duration;
  return pts + (frame_length_ > Time(0) ? frame_length_ : sampling_interval_);
}

bool FrameTimes::steps_back_at(Time pts) const {
  return any() && last_pts_ - pts >= sampling_interval_;
}

bool FrameTimes::is_late(Time pts, Time stride) const {
  return any() && pts > last_end_ + std::max(kShortestJump, stride);
}

bool FrameTimes::has_jumped(Time pts, Time stride, const HoleSigns& signs) const {
  if (signs.sound_leaps) return true;
  const Time hole = pts - std::max(last_end_, signs.alive_until.value_or(last_end_));
  if (hole <= std::max(kShortestJump, stride)) return false;
  return signs.discont || (signs.live && hole > kLongestStandOfACamera);
}

void FrameTimes::pass_frame(Time pts, Time end) {
  if (any() && pts < last_pts_) return;
  if (any()) last_interval_ = pts - last_pts_;
  if (last_interval_ >
      std::max(sampling_interval_, pts - stood_until_ < kMemory ? stood_for_ : Time(0))) {
    stood_for_ = last_interval_, stood_until_ = pts;
  }
  last_pts_ = pts;
  last_end_ = std::max(last_end_, end);
}

void FrameTimes::pass_gap(Time end) {
  if (any()) last_end_ = std::max(last_end_, end);
}

void FrameTimes::forget() {
  last_pts_ = last_end_ = Time(-1);
  last_interval_ = stood_for_ = stood_until_ = Time(0);
}

}  // namespace vidi
