// The pixels of raw frames as RGB rows, for picture.cpp. One object reads the frames of one caps,
// one thread at a time.
#pragma once

#include <gst/video/video.h>

#include <memory>

#include "kernels/pixels/resize.h"
#include "model/result.h"

namespace vidi {

class FrameRows : public RgbRows {
 public:
  // Rows are this frame's from now on. It stays mapped until the last one is read.
  virtual Result<bool> start(const GstVideoFrame& frame) = 0;
};

// Every format, the whole frame at a time: GstVideoConverter unpacks and interpolates chroma,
// yuv_to_rgb.h does the arithmetic. Null when GStreamer cannot. This way defines the pixels.
std::unique_ptr<FrameRows> make_converted_rows(const GstVideoInfo& info);

// The same pixels straight from the planes, in the formats that decoders and cameras give. Null for
// the others.
std::unique_ptr<FrameRows> make_direct_rows(const GstVideoInfo& info);

}  // namespace vidi
