// Where a pad beside the video begins: with the video's stream and segment, at a PTS of it.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

namespace vidi {

struct StreamStart {
  std::string stream_id;
  std::optional<guint> group_id;
  GstSegment segment;
  GstClockTime position;
  guint32 seqnum;  // of the SEGMENT
};

}  // namespace vidi
