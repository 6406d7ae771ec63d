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
