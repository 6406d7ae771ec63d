#include "examples/watch/arrival_stamp.h"

#include "examples/common/tracks.h"

namespace {

GstClockTime arrival(GstElement* pipeline, GstPad* pad) {
  const GstClockTime now = gst_element_get_current_running_time(pipeline);
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (!event) return now;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  const guint64 position =
      segment->format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(now)
          ? gst_segment_position_from_running_time(segment, GST_FORMAT_TIME, now)
          : now;
  gst_event_unref(event);
  return position;
}

// Single images are shown in the order in which they come; of other codecs only the order of
// decoding is known.
GstPadProbeReturn stamp(GstPad* pad, GstPadProbeInfo* info, gpointer pipeline) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (GST_BUFFER_PTS_IS_VALID(buffer) || GST_BUFFER_DTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  const GstClockTime now = arrival(GST_ELEMENT(pipeline), pad);
  buffer = gst_buffer_make_writable(buffer);
  GST_BUFFER_DTS(buffer) = now;
  if (track_of(pad).image) GST_BUFFER_PTS(buffer) = now;
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  return GST_PAD_PROBE_OK;
}

}  // namespace

void stamp_arrivals(GstPad* pad, GstElement* pipeline) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, stamp, pipeline, nullptr);
}
