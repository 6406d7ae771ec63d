// The door of a CUDA kernel: plain C++ with raw pointers, so that the operation needs neither a
// toolkit nor `#if`. The .cu file is behind it, or launch_stub.cpp in a build without nvcc.
//
// A launch goes to the current device, on `stream` (a cudaStream_t), and returns at once; it
// allocates nothing and reads no device memory, so a CUDA graph can record it. One that CUDA
// refuses throws std::runtime_error. All pointers are multiples of 16 bytes.
#pragma once

#include <cstdint>

#include "kernels/activation.h"
#include "kernels/cuda/element_type.h"

namespace vidi {

// gated_mlp.h: out [rows, width] = act(gate) * up; strides in elements, all multiples of 8.
struct GateTask {
  const void* gate = nullptr;
  const void* up = nullptr;
  void* out = nullptr;
  int64_t rows = 0, gate_stride = 0, up_stride = 0;
  int width = 0;
  Activation activation = Activation::kGeluTanh;
};
void launch_gate(const GateTask& task, ElementType type, void* stream);

}  // namespace vidi
