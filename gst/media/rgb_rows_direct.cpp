#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "gst/media/rgb_rows.h"
#include "kernels/pixels/deinterleave.h"
#include "kernels/pixels/yuv_rows.h"

namespace vidi {
namespace {

// One component of a frame: samples of `sample_bytes`.
struct Component {
  const uint8_t* data = nullptr;
  size_t stride = 0;  // bytes from row to row
  int step = 0;       // samples from one to the next

  Component() = default;
  Component(const GstVideoFrame& frame, guint c, int sample_bytes)
      : stride(static_cast<size_t>(GST_VIDEO_FRAME_COMP_STRIDE(&frame, c))),
        step(GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c) / sample_bytes) {
    // P010's V comes two bytes after its U; GStreamer 1.22 says one.
    const int offset = GST_VIDEO_FRAME_COMP_POFFSET(&frame, c);
    data =
        static_cast<const uint8_t*>(frame.data[GST_VIDEO_FORMAT_INFO_PLANE(frame.info.finfo, c)]) +
        (offset + sample_bytes - 1) / sample_bytes * sample_bytes;
  }
  const uint8_t* row(int y) const { return data + static_cast<size_t>(y) * stride; }
};

// ---- RGB ---------------------------------------------------------------------------------------

class DirectRgb : public FrameRows {
 public:
  explicit DirectRgb(int width) : width_(width) {}

  Result<bool> start(const GstVideoFrame& frame) override {
    for (guint c = 0; c < 3; ++c) components_[c] = Component(frame, c, 1);
    return true;
  }

  void read(int y, uint8_t* planes) override {
    for (const Component& component : components_) {
      deinterleave(component.row(y), component.step, width_, planes);
      planes += width_;
    }
  }

 private:
  const int width_;
  Component components_[3];
};

// ---- Y'CbCr ------------------------------------------------------------------------------------

void take_row(const Component& from, int y, int n, int /*shift*/, uint8_t* out) {
  deinterleave(from.row(y), from.step, n, out);
}

void take_row(const Component& from, int y, int n, int shift, uint16_t* out) {
  deinterleave(from.row(y), from.step, n, shift, out);
}

template <class Sample>
class DirectYuv : public FrameRows {
 public:
  DirectYuv(const GstVideoInfo& info, const YuvLines<Sample>& lines)
      : info_(info), lines_(lines), luma_(info.width), half_(info.width) {
    for (auto& chroma : chroma_)
      for (auto& row : chroma) row.assign(info.width, Sample(1) << (8 * sizeof(Sample) - 1));
  }

  Result<bool> start(const GstVideoFrame& frame) override {
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info_); ++c)
      components_[c] = Component(frame, c, sizeof(Sample));
    interlaced_ = GST_VIDEO_FRAME_IS_INTERLACED(&frame);
    for (auto& kept : kept_) std::fill(std::begin(kept), std::end(kept), -1);
    return true;
  }

  void read(int y, uint8_t* planes) override {
    take_row(components_[0], y, info_.width, shift(), luma_.data());
    yuv_row(lines_, luma_.data(), chroma_around(1, y), chroma_around(2, y), info_.width, planes);
  }

 private:
  int shift() const { return 6 - static_cast<int>(info_.finfo->shift[0]); }

  // Chroma rows stand beside each row of luma, or between two; between two of its own field in an
  // interlaced frame, where the fields lie apart. Behind the edges the last row is repeated.
  ChromaRows<Sample> chroma_around(int c, int y) {
    if (!GST_VIDEO_FORMAT_INFO_H_SUB(info_.finfo, c)) return {full_width(c, y), full_width(c, y)};
    struct Neighbour {
      int step;
      uint32_t near_eighths;
    };
    constexpr Neighbour kOfFrame[] = {{-1, 6}, {1, 6}};
    constexpr Neighbour kOfField[] = {{-2, 7}, {-2, 5}, {2, 5}, {2, 7}};
    const Neighbour neighbour = interlaced_ ? kOfField[y % 4] : kOfFrame[y % 2];
    const int beside = std::clamp(y + neighbour.step, 0, info_.height - 1);
    return {full_width(c, chroma_row(c, y)), full_width(c, chroma_row(c, beside)),
            neighbour.near_eighths};
  }

  int chroma_row(int c, int y) const {
    const int row = interlaced_ ? y / 4 * 2 + y % 2 : y / 2;
    // Two fields of odd height: the second has one row less. GStreamer reads behind the plane.
    return row < GST_VIDEO_INFO_COMP_HEIGHT(&info_, c) ? row : std::max(row - 2, 0);
  }

  // Of chroma row k. Those around a row of luma are kept, since others need them, too.
  const Sample* full_width(int c, int k) {
    const int slot = k % kSlots;
    std::vector<Sample>& row = chroma_[c - 1][slot];
    if (GST_VIDEO_INFO_IS_GRAY(&info_) || kept_[c - 1][slot] == k) return row.data();
    kept_[c - 1][slot] = k;
    const bool is_half = GST_VIDEO_FORMAT_INFO_W_SUB(info_.finfo, c) != 0;
    const int n = is_half ? (info_.width + 1) / 2 : info_.width;
    take_row(components_[c], k, n, shift(), is_half ? half_.data() : row.data());
    if (is_half)
      double_across(half_.data(), (info_.chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
                    info_.width, row.data());
    return row.data();
  }

  static constexpr int kSlots = 4;
  const GstVideoInfo info_;
  const YuvLines<Sample> lines_;
  Component components_[3];
  std::vector<Sample> luma_, half_;
  bool interlaced_ = false;
  std::vector<Sample> chroma_[2][kSlots];  // of U and V: rows of full width
  int kept_[2][kSlots] = {};               // which rows those are
};

