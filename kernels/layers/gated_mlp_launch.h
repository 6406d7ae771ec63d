// The door of a CUDA kernel; what holds for all of them: kernels/cuda/element_type.h.
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
