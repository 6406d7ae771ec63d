// What the video pad knows of its stream. Guarded by the pad's stream lock; LateEnd's thread has it
// after the pad's EOS, when no other has.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <optional>
#include <string>

#include "gst/media/orientation_tags.h"
#include "gst/media/picture.h"
#include "gst/windows/frame_times.h"

namespace vidi {

// Sound, or a GAP, this far ahead of a camera's pictures says that they stand. A file's may be
// ahead by all that decoders side by side hold back, and matroskademux sends GAPs up to its sound
// and then the pictures of that time; there the next picture tells, or the end, and this only
// bounds the memory.
inline constexpr Time kPicturesMayLag = std::chrono::seconds(2);
inline constexpr Time kFilePicturesMayLag = std::chrono::minutes(30);

struct VideoStream {
  VideoStream() { gst_segment_init(&segment, GST_FORMAT_TIME); }

  Time pictures_may_lag() const { return live ? kPicturesMayLag : kFilePicturesMayLag; }

  GstSegment segment;
  guint32 seqnum = GST_SEQNUM_INVALID;  // of its SEGMENT
  std::string stream_id;
  std::optional<guint> group_id;
  std::shared_ptr<PictureReader> reader;  // of its caps; null: they cannot be read
  bool has_segment = false, live_known = false, live = false;
  bool may_lead = true;      // no grid has started: sound may have come before the first picture
  Time lead{};               // how far before its first picture the grid starts
  GstClockTime arrival = 0;  // of the last watched frame, monotonic
  FrameTimes times;
  OrientationTags tags;
};

}  // namespace vidi
