#include "gst/media/mapped_frame.h"

namespace vidi {

std::string size_text(int width, int height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

Error out_of_memory(size_t bytes) {
  return {ErrorCode::kOutOfMemory,
          "a picture needs " + std::to_string(bytes) + " bytes, which could not be allocated"};
}

size_t available_bytes(const GstVideoFrame& source, guint plane) {
  const GstMapInfo& map = source.map[plane];
  const auto* first = static_cast<const guint8*>(source.data[plane]);
  if (first < map.data || first > map.data + map.size) return 0;
  return map.size - static_cast<size_t>(first - map.data);
}

size_t row_bytes(const GstVideoInfo& info, guint plane) {
  gint components[GST_VIDEO_MAX_COMPONENTS];
  gst_video_format_info_component(info.finfo, plane, components);
  const int pixel_stride = GST_VIDEO_INFO_COMP_PSTRIDE(&info, components[0]);
  if (pixel_stride == 0) return info.stride[plane];
  return static_cast<size_t>(GST_VIDEO_INFO_COMP_WIDTH(&info, components[0])) * pixel_stride;
}

size_t n_rows(const GstVideoInfo& info, guint plane) {
  gint components[GST_VIDEO_MAX_COMPONENTS];
  gst_video_format_info_component(info.finfo, plane, components);
  return GST_VIDEO_INFO_COMP_HEIGHT(&info, components[0]);
}

bool rows_are_inside(const GstVideoFrame& source, const GstVideoInfo& info, guint plane) {
  const int stride = source.info.stride[plane];
  const size_t bytes = row_bytes(info, plane);
  return stride > 0 && static_cast<size_t>(stride) >= bytes &&
         (n_rows(info, plane) - 1) * stride + bytes <= available_bytes(source, plane);
}

std::string contradiction(GstBuffer* buffer, const GstVideoInfo& info) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  const size_t size = gst_buffer_get_size(buffer);
  const std::string expected = size_text(info.width, info.height) + " " + info.finfo->name;
  if (!meta)
    return size >= info.size ? ""
                             : "a video buffer for " + expected + " has " + std::to_string(size) +
                                   " bytes, expected " + std::to_string(info.size);
  if (meta->format == info.finfo->format && meta->n_planes == info.finfo->n_planes &&
      meta->width >= static_cast<guint>(info.width) && meta->width <= kMaxPictureSize &&
      meta->height >= static_cast<guint>(info.height) && meta->height <= kMaxPictureSize)
    return "";
  return "a video buffer's layout is for " +
         size_text(static_cast<int>(meta->width), static_cast<int>(meta->height)) + " " +
         gst_video_format_to_string(meta->format) + ", its caps say " + expected;
}

}  // namespace vidi
