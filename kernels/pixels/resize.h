// PIL's antialiased BICUBIC resize of RGB frames, bit for bit. CPU; torch-free.
//
// a = -0.5, support scaled by the shrink factor, fixed-point weights of 22 bits, each pass rounded
// to uint8. Rows are filtered before columns, except that columns come first when height - side >
// max(0, 2 * (width - side)), as in Pillow 13. A picture that is stored on its side comes out
// upright, with the bits of the upright picture's resize: see Note [Turned pictures].
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/pixels/resize_passes.h"

namespace vidi {

// A picture that is read from the top, each row once, so that nobody holds all of it.
class RgbRows {
 public:
  virtual ~RgbRows() = default;
  // Writes row y: `width` bytes of red, then of green, then of blue.
  virtual void read(int y, uint8_t* planes) = 0;
};

// For picture after picture of one size. One thread at a time.
class BicubicResize {
 public:
  // Sizes, of the picture as it is stored, are 1..32768; anything else throws
  // std::invalid_argument.
  BicubicResize(int width, int height, int side, const Orientation& orientation = {},
                const ResizePasses& passes = best_passes());
  int side() const { return side_; }
  // To `target`: [side, side, 3], packed.
  void run(RgbRows& source, uint8_t* target);

 private:
  void rows_first(RgbRows& source, uint8_t* target);
  void columns_first(RgbRows& source, uint8_t* target);
  void read(RgbRows& source, int y, int n_rows, uint8_t* rows) const;

  const int width_, height_, side_;
  const Orientation orientation_;
  const ResizePasses& passes_;
  AcrossTaps across_;
  const Taps down_;
  std::vector<uint8_t> strip_, window_;  // kept for the next picture
};

// Resizes RGB `source` (width * height pixels, rows `source_stride` bytes apart) to `target`
// ([side, side, 3], packed). Sizes are 1..32768; anything else throws std::invalid_argument.
// Thread-safe.
void resize_bicubic(const uint8_t* source, int width, int height, size_t source_stride,
                    uint8_t* target, int side);

}  // namespace vidi
