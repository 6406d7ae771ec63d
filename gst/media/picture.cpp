#include "gst/media/picture.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>
#include <vector>

#include "gst/media/cuda_memory.h"
#include "gst/media/mapped_frame.h"
#include "gst/media/rgb_rows.h"
#include "gst/media/samples.h"
#include "kernels/pixels/resize.h"

namespace vidi {
namespace {

struct Release {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(gchar* text) const { g_free(text); }
  // Copies that are still out come back later and are freed then.
  void operator()(GstBufferPool* pool) const {
    gst_buffer_pool_set_active(pool, FALSE);
    gst_object_unref(pool);
  }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

Error unsupported(const std::string& message) { return {ErrorCode::kUnsupported, message}; }
Error bad_buffer(const std::string& message) { return {ErrorCode::kBadInput, message}; }

std::string to_text(const GstCaps* caps) {
  const Owned<gchar> text(gst_caps_to_string(caps));
  return text.get();
}

// ---- Copying -----------------------------------------------------------------------------------
// GStreamer maps what a GstVideoMeta says without looking whether the memory is that long, and its
// row copy leaves out the last chroma sample of packed 4:2:2 rows of odd width. So rows are checked
// and copied here. A plane's layout is {stride, rows}, or for tiled formats {tiles in x, in y}.

size_t plane_bytes(const GstVideoInfo& info, guint plane) {
  const bool last = plane + 1 >= GST_VIDEO_INFO_N_PLANES(&info);
  const size_t stop = last ? info.size : info.offset[plane + 1];
  return stop > info.offset[plane] ? stop - info.offset[plane] : 0;
}

bool copy_rows(const GstVideoFrame& source, const GstVideoInfo& info, guint plane, guint8* target) {
  const int source_stride = source.info.stride[plane];
  const size_t own_stride = info.stride[plane];
  const size_t available = available_bytes(source, plane);
  const size_t rows = n_rows(info, plane);
  if (!rows_are_inside(source, info, plane)) return false;
  const auto* from = static_cast<const guint8*>(source.data[plane]);
  const size_t row = std::min<size_t>(source_stride, own_stride);
  for (size_t y = 0; y < rows; ++y)
    std::memcpy(target + y * own_stride, from + y * source_stride,
                std::min(row, available - y * source_stride));
  return true;
}

size_t n_tiles(int stride) {
  return static_cast<size_t>(GST_VIDEO_TILE_X_TILES(stride)) * GST_VIDEO_TILE_Y_TILES(stride);
}

bool copy_tiles(const GstVideoFrame& source, GstVideoFrame* copy, guint plane) {
  const int own = copy->info.stride[plane], theirs = source.info.stride[plane];
  const size_t own_tiles = n_tiles(own), tiles = n_tiles(theirs);
  if (own_tiles == 0 || theirs <= 0 ||
      GST_VIDEO_TILE_X_TILES(theirs) < GST_VIDEO_TILE_X_TILES(own) ||
      GST_VIDEO_TILE_Y_TILES(theirs) < GST_VIDEO_TILE_Y_TILES(own))
    return false;
  const size_t tile_bytes = plane_bytes(copy->info, plane) / own_tiles;
  return tiles * tile_bytes <= available_bytes(source, plane) &&
         gst_video_frame_copy_plane(copy, &source, plane);
}

bool copy_plane(const GstVideoFrame& source, GstVideoFrame* copy, guint plane) {
  auto* target = static_cast<guint8*>(copy->data[plane]);
  const GstVideoFormatInfo* format = copy->info.finfo;
  if (GST_VIDEO_FORMAT_INFO_IS_TILED(format)) return copy_tiles(source, copy, plane);
  if (!GST_VIDEO_FORMAT_INFO_HAS_PALETTE(format) || plane != 1)
    return copy_rows(source, copy->info, plane, target);
  constexpr size_t kPaletteBytes = 256 * 4;
  if (available_bytes(source, plane) < kPaletteBytes) return false;
  std::memcpy(target, source.data[plane], kPaletteBytes);
  return true;
}

// False when a plane is longer than its memory.
bool copy_picture(const GstVideoFrame& source, GstVideoFrame* copy) {
  if (!source.meta) {  // the caps' own layout, and GStreamer has checked the size
    std::memcpy(copy->map[0].data, source.map[0].data, copy->info.size);
    return true;
  }
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(copy); ++plane)
    if (!copy_plane(source, copy, plane)) return false;
  return true;
}

// ---- Converting --------------------------------------------------------------------------------

// Raw copies of one caps to the model's pictures. Shared by the reader and its pictures, which may
// outlive it.
class ToRgb {
 public:
  static Result<std::shared_ptr<ToRgb>> make(const GstVideoInfo& info,
                                             const Orientation& orientation) {
    auto to_rgb = std::make_shared<ToRgb>();
    to_rgb->info_ = info;
    to_rgb->orientation_ = orientation;
    to_rgb->rows_ = make_direct_rows(info);
    if (!to_rgb->rows_) to_rgb->rows_ = make_converted_rows(info);
    if (!to_rgb->rows_)
      return unsupported(std::string("GStreamer cannot convert ") + info.finfo->name + " to RGB");
    return to_rgb;
  }

