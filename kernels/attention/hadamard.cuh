// The Hadamard rotation of a head (rotation.h) in a warp's registers. A lane has neighbouring
// numbers of its head: the stages between them are its own, the others go through shuffles.
#pragma once

#include "kernels/cuda/vector.cuh"

namespace vidi {

// x = x * the Hadamard matrix of order 32 * N (Sylvester's), not scaled.
template <int N>
__device__ __forceinline__ void rotate(float (&x)[N]) {
#pragma unroll
  for (int step = 1; step < N; step *= 2) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      if (i & step) continue;
      const float a = x[i], b = x[i + step];
      x[i] = a + b, x[i + step] = a - b;
    }
  }
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const float other = __shfl_xor_sync(0xffffffffu, x[i], step);
      x[i] = lane & step ? other - x[i] : x[i] + other;
    }
  }
}

// The factors of Rotation's matrices, together 1 / order.
template <int N>
constexpr float kQueryFactor = 1.0f / 16;
template <int N>
constexpr float kKeyFactor = N == 8 ? 1.0f / 16 : 1.0f / 8;

// The lane's numbers of a head.
template <typename T, int N>
__device__ __forceinline__ void load_head(float (&x)[N], const T* head) {
  static_assert(N == 4 || N == 8);
  const int lane = threadIdx.x % 32;
  T raw[N];
  if constexpr (N == 8) {
    *reinterpret_cast<uint4*>(raw) = reinterpret_cast<const uint4*>(head)[lane];
  } else {
    *reinterpret_cast<uint2*>(raw) = reinterpret_cast<const uint2*>(head)[lane];
  }
#pragma unroll
  for (int i = 0; i < N; ++i) x[i] = to_float(raw[i]);
}

}  // namespace vidi
