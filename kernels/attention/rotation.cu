// The Hadamard rotation of a head (rotation.h) in a warp's registers, and numbers of 8 bits. A lane
// has neighbouring numbers of its head: the stages between them are its own, the others go through
// shuffles.
#include <cuda_runtime.h>

#include "kernels/attention/rotation_launch.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/vector.cuh"

namespace vidi {
namespace {

constexpr int kWarps = 8, kThreads = 32 * kWarps;
constexpr unsigned kAll = 0xffffffffu;

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
      const float other = __shfl_xor_sync(kAll, x[i], step);
      x[i] = lane & step ? other - x[i] : x[i] + other;
    }
  }
}

// The lane's numbers of a head.
template <typename T, int N>
__device__ __forceinline__ void load(float (&x)[N], const T* head) {
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

// The warp's head among `n` of them, or -1.
__device__ __forceinline__ int64_t own_head(int64_t n) {
  const int64_t head = int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  return head < n ? head : -1;
}

// Together with the keys' factor 1 / order (Rotation's constructor).
template <int N>
constexpr float kQueryFactor = 1.0f / 16;
template <int N>
constexpr float kKeyFactor = N == 8 ? 1.0f / 16 : 1.0f / 8;

template <typename T, int N>
__global__ void turn_queries(const __grid_constant__ TurnTask task) {
  const int64_t head = own_head(task.rows * task.heads);
  if (head < 0) return;
  float x[N];
  load<T, N>(x, static_cast<const T*>(task.q) + head / task.heads * task.row_stride +
                    head % task.heads * 32 * N);
  rotate(x);
  T* out = static_cast<T*>(task.out) + head * 32 * N;
  const int first = threadIdx.x % 32 * N;
#pragma unroll
  for (int i = 0; i < N; i += 2) {
    *reinterpret_cast<uint32_t*>(out + query_place(first + i)) =
        pack<T>(x[i] * kQueryFactor<N>, x[i + 1] * kQueryFactor<N>);
  }
}

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
  const int64_t head = own_head(task.n * task.heads);
  if (head < 0) return;
  float x[N];
  load<T, N>(x, static_cast<const T*>(task.rows) + head * 32 * N);
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
  int8_t* to = task.numbers + head * 32 * N + lane * N;
  if constexpr (N == 8) {
    *reinterpret_cast<uint2*>(to) = *reinterpret_cast<const uint2*>(q);
  } else {
    *reinterpret_cast<uint32_t*>(to) = *reinterpret_cast<const uint32_t*>(q);
  }
  if (lane == 0) static_cast<T*>(task.scales)[head] = scale;
}

template <typename Task>
void go(const char* what, void (*kernel)(Task), const Task& task, int64_t heads, void* stream) {
  const auto blocks = static_cast<unsigned>((heads + kWarps - 1) / kWarps);
  if (blocks > 0) start(what, kernel, dim3(blocks), kThreads, 0, stream, task);
}

}  // namespace

void launch_turn_queries(const TurnTask& task, ElementType type, void* stream) {
  const bool half = type == ElementType::kHalf, wide = task.head_dim == 256;
  const auto kernel =
      half ? (wide ? turn_queries<__half, 8> : turn_queries<__half, 4>)
           : (wide ? turn_queries<__nv_bfloat16, 8> : turn_queries<__nv_bfloat16, 4>);
  go("turn_queries", kernel, task, task.rows * task.heads, stream);
}

void launch_pack_keys(const PackKeysTask& task, ElementType type, void* stream) {
  const bool half = type == ElementType::kHalf, wide = task.head_dim == 256;
  const auto kernel = half ? (wide ? pack_keys<__half, 8> : pack_keys<__half, 4>)
                           : (wide ? pack_keys<__nv_bfloat16, 8> : pack_keys<__nv_bfloat16, 4>);
  go("pack_keys", kernel, task, task.n * task.heads, stream);
}

}  // namespace vidi