  Result<std::shared_ptr<SampledFrame>> picture(GstBuffer* copy, int side) {
    MappedFrame source(copy, info_, GST_MAP_READ);
    if (!source) return Error{ErrorCode::kInternal, "a copied picture cannot be mapped"};
    if (auto started = rows_->start(*source.get()); !started) return started.error();
    return resized(side);
  }

 private:
  Result<std::shared_ptr<SampledFrame>> resized(int side) try {
    if (!resize_ || resize_->side() != side)
      resize_ = std::make_unique<BicubicResize>(info_.width, info_.height, side, orientation_);
    auto frame = std::make_shared<SampledFrame>();
    frame->side = side;
    frame->rgb.resize(size_t{3} * side * side);
    resize_->run(*rows_, frame->rgb.data());
    return frame;
  } catch (const std::invalid_argument& error) {
    return Error{ErrorCode::kBadInput, error.what()};
  } catch (const std::bad_alloc&) {
    return out_of_memory(size_t{3} * side * side);
  }

  GstVideoInfo info_;
  Orientation orientation_;
  std::unique_ptr<FrameRows> rows_;
  std::unique_ptr<BicubicResize> resize_;  // for the side asked for last
};

// ---- System memory -----------------------------------------------------------------------------

class SystemPicture : public GrabbedPicture {
 public:
  SystemPicture(std::shared_ptr<ToRgb> to_rgb, Owned<GstBuffer> copy)
      : to_rgb_(std::move(to_rgb)), copy_(std::move(copy)) {}
  Result<std::shared_ptr<SampledFrame>> finish(int side) override {
    return to_rgb_->picture(copy_.get(), side);
  }

 private:
  std::shared_ptr<ToRgb> to_rgb_;
  Owned<GstBuffer> copy_;  // goes back to the reader's pool
};

class SystemReader : public PictureReader {
 public:
  SystemReader(const GstVideoInfo& info, std::shared_ptr<ToRgb> to_rgb)
      : info_(info),
        overhang_(overhang_of(info)),
        to_rgb_(std::move(to_rgb)),
        pool_(gst_buffer_pool_new()) {
    GstStructure* config = gst_buffer_pool_get_config(pool_.get());
    gst_buffer_pool_config_set_params(config, nullptr, static_cast<guint>(info.size + overhang_), 0,
                                      0);
    gst_buffer_pool_set_config(pool_.get(), config);
    gst_buffer_pool_set_active(pool_.get(), TRUE);
  }

  Result<std::unique_ptr<GrabbedPicture>> grab(GstBuffer* buffer) override {
    if (const std::string text = contradiction(buffer, info_); !text.empty())
      return bad_buffer(text);
    MappedFrame source(buffer, info_, GST_MAP_READ);
    if (!source) return bad_buffer("a video buffer's memory cannot be mapped for reading");
    Owned<GstBuffer> copy = new_copy();
    if (!copy) return out_of_memory(info_.size);
    if (!copy_into(copy.get(), *source.get()))
      return bad_buffer("a video buffer is shorter than the " +
                        size_text(info_.width, info_.height) + " " + info_.finfo->name +
                        " that its layout describes");
    // Whether a picture of mixed content is interlaced stands in the buffer's flags.
    gst_buffer_copy_into(copy.get(), buffer, GST_BUFFER_COPY_FLAGS, 0, -1);
    return std::unique_ptr<GrabbedPicture>(new SystemPicture(to_rgb_, std::move(copy)));
  }

 private:
  Owned<GstBuffer> new_copy() {
    GstBuffer* copy = nullptr;
    if (gst_buffer_pool_acquire_buffer(pool_.get(), &copy, nullptr) != GST_FLOW_OK) return nullptr;
    return Owned<GstBuffer>(copy);
  }

