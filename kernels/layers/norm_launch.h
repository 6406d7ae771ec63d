// The door of a CUDA kernel; what holds for all of them: kernels/cuda/element_type.h.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"

namespace vidi {

constexpr int kMaxNormWidth = 8192;  // numbers of a row, of layer norms too

// norm.h: sum = x + added (itself normalised if it has a weight), normalized = norm(sum). Rows of
// `width` numbers, a multiple of 8.
struct NormTask {
  const void* x = nullptr;
  const void* added = nullptr;         // null: sum is x and is not stored
  const void* added_weight = nullptr;  // null: added as it is
  const void* weight = nullptr;        // null: 1
  void* sum = nullptr;
  void* normalized = nullptr;  // null: not wanted
  int64_t rows = 0;
  int width = 0;
  float eps = 0;
  bool weight_offset = false;
};
void launch_norm(const NormTask& task, ElementType type, void* stream);

}  // namespace vidi
