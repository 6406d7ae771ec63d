#include "gst/media/orientation_tags.h"

#include <gst/video/video.h>

namespace vidi {
namespace {

// Names are GStreamer's: 90R is a quarter turn clockwise, UL_LR mirrors at the diagonal that runs
// from the upper left to the lower right.
std::optional<Orientation> orientation_of(GstVideoOrientationMethod method) {
  switch (method) {
    case GST_VIDEO_ORIENTATION_IDENTITY:
      return Orientation{};
    case GST_VIDEO_ORIENTATION_90R:
      return Orientation{.mirrored_y = true, .transposed = true};
    case GST_VIDEO_ORIENTATION_180:
      return Orientation{.mirrored_x = true, .mirrored_y = true};
    case GST_VIDEO_ORIENTATION_90L:
      return Orientation{.mirrored_x = true, .transposed = true};
    case GST_VIDEO_ORIENTATION_HORIZ:
      return Orientation{.mirrored_x = true};
    case GST_VIDEO_ORIENTATION_VERT:
      return Orientation{.mirrored_y = true};
    case GST_VIDEO_ORIENTATION_UL_LR:
      return Orientation{.transposed = true};
    case GST_VIDEO_ORIENTATION_UR_LL:
      return Orientation{.mirrored_x = true, .mirrored_y = true, .transposed = true};
    default:
      return std::nullopt;
  }
}

}  // namespace

void OrientationTags::start_stream(const std::string& id) {
  if (id == stream_id_) return;
  stream_id_ = id;
  stream_.reset(), global_.reset();
}

void OrientationTags::take(GstTagList* tags) {
  GstVideoOrientationMethod method = GST_VIDEO_ORIENTATION_IDENTITY;
  if (!gst_video_orientation_from_tag(tags, &method)) return;
  const auto orientation = orientation_of(method);
  if (!orientation) return;
  (gst_tag_list_get_scope(tags) == GST_TAG_SCOPE_STREAM ? stream_ : global_) = orientation;
}

Orientation OrientationTags::current() const {
  if (stream_) return *stream_;
  return global_.value_or(Orientation{});
}

}  // namespace vidi
