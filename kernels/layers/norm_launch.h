// The door of a CUDA kernel: plain C++ with raw pointers, so that the operation needs neither a
// toolkit nor `#if`. The .cu file is behind it, or launch_stub.cpp in a build without nvcc.
//
// A launch goes to the current device, on `stream` (a cudaStream_t), and returns at once; it
// allocates nothing and reads no device memory, so a CUDA graph can record it. One that CUDA
// refuses throws std::runtime_error. All pointers are multiples of 16 bytes.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"

namespace vidi {

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
