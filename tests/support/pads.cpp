#include "tests/support/pads.h"

#include <gtest/gtest.h>

namespace vidi::test {
namespace {

// Owned by the caller.
GstPad* pad_of(GstElement* element, const char* name) {
  GstPad* pad = gst_element_get_static_pad(element, name);
  if (!pad) pad = gst_element_request_pad_simple(element, name);
  EXPECT_TRUE(pad) << "no pad " << name;
  return pad;
}

// With a template: without one a pad would accept no other caps than its current ones.
GstPad* linked_pad(GstPad* other) {
  const bool from = GST_PAD_IS_SRC(other);
  static GstStaticPadTemplate sink =
      GST_STATIC_PAD_TEMPLATE("in", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate src =
      GST_STATIC_PAD_TEMPLATE("out", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GstPad* pad = gst_pad_new_from_static_template(from ? &sink : &src, nullptr);
  gst_object_ref_sink(pad);
  const GstPadLinkReturn linked = from ? gst_pad_link(other, pad) : gst_pad_link(pad, other);
  EXPECT_EQ(linked, GST_PAD_LINK_OK);
  return pad;
}

GstPad* outlet_pad(GstElement* element, const char* name) {
  GstPad* other = pad_of(element, name);
  GstPad* pad = linked_pad(other);
  gst_object_unref(other);
  return pad;
}

void unlink_and_stop(GstPad* pad) {
  gst_pad_set_active(pad, FALSE);
  if (GstPad* peer = gst_pad_get_peer(pad)) {
    GST_PAD_IS_SRC(pad) ? gst_pad_unlink(pad, peer) : gst_pad_unlink(peer, pad);
    gst_object_unref(peer);
  }
}

template <class T>
T& owner(GstPad* pad) {
  return *static_cast<T*>(gst_pad_get_element_private(pad));
}

GstFlowReturn drop_buffer(GstPad*, GstObject*, GstBuffer* buffer) {
  gst_buffer_unref(buffer);
  return GST_FLOW_OK;
}

gboolean drop_event(GstPad*, GstObject*, GstEvent* event) {
  gst_event_unref(event);
  return TRUE;
}

}  // namespace

GstSegment time_segment(GstClockTime start) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start;
  return segment;
}

Feeder::Feeder(GstElement* element, const char* pad, const std::string& caps, bool live)
    : caps_(caps), live_(live), peer_(pad_of(element, pad)) {
  pad_ = linked_pad(peer_);
  gst_pad_set_element_private(pad_, this);
  gst_pad_set_event_function(pad_, on_event);
  gst_pad_set_query_function(pad_, on_query);
  gst_pad_set_active(pad_, TRUE);
}

Feeder::~Feeder() {
  unlink_and_stop(pad_);
  gst_object_unref(pad_);
  gst_object_unref(peer_);
}

void Feeder::start(const GstSegment& segment) {
  EXPECT_TRUE(send(gst_event_new_stream_start("the-stream")));
  GstCaps* caps = gst_caps_from_string(caps_.c_str());
  EXPECT_TRUE(send(gst_event_new_caps(caps))) << caps_;
  gst_caps_unref(caps);
  EXPECT_TRUE(send(gst_event_new_segment(&segment)));
}

void Feeder::flush(bool reset_time) {
  send(gst_event_new_flush_start());
  send(gst_event_new_flush_stop(reset_time));
}

gboolean Feeder::on_event(GstPad* pad, GstObject*, GstEvent* event) {
  Feeder& self = owner<Feeder>(pad);
  std::lock_guard lock(self.mutex_);
  self.events_.push_back(name_of(event));
  gst_event_unref(event);
  return TRUE;
}

gboolean Feeder::on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const Feeder& self = owner<Feeder>(pad);
  if (self.answer_ && self.answer_(query)) return TRUE;
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, query);
  gst_query_set_latency(query, self.live_, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

Strings Feeder::upstream_events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

Outlet::Outlet(GstElement* element, const char* pad) : PadLog(outlet_pad(element, pad)) {
  gst_object_unref(this->pad());  // the log keeps it
  gst_pad_set_element_private(this->pad(), this);
  gst_pad_set_chain_function(this->pad(), drop_buffer);
  gst_pad_set_event_function(this->pad(), drop_event);
  gst_pad_set_query_function(this->pad(), on_query);
  gst_pad_set_active(this->pad(), TRUE);
}

Outlet::~Outlet() { unlink_and_stop(pad()); }

gboolean Outlet::on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const QueryAnswer& answer = owner<Outlet>(pad).answer_;
  return (answer && answer(query)) || gst_pad_query_default(pad, parent, query);
}

}  // namespace vidi::test
