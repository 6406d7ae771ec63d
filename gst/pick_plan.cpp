#include "gst/pick_plan.h"

#include <algorithm>

namespace vidi {
namespace {

// A picked frame of an earlier range was grabbed there as the last one, and so it was needed.
void mark(const SamplerStep& step, std::vector<PlannedFrame>& frames) {
  for (const Pick& pick : step.picks) {
    const auto at =
        std::lower_bound(frames.begin(), frames.end(), pick.pts,
                         [](const PlannedFrame& frame, Time pts) { return frame.pts < pts; });
    if (at != frames.end() && at->pts == pick.pts) at->needed = true;
  }
}

}  // namespace

PickPlan::PickPlan(const WatchSettings& settings, Time frame_length)
    : settings_(settings), sampler_(settings.shape) {
  times_.set_frame_length(frame_length);
}

void PickPlan::change(const WatchSettings& settings) {
  settings_ = settings;
  sampler_.reshape(settings.shape);
}

bool PickPlan::plan(std::vector<PlannedFrame>& frames) {
  Time last = times_.last_pts();
  for (const PlannedFrame& frame : frames) {
    if (frame.pts <= last) return false;
    last = frame.pts;
  }
  PlannedFrame* grabbed = nullptr;
  for (PlannedFrame& frame : frames) {
    if (times_.jumps_at(frame.pts, settings_.jump_stride)) {
      mark(sampler_.finish(times_.last_end()), frames);
      times_.forget();
    }
    const SamplerStep step =
        sampler_.frame(frame.pts, times_.reach_after(frame.pts, frame.duration));
    mark(step, frames);
    if (!step.closed.empty()) frame.needed = true;  // windows end when a frame behind them comes
    if (step.grab) grabbed = &frame;
    frame.end = times_.end_of(frame.pts, frame.duration, settings_.sampling_interval);
    times_.pass_frame(frame.pts, frame.end);
  }
  if (grabbed) grabbed->needed = true;  // the next range may say that it is picked
  return true;
}

}  // namespace vidi
