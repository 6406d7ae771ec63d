// Pictures in CUDA memory: their caps, and a reader that leaves them on the device. Built from
// cuda_memory.cpp with gstreamer-cuda, else from cuda_stub.cpp, which knows no such caps.
#pragma once

#include <gst/video/video.h>

#include <memory>

#include "gst/media/picture.h"

namespace vidi {

// video/x-raw(memory:CUDAMemory) in the formats that DevicePicture knows; empty caps without CUDA.
GstCaps* cuda_template_caps();

// Of the first structure.
bool in_cuda_memory(const GstCaps* caps);

// Shrinks pictures where they are, and turns them. What the engine cannot shrink (it has no CUDA,
// the picture is interlaced, the buffer is in ordinary memory after all) goes to `download`, a
// reader that maps for the host.
std::unique_ptr<PictureReader> make_cuda_reader(const GstVideoInfo& info, DeviceReading device,
                                                const Orientation& orientation,
                                                std::unique_ptr<PictureReader> download);

}  // namespace vidi
