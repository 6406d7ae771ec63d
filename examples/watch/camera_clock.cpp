#include "examples/watch/camera_clock.h"

namespace {

constexpr GstClockTime kNtpToUnix = G_GUINT64_CONSTANT(2208988800) * GST_SECOND;  // 1900, 1970

std::optional<gint64> since_1970(const GstReferenceTimestampMeta* meta) {
  const GstStructure* s = gst_caps_get_structure(meta->reference, 0);
  GstClockTime time = meta->timestamp;
  if (gst_structure_has_name(s, "timestamp/x-ntp") && time >= kNtpToUnix) {
    time -= kNtpToUnix;
  } else if (!gst_structure_has_name(s, "timestamp/x-unix")) {
    return std::nullopt;
  }
  return time < G_MAXINT64 / 2 ? std::optional(static_cast<gint64>(time)) : std::nullopt;
}

}  // namespace

std::optional<gint64> camera_clock_ns(GstBuffer* buffer) {
  gpointer state = nullptr;
  const GType api = GST_REFERENCE_TIMESTAMP_META_API_TYPE;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state, api)) {
    const auto time = since_1970(reinterpret_cast<GstReferenceTimestampMeta*>(meta));
    if (time) return time;
  }
  return std::nullopt;
}
