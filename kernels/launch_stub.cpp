// A build without nvcc: no device has limits, so nobody launches.
#include <stdexcept>

#include "kernels/launch.h"

namespace vidi {

DeviceLimits device_limits(int) { return {}; }

void launch_attention(const AttentionTask&, const AttentionPlan&, ElementType, void*, void*) {
  throw std::runtime_error("this build has no CUDA kernels");
}

}  // namespace vidi
