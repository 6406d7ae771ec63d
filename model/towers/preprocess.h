// Pictures and samples as the towers take them. vidi-model page, sections 1 and 4.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "model/window.h"

namespace vidi {

// Resized on the CPU, normalised to -1..1 in float32 on the device, cast: [frames, 3, side, side].
at::Tensor make_pixels(const Frame* frames, size_t n_frames, int side, at::Device device,
                       at::ScalarType dtype);

// Whisper's log-mel features of at most 30 s: [1, n_mels, 3000].
at::Tensor make_mel(const float* samples, int n, int n_mels, at::Device device,
                    at::ScalarType dtype);

}  // namespace vidi
