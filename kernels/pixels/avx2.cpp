#include "kernels/pixels/avx2.h"

#if defined(VIDI_HAS_AVX2_CODE) && __has_include(<sys/platform/x86.h>)
#ifdef __clang__
#define _Bool bool  // the header is C's, and to clang that is no word of C++
#endif
#include <sys/platform/x86.h>
#define HAS(feature, name) CPU_FEATURE_ACTIVE(feature)
#elif defined(VIDI_HAS_AVX2_CODE)
#define HAS(feature, name) __builtin_cpu_supports(name)
#else
#define HAS(feature, name) false
#endif

namespace vidi {

bool cpu_has_avx2() { return HAS(AVX2, "avx2"); }

bool cpu_has_fma() { return HAS(FMA, "fma") && cpu_has_avx2(); }

}  // namespace vidi
