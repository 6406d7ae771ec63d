#include "gst/decode/frame_plan.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

// A picked frame of an earlier GOP was grabbed there as the last one, and so it was needed.
void mark(const SamplerStep& step, std::vector<PlannedFrame>& frames) {
  for (const Pick& pick : step.picks) {
    const auto at =
        std::lower_bound(frames.begin(), frames.end(), pick.pts,
                         [](const PlannedFrame& frame, Time pts) { return frame.pts < pts; });
    if (at != frames.end() && at->pts == pick.pts) at->needed = true;
  }
}

}  // namespace

FramePlan::FramePlan(const SamplingSettings& settings, Time frame_length)
    : settings_(settings), sampler_(settings.shape), lead_(settings.lead) {
  times_.set_frame_length(frame_length);
  times_.set_sampling_interval(settings.sampling_interval);
}

void FramePlan::change(const SamplingSettings& settings) {
  settings_ = settings;
  sampler_.reshape(settings.shape);
}

bool FramePlan::can_be_planned(const std::vector<PlannedFrame>& frames) const {
  FrameTimes times = times_;
  for (const PlannedFrame& frame : frames) {
    const bool may_jump = frame.discont && times.is_late(frame.pts, settings_.jump_stride);
    if (frame.pts <= times.last_pts() || may_jump) return false;
    times.pass_frame(frame.pts, times.end_of(frame.pts, frame.duration));
  }
  return true;
}

bool FramePlan::plan(std::vector<PlannedFrame>& frames) {
  if (!can_be_planned(frames)) return false;
  PlannedFrame* grabbed = nullptr;
  for (PlannedFrame& frame : frames) {
    const SamplerStep step = sampler_.frame(
        frame.pts, times_.reach_after(frame.pts, frame.duration), std::exchange(lead_, Time(0)));
    mark(step, frames);
    if (!step.closed.empty()) frame.needed = true;  // windows end when a frame behind them comes
    if (step.grab) grabbed = &frame;
    frame.end = times_.end_of(frame.pts, frame.duration);
    times_.pass_frame(frame.pts, frame.end);
  }
  if (grabbed) grabbed->needed = true;  // the next GOP may say that it is picked
  return true;
}

}  // namespace vidi
