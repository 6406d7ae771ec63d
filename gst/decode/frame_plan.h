// Says which frames of a stream vidifilter will copy, before they are decoded. Third step of
// vididecode. It runs the same FrameSampler on the same times, so that of all frames only those
// that are picked need to reach vidifilter. No GStreamer, no threads.
//
// Why the element then picks the same: it is told of the frames left out, so its sampler knows the
// same neighbours and grabs what this one grabbed, as far as it comes. All that is picked comes.
#pragma once

#include <optional>
#include <vector>

#include "gst/windows/frame_sampler.h"
#include "gst/windows/frame_times.h"

namespace vidi {

struct PlannedFrame {
  Time pts{};
  std::optional<Time> duration;
  bool discont = false;  // the stream is broken before it
  Time end{};            // filled in
  bool needed = false;   // filled in
};

struct SamplingSettings {
  SamplingShape shape;
  Time jump_stride{};  // see FrameTimes::is_late
  Time sampling_interval = std::chrono::seconds(1);
  Time lead{};  // of the grid that the first frame starts
};

class FramePlan {
 public:
  FramePlan(const SamplingSettings& settings, Time frame_length);
  void change(const SamplingSettings& settings);
  void set_frame_length(Time length) { times_.set_frame_length(length); }  // new caps
  // The frames that are shown next, by PTS. False when they do not come behind those before, each
  // at its own time, or where time may jump: then nothing is planned.
  bool plan(std::vector<PlannedFrame>& frames);

 private:
  bool can_be_planned(const std::vector<PlannedFrame>& frames) const;

  SamplingSettings settings_;
  FrameSampler sampler_;
  Time lead_;
  FrameTimes times_;
};

}  // namespace vidi
