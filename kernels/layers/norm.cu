// RMS norms with the residual sum before them: one block a row, 8 numbers a thread, everything
// rounded where kernels/layers/norm.cpp rounds it.
#include <cuda_runtime.h>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/layers/norm_launch.h"

namespace vidi {
namespace {

// x = norm(x) * weight; of a thread without numbers, x is 0.
template <typename T>
__device__ void normalize(float (&x)[8], const T* weight, const NormTask& task, bool has_numbers,
                          float* shared) {
  float squares = 0;
#pragma unroll
  for (int i = 0; i < 8; ++i) squares += x[i] * x[i];
  const float factor = rsqrtf(block_sum(squares, shared) / task.width + task.eps);
  float w[8] = {};
  if (weight && has_numbers) load8(w, weight + threadIdx.x * 8);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const float unit = x[i] * factor;
    if (!weight) {
      x[i] = rounded<T>(unit);
    } else if (task.weight_offset) {
      x[i] = rounded<T>(unit * (w[i] + 1));
    } else {
      x[i] = rounded<T>(rounded<T>(unit) * w[i]);
    }
  }
}

template <typename T>
__global__ void norm_rows(const __grid_constant__ NormTask task) {
  __shared__ float shared[32];
  let_next_start();
  wait_for_previous();
  const bool has_numbers = static_cast<int>(threadIdx.x) * 8 < task.width;
  const int64_t at = int64_t{blockIdx.x} * task.width + threadIdx.x * 8;
  float x[8] = {};
  if (has_numbers) load8(x, static_cast<const T*>(task.x) + at);
  if (task.added) {
    float y[8] = {};
    if (has_numbers) load8(y, static_cast<const T*>(task.added) + at);
    if (task.added_weight) {
      normalize(y, static_cast<const T*>(task.added_weight), task, has_numbers, shared);
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) x[i] = rounded<T>(x[i] + y[i]);
    if (has_numbers) store8(static_cast<T*>(task.sum) + at, x);
  }
  if (!task.normalized) return;
  normalize(x, static_cast<const T*>(task.weight), task, has_numbers, shared);
  if (has_numbers) store8(static_cast<T*>(task.normalized) + at, x);
}

}  // namespace

void launch_norm(const NormTask& task, ElementType type, void* stream) {
  const auto kernel = type == ElementType::kHalf ? norm_rows<__half> : norm_rows<__nv_bfloat16>;
  const int threads = (task.width / 8 + 31) / 32 * 32;
  start_early("rms_norm", kernel, dim3(static_cast<unsigned>(task.rows)), threads, 0, stream, task);
}

}  // namespace vidi
