// The door of the CUDA kernel that packs keys and values; what holds for all doors:
// kernels/cuda/element_type.h. Head sizes of attention_kernel_has.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"

namespace vidi {

// KeyMatrix::put: contiguous rows [n, heads * head_dim] as numbers [heads, n, head_dim] and scales
// [heads, n].
struct PackKeysTask {
  const void* rows = nullptr;
  int8_t* numbers = nullptr;
  void* scales = nullptr;
  int64_t head_stride = 0, scale_stride = 0;  // elements from head to head of these
  int64_t n = 0;
  int heads = 0, head_dim = 0;
  bool turns = false;  // keys
};
void launch_pack_keys(const PackKeysTask& task, ElementType type, void* stream);

}  // namespace vidi
