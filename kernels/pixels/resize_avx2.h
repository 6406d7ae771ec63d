// resize_passes.h for AVX2. Call only where cpu_has_avx2().
#pragma once

#include "kernels/pixels/resize_passes.h"

namespace vidi {

extern const ResizePasses kAvx2Passes;

}  // namespace vidi
