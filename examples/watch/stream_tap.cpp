#include "examples/watch/stream_tap.h"

#include "examples/watch/camera_clock.h"

namespace {

constexpr size_t kMostBytes = 64 << 20;
constexpr GstClockTime kMostTime = 20 * GST_SECOND;

bool is_key(GstBuffer* buffer) {
  return !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

// As far as a muxer or an encoder cares: a parser may find out the rate later.
bool are_alike(GstCaps* one, GstCaps* other) {
  const GstStructure* a = gst_caps_get_structure(one, 0);
  const GstStructure* b = gst_caps_get_structure(other, 0);
  if (!gst_structure_has_name(a, gst_structure_get_name(b))) return false;
  for (const char* field : {"width", "height", "format", "stream-format", "alignment", "codec_data",
                            "rate", "channels", "mpegversion", "layer"}) {
    const GValue *left = gst_structure_get_value(a, field),
                 *right = gst_structure_get_value(b, field);
    if (!left != !right) return false;
    if (left && gst_value_compare(left, right) != GST_VALUE_EQUAL) return false;
  }
  return true;
}

// What lies before the beginning is at the beginning.
GstClockTime running(const GstSegment* segment, GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time)) return time;
  guint64 result = 0;
  const int sign = gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, time, &result);
  return sign > 0 ? result : 0;
}

// A copy of the head alone. In bytes that nobody has parsed (a camera's pictures over HTTP) the
// times are those of the arrival already.
GstBuffer* in_running_time(GstPad* pad, GstBuffer* buffer) {
  GstBuffer* copy = gst_buffer_copy(buffer);
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (!event) return copy;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  if (segment->format == GST_FORMAT_TIME) {
    GST_BUFFER_PTS(copy) = running(segment, GST_BUFFER_PTS(buffer));
    GST_BUFFER_DTS(copy) = running(segment, GST_BUFFER_DTS(buffer));
  }
  gst_event_unref(event);
  // One buffer with a DTS alone, in a stream without (as RTP's first picture may come):
  // splitmuxsink (1.22) would wait for the next DTS for ever, turning in a circle.
  if (!GST_BUFFER_PTS_IS_VALID(copy)) {
    GST_BUFFER_PTS(copy) = GST_BUFFER_DTS(copy);
    GST_BUFFER_DTS(copy) = GST_CLOCK_TIME_NONE;
  }
  return copy;
}

}  // namespace

std::shared_ptr<StreamTap> StreamTap::on(const LiveStream& stream) {
  std::shared_ptr<StreamTap> tap(new StreamTap(stream));
  GstPad* pad = gst_element_get_static_pad(stream.tee, "sink");
  // The probe has an owner's share of the tap: the stream may outlive who writes it.
  const auto forget = [](gpointer share) {
    delete static_cast<std::shared_ptr<StreamTap>*>(share);
  };
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, new std::shared_ptr<StreamTap>(tap),
                    forget);
  gst_object_unref(pad);
  return tap;
}

StreamTap::~StreamTap() {
  clear();
  let_go();
  gst_caps_replace(&caps_, nullptr);
}

GstCaps* StreamTap::caps() const {
  std::lock_guard lock(mutex_);
  return caps_ ? gst_caps_ref(caps_) : nullptr;
}

gint64 StreamTap::last_us() const {
  std::lock_guard lock(mutex_);
  return last_us_;
}

std::optional<gint64> StreamTap::clock_offset_ns() const {
  std::lock_guard lock(mutex_);
  return clock_offset_ns_;
}

bool StreamTap::has_changed() const {
  std::lock_guard lock(mutex_);
  return changed_;
}

void StreamTap::begin(GstElement* appsrc) {
  std::lock_guard lock(mutex_);
  let_go();
  appsrc_ = GST_ELEMENT(gst_object_ref(appsrc));
  changed_ = false;
  waits_for_key_ = video_;
  for (GstBuffer* buffer : kept_) hand_on(buffer);
  kept_.clear();
  n_bytes_ = 0;
}

void StreamTap::stop(bool keep) {
  std::lock_guard lock(mutex_);
  let_go();
  changed_ = false;
  if (!keep) clear();
}

GstPadProbeReturn StreamTap::on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer share) {
  (*static_cast<std::shared_ptr<StreamTap>*>(share))->take(pad, GST_PAD_PROBE_INFO_BUFFER(info));
  return GST_PAD_PROBE_OK;
}

void StreamTap::take(GstPad* pad, GstBuffer* buffer) {
  GstBuffer* copy = in_running_time(pad, buffer);
  std::lock_guard lock(mutex_);
  last_us_ = g_get_monotonic_time();
  const auto clock = camera_clock_ns(copy);
  if (clock && GST_BUFFER_PTS_IS_VALID(copy))
    clock_offset_ns_ = *clock - static_cast<gint64>(GST_BUFFER_PTS(copy));
  take_caps(pad);
  if (appsrc_) {
    hand_on(copy);
  } else {
    keep(copy);
  }
}

void StreamTap::take_caps(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  if (caps && !(caps_ && are_alike(caps, caps_))) {
    changed_ = changed_ || appsrc_;
    let_go();
    clear();
    gst_caps_replace(&caps_, caps);
  }
  if (caps) gst_caps_unref(caps);
}

// Takes the buffer. A clip that begins in the middle of a group of pictures cannot be shown until
// the next one.
void StreamTap::hand_on(GstBuffer* buffer) {
  if (waits_for_key_ && !is_key(buffer)) return gst_buffer_unref(buffer);
  waits_for_key_ = false;
  GstFlowReturn result = GST_FLOW_OK;
  g_signal_emit_by_name(appsrc_, "push-buffer", buffer, &result);
  gst_buffer_unref(buffer);
}

void StreamTap::keep(GstBuffer* buffer) {
  kept_.push_back(buffer);
  n_bytes_ += gst_buffer_get_size(buffer);
  const auto time = [](GstBuffer* b) { return GST_BUFFER_DTS_OR_PTS(b); };
  const auto is_old = [&](GstBuffer* b) {
    return GST_CLOCK_TIME_IS_VALID(time(b)) && GST_CLOCK_TIME_IS_VALID(time(buffer)) &&
           time(b) + kMostTime < time(buffer);
  };
  while (!kept_.empty() && (n_bytes_ > kMostBytes || is_old(kept_.front()))) {
    n_bytes_ -= gst_buffer_get_size(kept_.front());
    gst_buffer_unref(kept_.front());
    kept_.pop_front();
  }
}

void StreamTap::clear() {
  for (GstBuffer* buffer : kept_) gst_buffer_unref(buffer);
  kept_.clear();
  n_bytes_ = 0;
}

void StreamTap::let_go() {
  if (appsrc_) gst_object_unref(appsrc_);
  appsrc_ = nullptr;
}