  bool copy_into(GstBuffer* copy, const GstVideoFrame& source) {
    gst_buffer_memset(copy, info_.size, 0, overhang_);
    MappedFrame own(copy, info_, GST_MAP_READWRITE);
    return own && copy_picture(source, own.get());
  }

  // GstVideoConverter (1.22) reads a row of chroma behind the last one when an interlaced picture's
  // height is twice an odd number: memory of ours, and always the same.
  static size_t overhang_of(const GstVideoInfo& info) {
    const auto strides = info.stride;
    const int widest = *std::max_element(strides, strides + GST_VIDEO_INFO_N_PLANES(&info));
    const bool is_tiled = GST_VIDEO_FORMAT_INFO_IS_TILED(info.finfo);  // then it is no length
    return is_tiled ? 0 : std::min<size_t>(std::max(widest, 0), G_MAXUINT - info.size);
  }

  GstVideoInfo info_;
  const size_t overhang_;
  std::shared_ptr<ToRgb> to_rgb_;
  Owned<GstBufferPool> pool_;
};

bool in_system_memory(const GstCaps* caps) {
  const GstCapsFeatures* features = gst_caps_get_features(caps, 0);
  return gst_caps_features_is_equal(features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
}

// The tiled 10 bit formats MT2110T and MT2110R of GStreamer 1.24 are left out: unpacked, they are
// not what was packed into them.
bool is_readable(GstVideoFormat format) {
  const GstVideoFormatInfo* info = gst_video_format_get_info(format);
  return info && info->unpack_func && format != GST_VIDEO_FORMAT_ENCODED &&
         !g_str_has_prefix(info->name, "MT2110");
}

}  // namespace

Result<std::unique_ptr<PictureReader>> PictureReader::make(const GstCaps* caps,
                                                           const DeviceReading& device,
                                                           const Orientation& orientation) {
  GstVideoInfo info;
  if (!caps || !gst_caps_is_fixed(caps) || !(in_system_memory(caps) || in_cuda_memory(caps)) ||
      !gst_video_info_from_caps(&info, caps))
    return unsupported("expected caps of raw video in system or CUDA memory, found " +
                       (caps ? to_text(caps) : "none"));
  if (!is_readable(GST_VIDEO_INFO_FORMAT(&info)))
    return unsupported(std::string("GStreamer cannot read pixels of format ") + info.finfo->name);
  if (info.width < 1 || info.width > kMaxPictureSize || info.height < 1 ||
      info.height > kMaxPictureSize || info.size > G_MAXUINT)
    return unsupported("expected pictures of at most " +
                       size_text(kMaxPictureSize, kMaxPictureSize) + " and 4 GiB, found " +
                       size_text(info.width, info.height) + " " + info.finfo->name);
  auto to_rgb = ToRgb::make(info, orientation);
  if (!to_rgb) return to_rgb.error();
  std::unique_ptr<PictureReader> reader(new SystemReader(info, *to_rgb));
  return in_cuda_memory(caps) ? make_cuda_reader(info, device, orientation, std::move(reader))
                              : std::move(reader);
}

GstCaps* video_template_caps() {
  guint n_formats = 0;
  const GstVideoFormat* all = gst_video_formats_raw(&n_formats);
  std::vector<GstVideoFormat> readable;
  std::copy_if(all, all + n_formats, std::back_inserter(readable), is_readable);
  GstCaps* caps = gst_video_make_raw_caps(readable.data(), static_cast<guint>(readable.size()));
  gst_structure_remove_field(gst_caps_get_structure(caps, 0), "framerate");  // none is fine, too
  gst_caps_append(caps, cuda_template_caps());
  return caps;
}

namespace {

class PassingBuffer final : public PassingPicture {
 public:
  PassingBuffer(std::shared_ptr<PictureReader> reader, GstBuffer* buffer)
      : reader_(std::move(reader)), buffer_(gst_buffer_ref(buffer)) {}
  Result<std::unique_ptr<GrabbedPicture>> grab() override { return reader_->grab(buffer_.get()); }

 private:
  const std::shared_ptr<PictureReader> reader_;
  const Owned<GstBuffer> buffer_;
};

}  // namespace

std::unique_ptr<PassingPicture> passing_picture(std::shared_ptr<PictureReader> reader,
                                                GstBuffer* buffer) {
  return std::make_unique<PassingBuffer>(std::move(reader), buffer);
}

}  // namespace vidi
