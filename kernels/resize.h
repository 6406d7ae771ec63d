// PIL's antialiased BICUBIC resize of RGB frames, bit for bit. CPU; torch-free.
//
// a = -0.5, support scaled by the shrink factor, fixed-point weights of 22 bits, each pass rounded
// to uint8. Rows are filtered before columns, except that columns come first when height - side >
// max(0, 2 * (width - side)), as in Pillow 13.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vidi {

// Resizes RGB `source` (width * height pixels, rows `source_stride` bytes apart) to `target`
// ([side, side, 3], packed). Sizes are 1..32768; anything else throws EngineError(kBadInput).
// Thread-safe.
void resize_bicubic(const uint8_t* source, int width, int height, size_t source_stride,
                    uint8_t* target, int side);

}  // namespace vidi
