// For loops that have a version of their own for AVX2, picked when they are called: not
// target_clones, which clang and the sanitizers' runtimes do not take. Nor a compiler's switch for
// a whole file: of a std:: template that several files use the linker keeps one copy, for all of
// them.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define VIDI_HAS_AVX2_CODE 1
#define VIDI_AVX2 __attribute__((target("avx2")))
#define VIDI_FMA __attribute__((target("avx2,fma")))
#include <immintrin.h>
#endif

namespace vidi {

// Whether this processor and system have it; false elsewhere. On glibc the environment may deny it:
// with GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA any machine runs the plain loops.
bool cpu_has_avx2();
bool cpu_has_fma();  // and AVX2

}  // namespace vidi
