// Says which frames of a stream vidifilter will copy, before they are decoded. Third step of
// vididecode. It runs the same FrameSampler on the same times, so that of all frames only those
// that are picked need to reach vidifilter. No GStreamer, no threads.
//
// Why the element then picks the same: it is told of the frames left out, so it knows the same
// times and grabs what it would have grabbed. What it is given are all picked frames and some that
// are grabbed: at each target the frame it has grabbed last is the one it would have had anyway, or
// an earlier one that is no nearer.
#pragma once

#include <optional>
#include <vector>

#include "gst/frame_sampler.h"
#include "gst/frame_times.h"

namespace vidi {

struct PlannedFrame {
  Time pts{};
  std::optional<Time> duration;
  Time end{};           // filled in
  bool needed = false;  // filled in
};

struct WatchSettings {
  SamplingShape shape;
  Time jump_stride{};        // see FrameTimes::jumps_at
  Time sampling_interval{};  // see FrameTimes::end_of
};

class PickPlan {
 public:
  PickPlan(const WatchSettings& settings, Time frame_length);
  void change(const WatchSettings& settings);
  // The frames that are shown next, by PTS. False when they do not come behind those before, each
  // at its own time: then nothing is planned.
  bool plan(std::vector<PlannedFrame>& frames);

 private:
  WatchSettings settings_;
  FrameSampler sampler_;
  FrameTimes times_;
};

}  // namespace vidi
