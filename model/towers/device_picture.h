// A decoded picture that lies in a device's memory, and how it becomes one that the model takes
// without a way through the host. Torch-free.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/pixels/orientation.h"
#include "model/result.h"

namespace vidi {

// GStreamer's names. P010: 16-bit little-endian words, the ten high bits count.
enum class PixelFormat { kNv12, kP010, kI420, kRgb, kRgba, kBgra };

// Planes as GStreamer lays them out; only read during the call.
struct DevicePicture {
  struct Plane {
    const void* data = nullptr;
    size_t stride = 0;  // bytes from row to row
  };
  PixelFormat format = PixelFormat::kRgb;
  int width = 0, height = 0;
  Plane planes[3];
  Orientation orientation;  // how the picture is turned to be looked at
  bool on_host = false;     // the planes are ordinary memory: the same arithmetic, for tests

  // How Y'CbCr became of RGB; nothing to RGB formats.
  double kr = 0.2126, kb = 0.0722;  // the matrix's weights of red and blue in luma
  bool full_range = false;
  bool chroma_at_left = true;  // as in MPEG-2; else between two pixels. Always between two rows.
};

// RGB at side x side, packed and turned, to the host's `rgb`: what BicubicResize gives for RGB, bit
// for bit; Y'CbCr goes through the tables of yuv_tables.h after linear interpolation of chroma, as
// on the host. Returns when the picture was read and `rgb` is written. Thread-safe. kUnsupported in
// an engine without CUDA.
Result<bool> shrink_picture(const DevicePicture& picture, int side, uint8_t* rgb) noexcept;

}  // namespace vidi
