// The door of a CUDA kernel; what holds for all of them: kernels/cuda/element_type.h.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"
#include "kernels/layers/norm_launch.h"

namespace vidi {

// layer_norm.h: sum = x + added, within +-limit unless that is 0; normalized = layer norm of the
// sum. Rows of `width` numbers, a multiple of 8, at most kMaxNormWidth.
struct LayerNormTask {
  const void *x = nullptr, *added = nullptr;
  const void *weight = nullptr, *bias = nullptr;
  void* sum = nullptr;
  void* normalized = nullptr;  // null: not wanted
  int64_t rows = 0;
  int width = 0;
  float eps = 0, limit = 0;
};
void launch_layer_norm(const LayerNormTask& task, ElementType type, void* stream);

}  // namespace vidi
