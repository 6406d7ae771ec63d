// Eight half-precision numbers at a time, as floats, and sums over a block.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

namespace vidi {

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__half x) { return __half2float(x); }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ __half from_float<__half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

// What x becomes where the plain version keeps it in T between two steps.
template <typename T>
__device__ __forceinline__ float rounded(float x) {
  return to_float(from_float<T>(x));
}

// `from` and `to` at multiples of 16 bytes.
template <typename T>
__device__ __forceinline__ void load8(float (&x)[8], const T* from) {
  const uint4 raw = *reinterpret_cast<const uint4*>(from);
  const T* parts = reinterpret_cast<const T*>(&raw);
#pragma unroll
  for (int i = 0; i < 8; ++i) x[i] = to_float(parts[i]);
}

template <typename T>
__device__ __forceinline__ void store8(T* to, const float (&x)[8]) {
  uint4 raw;
  T* parts = reinterpret_cast<T*>(&raw);
#pragma unroll
  for (int i = 0; i < 8; ++i) parts[i] = from_float<T>(x[i]);
  *reinterpret_cast<uint4*>(to) = raw;
}

// Over all threads of a block of whole warps; `shared` has 32 floats. Every thread gets the sum.
__device__ __forceinline__ float block_sum(float x, float* shared) {
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, n_warps = blockDim.x / 32;
  if (lane == 0) shared[warp] = x;
  __syncthreads();
  x = lane < n_warps ? shared[lane] : 0;
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
  __syncthreads();  // `shared` may be used again
  return x;
}

}  // namespace vidi
