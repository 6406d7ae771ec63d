// Rotary embedding of a text's queries and keys, and its keys and values into their slots, in one
// go: a thread turns 8 pairs or copies 8 values. Rounded where kernels/layers/rope.cpp rounds.
#include <cuda_runtime.h>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/layers/rope_launch.h"

namespace vidi {
namespace {

constexpr int kThreads = 128;

// to[d], to[d + half] = from's pair turned by the angle of `position`, for 8 dimensions d.
template <typename T>
__device__ void turn8(T* to, const T* from, const RopeTask& task, int64_t position, int d) {
  const int half = task.head_dim / 2;
  float low[8], high[8], cos[8], sin[8], turned_low[8], turned_high[8];
  load8(low, from + d);
  load8(high, from + half + d);
  load8(cos, static_cast<const T*>(task.cos) + position * half + d);
  load8(sin, static_cast<const T*>(task.sin) + position * half + d);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    turned_low[i] = rounded<T>(low[i] * cos[i]) - rounded<T>(high[i] * sin[i]);
    turned_high[i] = rounded<T>(high[i] * cos[i]) + rounded<T>(low[i] * sin[i]);
  }
  store8(to + d, turned_low);
  store8(to + half + d, turned_high);
}

template <typename T>
__global__ void turn_rows(const __grid_constant__ RopeTask task) {
  let_next_start();
  wait_for_previous();
  const int row = blockIdx.x, dim = task.head_dim;
  const int64_t position = task.positions[row];
  if (position < 0 || position >= task.slots || position >= task.table_rows) return;
  const int turns = dim / 16, copies = dim / 8;  // threads for a head
  int item = static_cast<int>(blockIdx.y) * kThreads + threadIdx.x;

  if (item < task.heads * turns) {
    const int head = item / turns;
    turn8(static_cast<T*>(task.turned) + (int64_t{row} * task.heads + head) * dim,
          static_cast<const T*>(task.q) + row * task.q_stride + head * dim, task, position,
          item % turns * 8);
    return;
  }
  item -= task.heads * turns;
  const bool is_key = item < task.kv_heads * turns;
  if (!is_key) item -= task.kv_heads * turns;
  const int head = item / (is_key ? turns : copies);
  if (head >= task.kv_heads) return;
  const int64_t slot =
      ((int64_t{row / task.queries} * task.kv_heads + head) * task.slots + position) * dim;
  if (is_key) {
    turn8(static_cast<T*>(task.key) + slot,
          static_cast<const T*>(task.k) + row * task.k_stride + head * dim, task, position,
          item % turns * 8);
  } else {
    const int d = item % copies * 8;
    *reinterpret_cast<uint4*>(static_cast<T*>(task.value) + slot + d) =
        *reinterpret_cast<const uint4*>(static_cast<const T*>(task.v) + row * task.v_stride +
                                        head * dim + d);
  }
}

}  // namespace

void launch_rope(const RopeTask& task, ElementType type, void* stream) {
  const auto kernel = type == ElementType::kHalf ? turn_rows<__half> : turn_rows<__nv_bfloat16>;
  const int items =
      (task.heads + task.kv_heads) * (task.head_dim / 16) + task.kv_heads * (task.head_dim / 8);
  const dim3 grid(static_cast<unsigned>(task.rows),
                  static_cast<unsigned>((items + kThreads - 1) / kThreads));
  start_early("rope", kernel, grid, kThreads, 0, stream, task);
}

}  // namespace vidi
