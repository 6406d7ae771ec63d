#include <ATen/DeviceAccelerator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDACachingAllocator.h>

#include <algorithm>

#include "model/device/memory_limit.h"

namespace vidi {

// The allocator takes a share of the whole device. What is cached goes first, or a limit below what
// is cached by now would hold for new memory only.
void cap_allocator(c10::Device device, int64_t bytes) {
  c10::DeviceGuard guard(device);  // setMemoryFraction leaves its device the current one
  const auto total = static_cast<double>(at::accelerator::getMemoryInfo(device.index()).second);
  if (bytes > 0) c10::cuda::CUDACachingAllocator::emptyCache();
  const double share = bytes > 0 ? std::min(1.0, static_cast<double>(bytes) / total) : 1.0;
  c10::cuda::CUDACachingAllocator::setMemoryFraction(share, device.index());
}

}  // namespace vidi
