// Y'CbCr pixels to RGB bytes, rounded once. For rgb_rows_converted.cpp: GstVideoConverter brings
// every YUV and grey format to full chroma, but its own 8-bit matrix is off by up to 5.
#pragma once

#include <gst/video/video.h>

#include <algorithm>
#include <memory>

#include "kernels/pixels/yuv_tables.h"

namespace vidi {

// Full-chroma pixels of one matrix and range, by tables.
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
  YuvToRgb(const GstVideoInfo& info, double kr, double kb)
      : deep_(gst_video_format_get_info(info.finfo->unpack_format)->depth[0] > 8),
        tables_(kr, kb, info.colorimetry.range != GST_VIDEO_COLOR_RANGE_16_235, deep_ ? 10 : 8) {}

  template <bool deep>
  void apply_to_row(guint8* row, int width) const {
    const auto byte = [](int value) {
      return static_cast<guint8>(std::clamp(value >> YuvTables::kBits, 0, 255));
    };
    const YuvTables& t = tables_;
    for (int x = 0; x < width; ++x) {
      const guint8* in = row + 4 * static_cast<size_t>(x);
      const guint32 word = GST_READ_UINT32_LE(in);  // Y410: from the lowest bit U Y V, 2 of alpha
      const guint y = deep ? word >> 10 & 1023 : in[2];
      const guint u = deep ? word & 1023 : in[1];
      const guint v = deep ? word >> 20 & 1023 : in[0];
      guint8* out = row + 3 * static_cast<size_t>(x);
      out[0] = byte(t.luma[y] + t.red_v[v]);
      out[1] = byte(t.luma[y] + t.green_u[u] + t.green_v[v]);
      out[2] = byte(t.luma[y] + t.blue_u[u]);
    }
  }

  const bool deep_;
  const YuvTables tables_;
};

}  // namespace vidi
