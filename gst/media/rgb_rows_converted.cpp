#include <string>

#include "gst/media/mapped_frame.h"
#include "gst/media/rgb_rows.h"
#include "gst/media/yuv_to_rgb.h"
#include "kernels/pixels/deinterleave.h"

namespace vidi {
namespace {

struct Release {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstVideoConverter* converter) const { gst_video_converter_free(converter); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

class ConvertedRows : public FrameRows {
 public:
  explicit ConvertedRows(const GstVideoInfo& info) : info_(info), yuv_(YuvToRgb::make(info)) {}

  bool build() { return describe_rgb() && build_converter(); }

  Result<bool> start(const GstVideoFrame& frame) override {
    // To a converter (1.22) a second picture of one row is the first again.
    if (info_.height == 1 && !build_converter())
      return Error{ErrorCode::kInternal, "GStreamer gives no second converter of one kind"};
    if (!rgb_) rgb_.reset(gst_buffer_new_allocate(nullptr, rgb_info_.size, nullptr));
    if (!rgb_) return out_of_memory(rgb_info_.size);
    mapped_ = std::make_unique<MappedFrame>(rgb_.get(), rgb_info_, GST_MAP_READWRITE);
    if (!*mapped_) return Error{ErrorCode::kInternal, "a picture's own memory cannot be mapped"};
    gst_video_converter_frame(converter_.get(), const_cast<GstVideoFrame*>(&frame), mapped_->get());
    if (yuv_) yuv_->apply(mapped_->get());
    return true;
  }

  void read(int y, uint8_t* planes) override {
    const GstVideoFrame& rgb = *mapped_->get();
    const auto* row = static_cast<const uint8_t*>(rgb.data[0]) +
                      static_cast<size_t>(y) * static_cast<size_t>(rgb.info.stride[0]);
    for (int c = 0; c < 3; ++c)
      deinterleave(row + c, 3, info_.width, planes + static_cast<size_t>(c) * info_.width);
  }

 private:
  // Same size, field order and frame rate: the converter refuses to change the last two. Four bytes
  // a pixel of the same colorimetry when the matrix is ours, else RGB.
  bool describe_rgb() {
    const GstVideoFormat format = yuv_ ? yuv_->packing() : GST_VIDEO_FORMAT_RGB;
    if (!gst_video_info_set_interlaced_format(&rgb_info_, format, info_.interlace_mode, info_.width,
                                              info_.height))
      return false;
    rgb_info_.fps_n = info_.fps_n;
    rgb_info_.fps_d = info_.fps_d;
    if (yuv_) rgb_info_.colorimetry = info_.colorimetry;
    GST_VIDEO_INFO_FIELD_ORDER(&rgb_info_) = GST_VIDEO_INFO_FIELD_ORDER(&info_);
    return true;
  }

  // No dither: equal pixels stay equal.
  bool build_converter() {
    GstStructure* options =
        gst_structure_new("options", GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT, 1u,
                          GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
                          GST_VIDEO_DITHER_NONE, nullptr);
    converter_.reset(gst_video_converter_new(&info_, &rgb_info_, options));
    return converter_ != nullptr;
  }

  GstVideoInfo info_, rgb_info_;
  std::unique_ptr<YuvToRgb> yuv_;  // null: GStreamer writes RGB itself
  Owned<GstVideoConverter> converter_;
  Owned<GstBuffer> rgb_;  // full size, used again for every picture
  std::unique_ptr<MappedFrame> mapped_;
};

}  // namespace

std::unique_ptr<FrameRows> make_converted_rows(const GstVideoInfo& info) {
  auto rows = std::make_unique<ConvertedRows>(info);
  if (!rows->build()) return nullptr;
  return rows;
}

}  // namespace vidi
