// From a buffer of the video pad to a kept picture. The streaming thread only takes a reference;
// copying
// (`grab`) and converting (`finish`) are done by the element's analysis thread.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <string>

#include "gst/analysis_window.h"
#include "model/result.h"

namespace vidi {

// A copy of one buffer's picture in memory of our own, raw as it came.
class GrabbedPicture {
 public:
  virtual ~GrabbedPicture() = default;
  // RGB at side x side, exactly as the model's own preprocessing would resize the full picture. The
  // frame's pts and utc are the caller's to fill in.
  virtual Result<std::shared_ptr<SampledFrame>> finish(int side) = 0;
};

// Reads the buffers of one caps. One thread at a time.
class PictureReader {
 public:
  virtual ~PictureReader() = default;
  // Copies the picture out of `buffer`, which is not kept.
  virtual Result<std::unique_ptr<GrabbedPicture>> grab(GstBuffer* buffer) = 0;

  // For `video/x-raw` in every format GstVideoConverter reads, in system memory (any memory that
  // maps for reading). kUnsupported with one sentence for other caps.
  static Result<std::unique_ptr<PictureReader>> make(const GstCaps* caps);
};

// Caps of the video pads: all formats in system memory, and those of CUDA memory when built with
// it.
GstCaps* video_template_caps();

}  // namespace vidi
