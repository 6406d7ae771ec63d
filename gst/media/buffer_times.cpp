#include "gst/media/buffer_times.h"

#include <algorithm>

namespace vidi {
namespace {

constexpr guint64 kNtpToUnix = G_GUINT64_CONSTANT(2208988800) * GST_SECOND;  // 1900 to 1970

using ToTime = guint64 (*)(const GstSegment*, GstFormat, guint64);

// `rate`: how much faster PTS run than those times.
std::optional<Time> time_at(const GstSegment& segment, Time t, ToTime to_time, guint64 start,
                            double rate) {
  if (segment.format != GST_FORMAT_TIME || segment.rate <= 0) return std::nullopt;
  const Time first(static_cast<int64_t>(start));
  const Time last = GST_CLOCK_TIME_IS_VALID(segment.stop) ? Time(segment.stop) : kForever;
  const Time inside = std::min(std::max(t, first), last);
  const GstClockTime time = to_time(&segment, GST_FORMAT_TIME, inside.count());
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  const Time outside = t - inside;
  return Time(time) + (rate == 1 ? outside : std::chrono::duration_cast<Time>(outside / rate));
}

}  // namespace

std::optional<Time> running_time_at(const GstSegment& segment, Time t) {
  return time_at(segment, t, gst_segment_to_running_time, segment.start + segment.offset,
                 segment.rate);
}

std::optional<Time> stream_time_at(const GstSegment& segment, Time t) {
  return time_at(segment, t, gst_segment_to_stream_time, segment.start,
                 segment.applied_rate != 0 ? 1 / segment.applied_rate : 1);
}

GstClockTime position_after(GstBuffer* buffer) {
  const GstClockTime pts = GST_BUFFER_PTS(buffer), duration = GST_BUFFER_DURATION(buffer);
  if (!GST_CLOCK_TIME_IS_VALID(pts)) return GST_CLOCK_TIME_NONE;
  return pts + (GST_CLOCK_TIME_IS_VALID(duration) ? std::max<GstClockTime>(duration, 1) : 1);
}

Time frame_length(const GstCaps* caps) {
  const GstStructure* s = gst_caps_get_structure(caps, 0);
  gint numerator = 0, denominator = 1;
  if (!gst_structure_get_fraction(s, "framerate", &numerator, &denominator) || numerator <= 0) {
    return Time(0);
  }
  return Time(gst_util_uint64_scale(GST_SECOND, denominator, numerator));
}

GstSegment in_time(const GstSegment& segment) {
  if (segment.format == GST_FORMAT_TIME) return segment;
  GstSegment time;
  gst_segment_init(&time, GST_FORMAT_TIME);
  time.rate = segment.rate, time.applied_rate = segment.applied_rate;
  return time;
}

bool is_trick_mode(const GstSegment& segment) {
  constexpr int kTrick = GST_SEGMENT_FLAG_TRICKMODE | GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS |
                         GST_SEGMENT_FLAG_TRICKMODE_FORWARD_PREDICTED;
  return (segment.flags & kTrick) != 0;
}

bool is_inside(const GstSegment& segment, GstBuffer* buffer) {
  const GstClockTime start = GST_BUFFER_PTS(buffer);
  const GstClockTime stop = GST_BUFFER_DURATION_IS_VALID(buffer)
                                ? start + GST_BUFFER_DURATION(buffer)
                                : GST_CLOCK_TIME_NONE;
  return gst_segment_clip(&segment, GST_FORMAT_TIME, start, stop, nullptr, nullptr);
}

bool is_same_timeline(const GstSegment& a, const GstSegment& b) {
  return a.format == b.format && a.rate == b.rate && a.applied_rate == b.applied_rate &&
         a.base == b.base && a.offset == b.offset && a.start == b.start && a.time == b.time;
}

GstSegment side_segment(const GstSegment& video) {
  GstSegment side;
  gst_segment_copy_into(&video, &side);
  side.start = side.time = GST_CLOCK_TIME_IS_VALID(video.time) ? video.time : video.start;
  side.position = side.start;
  const bool counts_from_stop = video.rate < 0 && GST_CLOCK_TIME_IS_VALID(video.stop);
  side.stop = counts_from_stop ? side.start + (video.stop - video.start) : GST_CLOCK_TIME_NONE;
  side.duration = GST_CLOCK_TIME_NONE;
  side.offset = 0;
  side.applied_rate = 1.0;
  return side;
}

GstClockTime side_time(const GstSegment& video, GstClockTime pts) {
  if (!GST_CLOCK_TIME_IS_VALID(pts)) return GST_CLOCK_TIME_NONE;
  const GstClockTime origin = video.start + video.offset;
  return side_segment(video).start + (pts > origin ? pts - origin : 0);
}

std::pair<std::string, std::optional<guint>> stream_of(GstEvent* event) {
  const gchar* id = nullptr;
  guint group = 0;
  gst_event_parse_stream_start(event, &id);
  std::optional<guint> group_id;
  if (gst_event_parse_group_id(event, &group)) group_id = group;
  return {id ? id : "", group_id};
}

std::optional<Time> utc_of(GstBuffer* buffer) {
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                          GST_REFERENCE_TIMESTAMP_META_API_TYPE)) {
    const auto* reference = reinterpret_cast<GstReferenceTimestampMeta*>(meta);
    const GstStructure* s = gst_caps_get_structure(reference->reference, 0);
    const GstClockTime t = reference->timestamp;
    if (gst_structure_has_name(s, "timestamp/x-ntp") && t >= kNtpToUnix) {
      return Time(t - kNtpToUnix);
    }
    if (gst_structure_has_name(s, "timestamp/x-unix")) return Time(t);
  }
  return std::nullopt;
}

}  // namespace vidi
