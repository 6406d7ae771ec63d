// yuv_row() of bytes for AVX2. Call only where cpu_has_avx2().
#pragma once

#include "kernels/pixels/yuv_rows.h"

namespace vidi {

// Sixteen pixels at a time; returns how many are done.
int yuv_bytes_avx2(const YuvLines<uint8_t>& lines, const uint8_t* y, const ChromaRows<uint8_t>& u,
                   const ChromaRows<uint8_t>& v, int width, uint8_t* planes);

}  // namespace vidi
