// Layer norms with the residual sum before them: one block a row, 8 numbers a thread, everything
// rounded where kernels/layers/layer_norm.cpp rounds it.
#include <cuda_runtime.h>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/layers/layer_norm_launch.h"

namespace vidi {
namespace {

// x = x + added as the rows keep it, for the threads that have numbers.
template <typename T>
__device__ void add_rows(float (&x)[8], const LayerNormTask& task, int64_t at) {
  float added[8];
  load8(x, static_cast<const T*>(task.x) + at);
  load8(added, static_cast<const T*>(task.added) + at);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    x[i] = rounded<T>(x[i] + added[i]);
    // Not fminf and fmaxf: they would hide what is not a number.
    if (task.limit > 0 && x[i] > task.limit) x[i] = task.limit;
    if (task.limit > 0 && x[i] < -task.limit) x[i] = -task.limit;
  }
  store8(static_cast<T*>(task.sum) + at, x);
}

template <typename T>
__global__ void layer_norm_rows(const __grid_constant__ LayerNormTask task) {
  __shared__ float shared[32];
  const bool has_numbers = static_cast<int>(threadIdx.x) * 8 < task.width;
  const int64_t at = int64_t{blockIdx.x} * task.width + threadIdx.x * 8;
  float x[8] = {};
  if (has_numbers) add_rows<T>(x, task, at);
  if (!task.normalized) return;
  float total = 0, squares = 0;
#pragma unroll
  for (int i = 0; i < 8; ++i) total += x[i];
  const float mean = block_sum(total, shared) / task.width;
#pragma unroll
  for (int i = 0; i < 8; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float variance = block_sum(has_numbers ? squares : 0, shared) / task.width;
  if (!has_numbers) return;
  const float factor = rsqrtf(variance + task.eps);
  float weight[8], bias[8];
  load8(weight, static_cast<const T*>(task.weight) + threadIdx.x * 8);
  load8(bias, static_cast<const T*>(task.bias) + threadIdx.x * 8);
#pragma unroll
  for (int i = 0; i < 8; ++i) x[i] = (x[i] - mean) * factor * weight[i] + bias[i];
  store8(static_cast<T*>(task.normalized) + at, x);
}

}  // namespace

void launch_layer_norm(const LayerNormTask& task, ElementType type, void* stream) {
  const auto kernel =
      type == ElementType::kHalf ? layer_norm_rows<__half> : layer_norm_rows<__nv_bfloat16>;
  const int threads = (task.width / 8 + 31) / 32 * 32;
  start("layer_norm", kernel, dim3(static_cast<unsigned>(task.rows)), threads, 0, stream, task);
}

}  // namespace vidi
