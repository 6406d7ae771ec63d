#include <gtest/gtest.h>

#include "kernels/cuda/dispatch.h"

namespace vidi {
namespace {

bool says(const KernelSupport& support, const std::string& part) {
  const std::string why = why_no_own_kernels(support);
  EXPECT_EQ(why.find('\n'), std::string::npos);
  return why.find(part) != std::string::npos;
}

// Nothing is said where our kernels run; else one sentence says what is missing, and what to build
// with where that helps.
TEST(Dispatch, SaysWhyOurKernelsDoNotRun) {
  for (const int capability : {80, 86, 89, 90, 120})
    EXPECT_EQ(why_no_own_kernels({true, capability, true}), "") << capability;
  EXPECT_TRUE(says({false, 0, false}, "nvcc"));
  EXPECT_TRUE(says({true, 75, false}, "need compute capability 8.0, the GPU has 7.5"));
  EXPECT_FALSE(says({true, 75, false}, "gpu_arch"));
  EXPECT_TRUE(says({true, 86, false}, "8.6"));
  EXPECT_TRUE(says({true, 86, false}, "-Dgpu_arch=86"));
  EXPECT_TRUE(says({true, 120, false}, "12.0"));
  EXPECT_TRUE(says({true, 120, false}, "-Dgpu_arch=120"));
  EXPECT_TRUE(says({true, 0, false}, "does not tell"));
}

// A build without nvcc has no limits and says so.
TEST(Dispatch, SupportAndLimitsAgree) {
  const KernelSupport support = kernel_support(0);
  EXPECT_EQ(device_limits(0).multiprocessors > 0, support.has_code);
  EXPECT_EQ(why_no_own_kernels(support).empty(), support.has_code);
}

}  // namespace
}  // namespace vidi
