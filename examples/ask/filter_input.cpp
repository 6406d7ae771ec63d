#include "examples/ask/filter_input.h"

#include <utility>

namespace {

// A stream whose time goes back by less goes on by itself.
constexpr gint64 kSmallStep = 2 * GST_SECOND;

bool counts_time(const GstSegment& segment) {
  return segment.format == GST_FORMAT_TIME && segment.rate == 1.0 &&
         GST_CLOCK_TIME_IS_VALID(segment.time);
}

}  // namespace

FilterInput::~FilterInput() {
  if (GstPad* pad = queue_in_) gst_object_unref(pad);
}

// A queue each: pictures and sound come from one demuxer.
bool FilterInput::make_queue() {
  GstElement* queue = gst_element_factory_make("queue", nullptr);
  gst_bin_add(GST_BIN(pipeline_), queue);
  const bool linked = gst_element_link_pads(queue, "src", filter_, filter_pad_);
  queue_in_ = gst_element_get_static_pad(queue, "sink");
  gst_pad_add_probe(queue_in_, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this, nullptr);
  gst_element_sync_state_with_parent(queue);
  return linked;
}

bool FilterInput::link(GstPad* pad) {
  if (!queue_in_ && !make_queue()) return false;
  is_new_ = true;
  pad_ = pad;
  return GST_PAD_LINK_SUCCESSFUL(gst_pad_link(pad, queue_in_));
}

void FilterInput::leave(GstPad* pad) {
  if (pad_ != pad) return;
  pad_ = nullptr;
  gst_pad_unlink(pad, queue_in_);
}

void FilterInput::end() {
  if (queue_in_) gst_pad_send_event(queue_in_, gst_event_new_eos());
}

GstPadProbeReturn FilterInput::on_event(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<FilterInput*>(data);
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT)
    GST_PAD_PROBE_INFO_DATA(info) = self->moved(event);
  return GST_PAD_PROBE_OK;
}

// Takes the event and returns it, or another in its place.
GstEvent* FilterInput::moved(GstEvent* event) {
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  if (!counts_time(segment)) return event;
  const auto time = static_cast<gint64>(segment.time), base = static_cast<gint64>(segment.base);
  if (!lead_) lead_ = time - base;
  if (std::exchange(is_new_, false)) {
    const gint64 expected = base + *lead_;
    shift_ = time + kSmallStep < expected ? static_cast<guint64>(expected - time) : 0;
  }
  if (shift_ == 0) return event;
  segment.time += shift_;
  GstEvent* other = gst_event_new_segment(&segment);
  gst_event_set_seqnum(other, gst_event_get_seqnum(event));
  gst_event_unref(event);
  return other;
}
