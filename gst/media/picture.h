// From a buffer of the video pad to a kept picture. The streaming thread only takes a reference;
// copying (`grab`) and converting (`finish`) are done by the element's analysis thread.
#pragma once

#include <gst/video/video.h>

#include <functional>
#include <memory>
#include <string>

#include "gst/media/passing_picture.h"
#include "model/result.h"
#include "model/towers/device_picture.h"

namespace vidi {

// How pictures in a device's memory become small without a way through the host. Without `shrink`
// they take that way.
struct DeviceReading {
  Result<bool> (*shrink)(const DevicePicture&, int side, uint8_t* rgb) noexcept = nullptr;
  std::function<int()> side = {};  // of the model's pictures; asked once, with the first picture
};

// Reads the buffers of one caps, shown one way up. One thread at a time.
class PictureReader {
 public:
  virtual ~PictureReader() = default;
  // Copies the picture out of `buffer`, which is not kept.
  virtual Result<std::unique_ptr<GrabbedPicture>> grab(GstBuffer* buffer) = 0;

  // For `video/x-raw` in every format GstVideoConverter reads, in system memory (any memory that
  // maps for reading), and for those of cuda_template_caps(). kUnsupported with one sentence for
  // other caps. `orientation`: how the caps' pictures are to be turned.
  static Result<std::unique_ptr<PictureReader>> make(const GstCaps* caps,
                                                     const DeviceReading& device = {},
                                                     const Orientation& orientation = {});
};

// `buffer`, which is referenced, to be read by `reader`.
std::unique_ptr<PassingPicture> passing_picture(std::shared_ptr<PictureReader> reader,
                                                GstBuffer* buffer);

// Caps of the video pads: all formats in system memory, and those of CUDA memory when built with
// it.
GstCaps* video_template_caps();

}  // namespace vidi
