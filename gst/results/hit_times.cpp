#include "gst/results/hit_times.h"

#include <algorithm>
#include <chrono>

#include "gst/media/buffer_times.h"
#include "gst/results/structures.h"

namespace vidi {
namespace {

Time cut(const AnalysisWindow& window, Time time, Time start) {
  return window.start < window.first_frame ? time : std::max(time, start);
}

GstClockTime clock_of(std::optional<Time> time) {
  return time ? static_cast<GstClockTime>(std::max(*time, Time(0)).count()) : GST_CLOCK_TIME_NONE;
}

// The frame that tells the wall clock at `time`: the last at or before it that knows, else the
// first after it.
const SampledFrame* clock_frame(const AnalysisWindow& window, Time time) {
  const SampledFrame* before = nullptr;
  const SampledFrame* after = nullptr;
  for (const auto& frame : window.frames) {
    if (!frame || !frame->utc) continue;
    if (frame->pts <= time) {
      if (!before || frame->pts > before->pts) before = frame.get();
    } else {
      if (!after || frame->pts < after->pts) after = frame.get();
    }
  }
  return before ? before : after;
}

}  // namespace

GstClockTime stream_time(const AnalysisWindow& window, Time time) {
  const GstSegment& segment = origin_of(window).segment;
  return clock_of(stream_time_at(segment, cut(window, time, Time(segment.start))));
}

GstClockTime running_time(const AnalysisWindow& window, Time time) {
  const GstSegment& segment = origin_of(window).segment;
  return clock_of(
      running_time_at(segment, cut(window, time, Time(segment.start + segment.offset))));
}

GstDateTime* utc_time(const AnalysisWindow& window, Time time) {
  const SampledFrame* frame = clock_frame(window, time);
  if (!frame) return nullptr;
  Time::rep utc = 0;  // of a stream's making: it may be anything
  if (__builtin_add_overflow(frame->utc->count(), (time - frame->pts).count(), &utc))
    return nullptr;
  const auto micro = std::chrono::floor<std::chrono::microseconds>(Time(utc));
  return gst_date_time_new_from_unix_epoch_utc_usecs(micro.count());
}

}  // namespace vidi
