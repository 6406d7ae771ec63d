// The stream that pictures came from, as far as windows need to know it. No GStreamer: what a
// segment is, only gst/media/segment_origin.h knows.
#pragma once

#include <optional>
#include <string>

#include "gst/media_time.h"

namespace vidi {

struct StreamOrigin {
  std::string session_id;  // one for each READY->PAUSED
  bool live = false;
  Time expected_end = kForever;  // of the video, as its PTS; kForever: nobody knows

  virtual ~StreamOrigin() = default;
  // Of a PTS of the video, also before the segment's start and behind its stop; may be negative.
  // Nothing for a stream that is not of time, or runs backwards.
  virtual std::optional<Time> running_time_at(Time pts) const = 0;
};

}  // namespace vidi
