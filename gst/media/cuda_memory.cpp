#include "gst/media/cuda_memory.h"

#include <gst/cuda/gstcudamemory.h>

#include <optional>
#include <string>
#include <utility>

#include "gst/media/mapped_frame.h"
#include "gst/media/samples.h"

namespace vidi {
namespace {

constexpr struct {
  GstVideoFormat gst;
  PixelFormat engine;
} kFormats[] = {
    {GST_VIDEO_FORMAT_NV12, PixelFormat::kNv12}, {GST_VIDEO_FORMAT_P010_10LE, PixelFormat::kP010},
    {GST_VIDEO_FORMAT_RGBA, PixelFormat::kRgba}, {GST_VIDEO_FORMAT_BGRA, PixelFormat::kBgra},
    {GST_VIDEO_FORMAT_RGB, PixelFormat::kRgb},   {GST_VIDEO_FORMAT_I420, PixelFormat::kI420},
};

// Waits for what still writes into the memory. Until 1.22 elements do that before they push.
void wait_for_writers(GstCudaMemory* memory) {
#if GST_CHECK_VERSION(1, 24, 0)
  gst_cuda_memory_sync(memory);
#endif
}

// Null when the buffer is anything but one piece of CUDA memory.
GstCudaMemory* cuda_memory_of(GstBuffer* buffer) {
  if (gst_buffer_n_memory(buffer) != 1) return nullptr;
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  return gst_is_cuda_memory(memory) ? GST_CUDA_MEMORY_CAST(memory) : nullptr;
}

// The picture without its planes; nothing when the engine would convert it in another way than
// GstVideoConverter does.
std::optional<DevicePicture> describe(const GstVideoInfo& info, const Orientation& orientation) {
  DevicePicture picture;
  picture.orientation = orientation;
  picture.width = info.width, picture.height = info.height;
  picture.full_range = info.colorimetry.range != GST_VIDEO_COLOR_RANGE_16_235;
  picture.chroma_at_left = info.chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED;
  if (GST_VIDEO_INFO_IS_YUV(&info) &&
      (info.interlace_mode != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE ||
       info.chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED ||
       !gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &picture.kr, &picture.kb))) {
    return std::nullopt;
  }
  for (const auto& format : kFormats) {
    if (format.gst != GST_VIDEO_INFO_FORMAT(&info)) continue;
    picture.format = format.engine;
    return picture;
  }
  return std::nullopt;
}

// Made small already: the full picture never left the device.
class ShrunkPicture : public GrabbedPicture {
 public:
  explicit ShrunkPicture(std::shared_ptr<SampledFrame> frame) : frame_(std::move(frame)) {}
  Result<std::shared_ptr<SampledFrame>> finish(int side) override {
    if (side == frame_->side) return frame_;
    return Error{ErrorCode::kInternal, "a picture of side " + std::to_string(side) +
                                           " is wanted, made was one of side " +
                                           std::to_string(frame_->side)};
  }

 private:
  std::shared_ptr<SampledFrame> frame_;
};

class CudaReader : public PictureReader {
 public:
  CudaReader(const GstVideoInfo& info, DeviceReading device, const Orientation& orientation,
             std::unique_ptr<PictureReader> download)
      : info_(info),
        picture_(describe(info, orientation)),
        device_(std::move(device)),
        download_(std::move(download)) {}

  Result<std::unique_ptr<GrabbedPicture>> grab(GstBuffer* buffer) override {
    GstCudaMemory* memory = cuda_memory_of(buffer);
    if (!memory) return download_->grab(buffer);
    wait_for_writers(memory);
    if (!picture_ || !device_.shrink) return download_->grab(buffer);
    auto frame = shrunk(buffer, *memory);
    if (frame) return std::unique_ptr<GrabbedPicture>(new ShrunkPicture(*frame));
    GST_INFO("a picture in CUDA memory goes through the host: %s", frame.error().message.c_str());
    // An engine without CUDA does not get it; another failure may be this picture's alone.
    if (frame.error().code == ErrorCode::kUnsupported) device_.shrink = nullptr;
    return download_->grab(buffer);
  }

 private:
  Result<std::shared_ptr<SampledFrame>> shrunk(GstBuffer* buffer, const GstCudaMemory& memory) {
    if (std::string text = contradiction(buffer, info_); !text.empty()) return bad(std::move(text));
    MappedFrame frame(buffer, layout_of(buffer, memory), GST_MAP_READ | GST_MAP_CUDA);
    if (!frame) return bad("the buffer cannot be mapped for CUDA");
    DevicePicture picture = *picture_;
    for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(frame.get()); ++plane) {
      if (!rows_are_inside(*frame.get(), info_, plane)) return bad("its planes exceed its memory");
      picture.planes[plane] = {frame->data[plane], static_cast<size_t>(frame->info.stride[plane])};
    }
    if (side_ == 0) side_ = device_.side();
    auto small = std::make_shared<SampledFrame>();
    small->side = side_;
    small->rgb.resize(size_t{3} * side_ * side_);
    const Result<bool> done = device_.shrink(picture, side_, small->rgb.data());
    if (!done) return done.error();
    return small;
  }

  // A GstVideoMeta rules; without one, rows are as far apart as the device wanted them.
  GstVideoInfo layout_of(GstBuffer* buffer, const GstCudaMemory& memory) const {
    GstVideoInfo layout = info_;
    if (gst_buffer_get_video_meta(buffer)) return layout;
    for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info_); ++plane) {
      layout.stride[plane] = memory.info.stride[plane];
      layout.offset[plane] = memory.info.offset[plane];
    }
    return layout;
  }

  static Error bad(std::string why) { return {ErrorCode::kBadInput, std::move(why)}; }

  const GstVideoInfo info_;
  const std::optional<DevicePicture> picture_;
  DeviceReading device_;
  std::unique_ptr<PictureReader> download_;
  int side_ = 0;
};

}  // namespace

GstCaps* cuda_template_caps() {
  GstVideoFormat formats[G_N_ELEMENTS(kFormats)];
  for (guint i = 0; i < G_N_ELEMENTS(kFormats); ++i) formats[i] = kFormats[i].gst;
  GstCapsFeatures* features =
      gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY, static_cast<char*>(nullptr));
  GstCaps* caps = gst_video_make_raw_caps_with_features(formats, G_N_ELEMENTS(formats), features);
  gst_structure_remove_field(gst_caps_get_structure(caps, 0), "framerate");  // none is fine, too
  return caps;
}

bool in_cuda_memory(const GstCaps* caps) {
  const GstCapsFeatures* features = gst_caps_get_features(caps, 0);
  return features && gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY);
}

std::unique_ptr<PictureReader> make_cuda_reader(const GstVideoInfo& info, DeviceReading device,
                                                const Orientation& orientation,
                                                std::unique_ptr<PictureReader> download) {
  return std::make_unique<CudaReader>(info, std::move(device), orientation, std::move(download));
}

}  // namespace vidi
