// A buffer mapped as a picture, and whether what its layout says is there: buffers are untrusted,
// and GStreamer maps what a GstVideoMeta says without looking how long the memory is.
#pragma once

#include <gst/video/video.h>

#include <string>

#include "model/result.h"

namespace vidi {

inline constexpr int kMaxPictureSize = 32768;  // pixels each way: what the resize takes

class MappedFrame {
 public:
  // `flags` are GstMapFlags.
  MappedFrame(GstBuffer* buffer, const GstVideoInfo& info, int flags)
      : mapped_(gst_video_frame_map(
            &frame_, &info, buffer,
            static_cast<GstMapFlags>(flags | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))) {}
  MappedFrame(const MappedFrame&) = delete;
  ~MappedFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  explicit operator bool() const { return mapped_; }
  GstVideoFrame* operator->() { return &frame_; }
  GstVideoFrame* get() { return &frame_; }

 private:
  GstVideoFrame frame_ = {};
  bool mapped_;
};

std::string size_text(int width, int height);  // "1920x1080"
Error out_of_memory(size_t bytes);             // that a picture needs

// Nothing when the buffer may be mapped as the caps say. (GStreamer itself would print criticals.)
std::string contradiction(GstBuffer* buffer, const GstVideoInfo& info);

// Bytes behind the plane's first byte that are mapped.
size_t available_bytes(const GstVideoFrame& source, guint plane);
// Bytes of a row that hold pixels; the whole stride where GStreamer does not say (v210 and such).
size_t row_bytes(const GstVideoInfo& info, guint plane);
size_t n_rows(const GstVideoInfo& info, guint plane);
// Whether the rows of `info`'s plane are all inside the mapped memory.
bool rows_are_inside(const GstVideoFrame& source, const GstVideoInfo& info, guint plane);

}  // namespace vidi
