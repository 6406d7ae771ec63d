// Y'CbCr pixels to RGB bytes, rounded once. For picture.cpp: GstVideoConverter brings every YUV
// and grey format to full chroma, but its own 8-bit matrix is off by up to 5.
#pragma once

#include <gst/video/video.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

namespace vidi {

// What each value of each component adds to R, G and B, in 1/65536; one matrix and range.
class YuvToRgb {
 public:
  // Null for RGB, and when the colorimetry has no luma weights. 8-bit pictures are read as VUYA,
  // deeper ones as Y410. Not as AYUV: GStreamer's shortcuts to it do not interpolate chroma, and
  // that from UYVY crashes at odd widths (1.22).
  static std::unique_ptr<YuvToRgb> make(const GstVideoInfo& info) {
    double kr = 0, kb = 0;
    if (!(GST_VIDEO_INFO_IS_YUV(&info) || GST_VIDEO_INFO_IS_GRAY(&info)) ||
        !gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &kr, &kb))
      return nullptr;
    return std::unique_ptr<YuvToRgb>(new YuvToRgb(info, kr, kb));
  }

  GstVideoFormat packing() const { return deep_ ? GST_VIDEO_FORMAT_Y410 : GST_VIDEO_FORMAT_VUYA; }

  // In place: pixels of four bytes become three, rows stay where they are.
  void apply(GstVideoFrame* frame) const {
    for (int y = 0; y < frame->info.height; ++y) {
      auto* row = static_cast<guint8*>(frame->data[0]) +
                  static_cast<size_t>(y) * static_cast<size_t>(frame->info.stride[0]);
      deep_ ? apply_to_row<true>(row, frame->info.width)
            : apply_to_row<false>(row, frame->info.width);
    }
  }

 private:
  static constexpr int kBits = 16;

  YuvToRgb(const GstVideoInfo& info, double kr, double kb)
      : deep_(gst_video_format_get_info(info.finfo->unpack_format)->depth[0] > 8) {
    gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];
    gst_video_color_range_offsets(info.colorimetry.range, gst_video_format_get_info(packing()),
                                  offset, scale);
    const double kg = 1 - kr - kb;
    const auto fixed = [](double part) {
      return static_cast<int>(std::lround(part * 255 * (1 << kBits)));
    };
    for (int i = 0; i < (deep_ ? 1024 : 256); ++i) {
      const double y = static_cast<double>(i - offset[0]) / scale[0];
      const double u = static_cast<double>(i - offset[1]) / scale[1];
      const double v = static_cast<double>(i - offset[2]) / scale[2];
      luma_[i] = fixed(y) + (1 << (kBits - 1));  // and a half, to round
      red_v_[i] = fixed(2 * (1 - kr) * v);
      green_u_[i] = fixed(-2 * (1 - kb) * kb / kg * u);
      green_v_[i] = fixed(-2 * (1 - kr) * kr / kg * v);
      blue_u_[i] = fixed(2 * (1 - kb) * u);
    }
  }

  template <bool deep>
  void apply_to_row(guint8* row, int width) const {
    const auto byte = [](int value) {
      return static_cast<guint8>(std::clamp(value >> kBits, 0, 255));
    };
    for (int x = 0; x < width; ++x) {
      const guint8* in = row + 4 * static_cast<size_t>(x);
      const guint32 word = GST_READ_UINT32_LE(in);  // Y410: from the lowest bit U Y V, 2 of alpha
      const guint y = deep ? word >> 10 & 1023 : in[2];
      const guint u = deep ? word & 1023 : in[1];
      const guint v = deep ? word >> 20 & 1023 : in[0];
      guint8* out = row + 3 * static_cast<size_t>(x);
      out[0] = byte(luma_[y] + red_v_[v]);
      out[1] = byte(luma_[y] + green_u_[u] + green_v_[v]);
      out[2] = byte(luma_[y] + blue_u_[u]);
    }
  }

  const bool deep_;
  using Table = std::array<int, 1024>;
  Table luma_{}, red_v_{}, green_u_{}, green_v_{}, blue_u_{};
};

}  // namespace vidi
