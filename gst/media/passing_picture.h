// A picture on its way from a buffer that passes to one that is kept, as WindowFeed sees it. No
// GStreamer: gst/media/picture.h makes them of buffers.
#pragma once

#include <functional>
#include <memory>

#include "gst/media/samples.h"
#include "model/result.h"

namespace vidi {

// A copy of one buffer's picture in memory of our own, raw as it came.
class GrabbedPicture {
 public:
  virtual ~GrabbedPicture() = default;
  // RGB at side x side, exactly as the model's own preprocessing would resize the full picture as
  // it is looked at, turned. The frame's pts and utc are the caller's to fill in.
  virtual Result<std::shared_ptr<SampledFrame>> finish(int side) = 0;
};

// A reference to a buffer, and how it is read; giving it up gives the buffer back.
class PassingPicture {
 public:
  virtual ~PassingPicture() = default;
  virtual Result<std::unique_ptr<GrabbedPicture>> grab() = 0;  // one thread at a time
};

// Refers to the buffer that passes now. Most pictures that pass are not looked at, and cost
// nothing.
using TakePassing = std::function<std::unique_ptr<PassingPicture>()>;

}  // namespace vidi
