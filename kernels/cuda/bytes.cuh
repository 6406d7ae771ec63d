// Numbers of 8 bits as numbers of half precision, two at a time and without a conversion
// instruction where there is a trick.
#pragma once

#include <type_traits>

#include "kernels/cuda/mma.cuh"

namespace vidi {

template <int kLow, int kHigh>
__device__ __forceinline__ uint32_t two_halves_of(uint32_t bytes) {
  // 0x64uu is 1024 + u; 0x6480 is 1152.
  const __half2 offset = __half2half2(__ushort_as_half(0x6480));
  const uint32_t raw = __byte_perm(bytes, 0x64646464u, 0x4040 | kHigh << 8 | kLow);
  const __half2 q = __hsub2(*reinterpret_cast<const __half2*>(&raw), offset);
  return *reinterpret_cast<const uint32_t*>(&q);
}

// 0x4b0000uu is 2^23 + u: bf16 itself has no room for 256 steps above a power of two.
template <int kLow, int kHigh>
__device__ __forceinline__ uint32_t two_bfloats_of(uint32_t bytes) {
  const float low = __uint_as_float(__byte_perm(bytes, 0x4b000000u, 0x7440 | kLow));
  const float high = __uint_as_float(__byte_perm(bytes, 0x4b000000u, 0x7440 | kHigh));
  return pack<__nv_bfloat16>(low - 8388736.0f, high - 8388736.0f);
}

// Bytes kLow and kHigh of four numbers q + 128, as q in T: two in one register.
template <typename T, int kLow, int kHigh>
__device__ __forceinline__ uint32_t two_of(uint32_t bytes) {
  if constexpr (std::is_same_v<T, __half>) {
    return two_halves_of<kLow, kHigh>(bytes);
  } else {
    return two_bfloats_of<kLow, kHigh>(bytes);
  }
}

}  // namespace vidi
