#include "kernels/pixels/orientation.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vidi {
namespace {

struct Pixel {
  uint8_t r, g, b;
};
static_assert(sizeof(Pixel) == 3);

}  // namespace

void turn_square(uint8_t* rgb, int side, const Orientation& orientation) {
  auto* pixels = reinterpret_cast<Pixel*>(rgb);
  const auto row = [&](int y) { return pixels + static_cast<ptrdiff_t>(y) * side; };
  if (orientation.mirrored_x)
    for (int y = 0; y < side; ++y) std::reverse(row(y), row(y + 1));
  if (orientation.mirrored_y)
    for (int y = 0; y < side / 2; ++y) std::swap_ranges(row(y), row(y + 1), row(side - 1 - y));
  if (orientation.transposed)
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < y; ++x) std::swap(row(y)[x], row(x)[y]);
}

}  // namespace vidi
