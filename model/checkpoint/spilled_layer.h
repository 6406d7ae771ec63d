// A layer whose weights are not on the device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "model/checkpoint/host_image.h"

namespace vidi {

// Its tensors, whose storage holds nothing until they have a place (model/device/layer_spill.h),
// and where they lie in the image.
struct SpilledLayer {
  int64_t index = 0;  // among the decoder's layers
  std::shared_ptr<HostImage> image;
  std::vector<std::pair<at::Tensor, int64_t>> tensors;
};

}  // namespace vidi
