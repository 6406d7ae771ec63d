#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kernels/pixels/avx2.h"

namespace vidi {
namespace {

// AVX2 is used where the processor has it, unless glibc was told to leave it out: so the suites
// named `-plain` really run the plain loops.
TEST(Avx2, IsUsedUnlessDenied) {
#if defined(VIDI_HAS_AVX2_CODE) && defined(__GLIBC__)
  const char* told = std::getenv("GLIBC_TUNABLES");
  const bool is_denied = told && std::string(told).find("-AVX2") != std::string::npos;
  EXPECT_EQ(cpu_has_avx2(), __builtin_cpu_supports("avx2") && !is_denied);
  EXPECT_EQ(cpu_has_fma(), __builtin_cpu_supports("fma") && !is_denied);
#else
  EXPECT_FALSE(cpu_has_avx2());
#endif
}

}  // namespace
}  // namespace vidi
