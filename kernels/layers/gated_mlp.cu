// act(gate) * up, 8 numbers a thread, rounded between the two as kernels/layers/gated_mlp.cpp does.
#include <cuda_runtime.h>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/layers/gated_mlp_launch.h"

namespace vidi {
namespace {

constexpr int kThreads = 256;

// The same terms as ATen's, in float32.
template <Activation kActivation>
__device__ float activate(float x) {
  if constexpr (kActivation == Activation::kGeluTanh) {
    constexpr float kSqrt2OverPi = 0.7978845608028654f;
    return 0.5f * x * (1 + tanhf(kSqrt2OverPi * (x + 0.044715f * x * x * x)));
  } else if constexpr (kActivation == Activation::kGelu) {
    return 0.5f * x * (1 + erff(x * 0.7071067811865476f));
  } else {
    return x / (1 + expf(-x));
  }
}

template <typename T, Activation kActivation>
__global__ void gate_rows(const __grid_constant__ GateTask task) {
  let_next_start();
  wait_for_previous();
  const int64_t chunk = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int chunks = task.width / 8;
  if (chunk >= task.rows * chunks) return;
  const int64_t row = chunk / chunks, column = chunk % chunks * 8;
  float gate[8], up[8];
  load8(gate, static_cast<const T*>(task.gate) + row * task.gate_stride + column);
  load8(up, static_cast<const T*>(task.up) + row * task.up_stride + column);
#pragma unroll
  for (int i = 0; i < 8; ++i) gate[i] = rounded<T>(activate<kActivation>(gate[i])) * up[i];
  store8(static_cast<T*>(task.out) + row * task.width + column, gate);
}

template <typename T>
void launch_typed(const GateTask& task, void* stream) {
  const auto kernel = task.activation == Activation::kGeluTanh ? gate_rows<T, Activation::kGeluTanh>
                      : task.activation == Activation::kGelu   ? gate_rows<T, Activation::kGelu>
                                                               : gate_rows<T, Activation::kSilu>;
  const int64_t blocks = (task.rows * (task.width / 8) + kThreads - 1) / kThreads;
  start_early("gated activation", kernel, dim3(static_cast<unsigned>(blocks)), kThreads, 0, stream,
              task);
}

}  // namespace

void launch_gate(const GateTask& task, ElementType type, void* stream) {
  type == ElementType::kHalf ? launch_typed<__half>(task, stream)
                             : launch_typed<__nv_bfloat16>(task, stream);
}

}  // namespace vidi
