#include "gst/filter/side_pads.h"

#include "gst/filter/element_pads.h"
#include "gst/media/buffer_times.h"
#include "gst/results/line_forms.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {

SidePads::SidePads(GstElement* element, Delivery& delivery)
    : element_(element), delivery_(delivery), flows_(gst_flow_combiner_new()) {}

SidePads::~SidePads() { gst_flow_combiner_free(flows_); }

void SidePads::set_main(GstPad* src) {
  main_ = src;
  gst_flow_combiner_add_pad(flows_, src);
}

// ---- Coming and going ----

std::shared_ptr<SparsePad> SidePads::request(GstPadTemplate* templ, bool text) {
  const char* name = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  if (GstPad* there = gst_element_get_static_pad(element_, name)) {
    gst_object_unref(there);
    GST_WARNING_OBJECT(element_, "%s: expected at most one", name);
    return nullptr;
  }
  GstPad* pad = gst_pad_new_from_template(templ, name);
  GstCaps* caps = gst_caps_from_string(text ? kTextCaps : kLineCaps);
  auto side = std::make_shared<SparsePad>(pad, caps, text ? nullptr : in_form);
  gst_caps_unref(caps);
  {
    std::lock_guard lock(flow_mutex_);
    gst_flow_combiner_add_pad(flows_, pad);
  }
  if (text) {
    delivery_.set_text_pad(side);
  } else {
    delivery_.set_json_pad(side);
  }
  if (takes_data(element_)) gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element_, pad);
  return side;
}

void SidePads::release(GstPad* pad) {
  for (const auto& side : delivery_.side_pads()) {
    if (side->pad() != pad) continue;
    side->retire();
    if (g_str_equal(GST_OBJECT_NAME(pad), "text_src")) {
      delivery_.set_text_pad(nullptr);
    } else {
      delivery_.set_json_pad(nullptr);
    }
    std::lock_guard lock(flow_mutex_);
    gst_flow_combiner_remove_pad(flows_, pad);
  }
  gst_element_remove_pad(element_, pad);
}

void SidePads::forget() {
  for (const auto& side : delivery_.side_pads()) side->forget();
}

// ---- Beside the video ----

void SidePads::start(SparsePad& side, const StreamStart& video) {
  side.start(video.stream_id, video.group_id, side_segment(video.segment),
             side_time(video.segment, video.position), video.seqnum);
}

void SidePads::start(const StreamStart& video) {
  for (const auto& side : delivery_.side_pads()) start(*side, video);
}

void SidePads::wait_for_caps() {
  for (const auto& side : delivery_.side_pads()) side->wait_for_caps();
}

void SidePads::follow(const GstSegment& video, GstClockTime position) {
  for (const auto& side : delivery_.side_pads()) side->follow(side_time(video, position));
}

GstFlowReturn SidePads::combine(GstFlowReturn flow) {
  if (!delivery_.has_side_pads()) return flow;
  std::lock_guard lock(flow_mutex_);
  for (const auto& side : delivery_.side_pads()) {
    const GstFlowReturn last = side->last_flow();
    gst_flow_combiner_update_pad_flow(flows_, side->pad(),
                                      last == GST_FLOW_FLUSHING ? GST_FLOW_OK : last);
  }
  return gst_flow_combiner_update_pad_flow(flows_, main_, flow);
}

// ---- Flushes and ends ----

void SidePads::flush_start(guint32 seqnum) {
  for (const auto& side : delivery_.side_pads()) side->flush_start(seqnum);
}

void SidePads::flush_stop(guint32 seqnum) {
  for (const auto& side : delivery_.side_pads()) side->flush_stop(true, seqnum);
}

void SidePads::forget_flows() {
  std::lock_guard lock(flow_mutex_);
  gst_flow_combiner_reset(flows_);
}

void SidePads::end(guint32 seqnum) {
  for (const auto& side : delivery_.side_pads()) side->end(seqnum);
}

void SidePads::finish_segment(GstEvent* event) {
  for (const auto& side : delivery_.side_pads()) side->segment_done(gst_event_ref(event));
}

void SidePads::wait_until_sent() {
  for (const auto& side : delivery_.side_pads()) side->wait_until_sent();
}

}  // namespace vidi