template <class Sample>
std::unique_ptr<FrameRows> make_yuv(const GstVideoInfo& info) {
  double kr = 0, kb = 0;
  const bool between_rows = !(info.chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED);
  if ((GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, 1) && !between_rows) ||
      !gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &kr, &kb))
    return nullptr;
  const bool full_range = info.colorimetry.range != GST_VIDEO_COLOR_RANGE_16_235;
  const auto lines =
      YuvLines<Sample>::make(YuvTables(kr, kb, full_range, sizeof(Sample) == 1 ? 8 : 10));
  if (!lines) return nullptr;
  return std::make_unique<DirectYuv<Sample>>(info, *lines);
}

// ---- Formats -----------------------------------------------------------------------------------

constexpr GstVideoFormat kRgb[] = {
    GST_VIDEO_FORMAT_RGB,  GST_VIDEO_FORMAT_BGR,  GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_BGRA,
    GST_VIDEO_FORMAT_ARGB, GST_VIDEO_FORMAT_ABGR, GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRx,
    GST_VIDEO_FORMAT_xRGB, GST_VIDEO_FORMAT_xBGR, GST_VIDEO_FORMAT_GBR};
// Not VYUY, whose U and V are swapped in GStreamer 1.22's description.
constexpr GstVideoFormat kYuv8[] = {
    GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21,
    GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_NV16, GST_VIDEO_FORMAT_NV61, GST_VIDEO_FORMAT_YUY2,
    GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_YVYU, GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_NV24,
    GST_VIDEO_FORMAT_GRAY8};
constexpr GstVideoFormat kYuv10[] = {GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_I420_10LE,
                                     GST_VIDEO_FORMAT_I422_10LE, GST_VIDEO_FORMAT_Y444_10LE};

template <size_t n>
bool is_one_of(const GstVideoFormat (&formats)[n], const GstVideoInfo& info) {
  return std::find(formats, formats + n, GST_VIDEO_INFO_FORMAT(&info)) != formats + n;
}

// Of another colorimetry than usual, GStreamer converts RGB to RGB.
bool is_usual_rgb(const GstVideoInfo& info) {
  GstVideoInfo usual;
  return gst_video_info_set_format(&usual, GST_VIDEO_FORMAT_RGB, info.width, info.height) &&
         gst_video_colorimetry_is_equal(&usual.colorimetry, &info.colorimetry);
}

}  // namespace

std::unique_ptr<FrameRows> make_direct_rows(const GstVideoInfo& info) {
  if (is_one_of(kYuv8, info)) return make_yuv<uint8_t>(info);
  if (is_one_of(kYuv10, info)) return make_yuv<uint16_t>(info);
  if (is_one_of(kRgb, info) && is_usual_rgb(info)) return std::make_unique<DirectRgb>(info.width);
  return nullptr;
}

}  // namespace vidi
