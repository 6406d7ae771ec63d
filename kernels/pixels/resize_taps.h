// The numbers behind Pillow's bicubic resize: which source positions each target position reads,
// and with what weights. Shared by the CPU's resize (resize.cpp) and the one on a device
// (model/towers/device_picture.cpp). Torch-free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/pixels/orientation.h"

namespace vidi {

inline constexpr int kMaxResize = 32768;  // pixels each way
// Weights are fixed-point: a sum of 8-bit pixels times weights, with overshoot, stays inside int32.
inline constexpr int kTapBits = 22;

// For each target position: the first source position it reads, how many, and their fixed-point
// weights.
struct Taps {
  int stride = 0;  // weights kept a target position
  std::vector<int> first, count;
  std::vector<int32_t> weights;
  const int32_t* weights_of(int i) const { return &weights[static_cast<size_t>(i) * stride]; }
};
Taps make_taps(int source_size, int target_size);

// Rounding between the passes makes their order visible. Pillow 13 takes the columns first when
// that saves the row pass many rows, which upright phone videos meet.
inline bool columns_come_first(int width, int height, int side) {
  return height > side && height - side > 2 * (width - side);
}

// The same of a stored picture that is turned afterwards, so that its passes come in the turned
// picture's order: see Note [Turned pictures].
inline bool columns_come_first(int width, int height, int side, const Orientation& orientation) {
  if (!orientation.transposed) return columns_come_first(width, height, side);
  return !columns_come_first(height, width, side);
}

}  // namespace vidi
