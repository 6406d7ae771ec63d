// What each value of Y', Cb and Cr adds to R, G and B, in 1/65536, for one matrix and range: a
// pixel is rounded once. Shared by pictures on the host (gst/media/yuv_to_rgb.h,
// kernels/pixels/yuv_rows.h) and on a device (model/towers/device_picture.cpp). Torch-free.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace vidi {

struct YuvTables {
  static constexpr int kBits = 16;
  using Table = std::array<int32_t, 1024>;

  // `kr` and `kb` are the matrix's weights of red and blue in luma; depth is 8 or 10 bits.
  YuvTables(double kr, double kb, bool full_range, int depth) {
    const int up = 1 << (depth - 8);
    const double luma_offset = full_range ? 0 : 16 * up, chroma_offset = 128 * up;
    const double luma_scale = full_range ? 256 * up - 1 : 219 * up;
    const double chroma_scale = full_range ? 256 * up - 1 : 224 * up;
    const double kg = 1 - kr - kb;
    const auto fixed = [](double part) {
      return static_cast<int32_t>(std::lround(part * 255 * (1 << kBits)));
    };
    for (int i = 0; i < 256 * up; ++i) {
      const double y = (i - luma_offset) / luma_scale;
      const double c = (i - chroma_offset) / chroma_scale;
      luma[i] = fixed(y) + (1 << (kBits - 1));  // and a half, to round
      red_v[i] = fixed(2 * (1 - kr) * c);
      green_u[i] = fixed(-2 * (1 - kb) * kb / kg * c);
      green_v[i] = fixed(-2 * (1 - kr) * kr / kg * c);
      blue_u[i] = fixed(2 * (1 - kb) * c);
    }
  }

  Table luma{}, red_v{}, green_u{}, green_v{}, blue_u{};
};

}  // namespace vidi
