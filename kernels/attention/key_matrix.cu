// Keys and values of 8 bits: a warp packs a head of a token.
#include <cuda_runtime.h>

#include "kernels/attention/hadamard.cuh"
#include "kernels/attention/key_matrix_launch.h"
#include "kernels/cuda/launch.cuh"

namespace vidi {
namespace {

constexpr int kWarps = 8, kThreads = 32 * kWarps;
constexpr unsigned kAll = 0xffffffffu;

// The largest size of a head's numbers; not a number where one of them is not finite.
template <int N>
__device__ __forceinline__ float largest_of(const float (&x)[N]) {
  float largest = 0;
  bool finite = true;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    largest = fmaxf(largest, fabsf(x[i]));
    finite = finite && isfinite(x[i]);
  }
  for (int step = 16; step > 0; step /= 2)
    largest = fmaxf(largest, __shfl_xor_sync(kAll, largest, step));
  return __all_sync(kAll, finite) ? largest : NAN;
}

template <typename T, int N>
__global__ void pack_keys(const __grid_constant__ PackKeysTask task) {
  const int64_t own = int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;  // [token, head]
  if (own >= task.n * task.heads) return;
  const int64_t token = own / task.heads, head = own % task.heads;
  float x[N];
  load_head<T, N>(x, static_cast<const T*>(task.rows) + own * 32 * N);
  if (task.turns) {
    rotate(x);
#pragma unroll
    for (int i = 0; i < N; ++i) x[i] *= kKeyFactor<N>;
  }
  const T scale = from_float<T>(largest_of(x) / 127);
  const float inverse = to_float(scale) > 0 ? 1 / to_float(scale) : 0;
  int8_t q[N];
#pragma unroll
  for (int i = 0; i < N; ++i) {
    q[i] = static_cast<int8_t>(fminf(fmaxf(rintf(x[i] * inverse), -127), 127));
  }
  const int lane = threadIdx.x % 32;
  int8_t* to = task.numbers + head * task.head_stride + (token * 32 + lane) * N;
  if constexpr (N == 8) {
    *reinterpret_cast<uint2*>(to) = *reinterpret_cast<const uint2*>(q);
  } else {
    *reinterpret_cast<uint32_t*>(to) = *reinterpret_cast<const uint32_t*>(q);
  }
  if (lane == 0) static_cast<T*>(task.scales)[head * task.scale_stride + token] = scale;
}

}  // namespace

void launch_pack_keys(const PackKeysTask& task, ElementType type, void* stream) {
  const bool half = type == ElementType::kHalf, wide = task.head_dim == 256;
  const auto kernel = half ? (wide ? pack_keys<__half, 8> : pack_keys<__half, 4>)
                           : (wide ? pack_keys<__nv_bfloat16, 8> : pack_keys<__nv_bfloat16, 4>);
  const auto blocks = static_cast<unsigned>((task.n * task.heads + kWarps - 1) / kWarps);
  if (blocks > 0) start("pack_keys", kernel, dim3(blocks), kThreads, 0, stream, task);
}

}  // namespace vidi
