// Builds without CUDA's headers: there is no device whose allocator could be capped.
#include "model/device/memory_limit.h"

namespace vidi {

void cap_allocator(c10::Device, int64_t) {}

}  // namespace vidi
