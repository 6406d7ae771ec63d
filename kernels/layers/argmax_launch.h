// The door of a CUDA kernel; what holds for all of them: kernels/cuda/element_type.h.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"

namespace vidi {

// argmax.h: logits [rows, width], float32 too; workspace of 3 floats for each row and part.
constexpr int kArgmaxParts = 64;
struct ArgmaxTask {
  const void* logits = nullptr;
  int rows = 0, width = 0;
  int64_t* ids = nullptr;     // [rows]
  float* for_host = nullptr;  // [2, rows]
  void* workspace = nullptr;
};
void launch_argmax(const ArgmaxTask& task, ElementType type, void* stream);

}  // namespace vidi
