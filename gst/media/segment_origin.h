// The StreamOrigin of a video pad: every window's is one of these.
#pragma once

#include <gst/gst.h>

#include "gst/media/buffer_times.h"
#include "gst/media/stream_origin.h"

namespace vidi {

struct SegmentOrigin final : StreamOrigin {
  GstSegment segment;  // of the pad, when the frames passed

  std::optional<Time> running_time_at(Time pts) const override {
    return vidi::running_time_at(segment, pts);
  }
};

}  // namespace vidi
