// For loops that have a version of their own for AVX2, picked when they are called: not
// target_clones, which clang and the sanitizers' runtimes do not take.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define VIDI_HAS_AVX2_CODE 1
#define VIDI_AVX2 __attribute__((target("avx2")))
#include <immintrin.h>
#endif

namespace vidi {

inline bool cpu_has_avx2() {
#ifdef VIDI_HAS_AVX2_CODE
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
#else
  return false;
#endif
}

}  // namespace vidi
