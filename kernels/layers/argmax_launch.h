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

// pick.h: logits [rows, width], float32 too; workspace of 3 floats for each row and part.
constexpr int kPickParts = 64;
struct PickTask {
  const void* logits = nullptr;
  int rows = 0, width = 0;
  int64_t* ids = nullptr;     // [rows]
  float* for_host = nullptr;  // [2, rows]
  void* workspace = nullptr;
};
void launch_pick(const PickTask& task, ElementType type, void* stream);

}  // namespace vidi
