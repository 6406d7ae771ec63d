#include "examples/common/lost_errors.h"

#include "examples/common/tracks.h"

namespace {

thread_local int n_heard = 0;  // errors that came to a pipeline's bus

// Where the messages of an element go.
struct Ways {
  GstBus* usual;        // that of the bin it is in
  GstBus* all;          // the pipeline's
  GThread* connecting;  // an error on this thread is of an attempt
};

void free_ways(gpointer data) {
  auto* ways = static_cast<Ways*>(data);
  gst_object_unref(ways->usual);
  gst_object_unref(ways->all);
  delete ways;
}

bool is_error(GstMessage* message) { return GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR; }

bool is_running(GstObject* source) {
  return GST_IS_ELEMENT(source) && GST_STATE(source) >= GST_STATE_PAUSED;
}

GstBusSyncReply count_errors(GstBus*, GstMessage* message, gpointer) {
  if (is_error(message)) ++n_heard;
  return GST_BUS_PASS;
}

// All of it happens on the thread of who posts: if nobody heard it by now, nobody will.
GstBusSyncReply pass_on(GstBus*, GstMessage* message, gpointer data) {
  const auto& ways = *static_cast<Ways*>(data);
  const int n_before = n_heard;
  const bool is_its_own = is_error(message) && g_thread_self() != ways.connecting &&
                          is_running(GST_MESSAGE_SRC(message));
  gst_bus_post(ways.usual, gst_message_ref(message));
  if (is_its_own && n_heard == n_before) gst_bus_post(ways.all, gst_message_ref(message));
  gst_message_unref(message);
  return GST_BUS_DROP;
}

void on_element(GstBin* pipeline, GstBin* bin, GstElement* element, gpointer) {
  if (!is_made_by(GST_ELEMENT(bin), "decodebin") && !is_made_by(GST_ELEMENT(bin), "parsebin"))
    return;
  GstBus* usual = gst_element_get_bus(element);
  GstBus* all = gst_element_get_bus(GST_ELEMENT(pipeline));
  GstBus* own = gst_bus_new();
  gst_bus_set_sync_handler(own, pass_on, new Ways{usual, all, g_thread_self()}, free_ways);
  gst_element_set_bus(element, own);  // until it leaves its bin
  gst_object_unref(own);
}

}  // namespace

void hear_lost_errors(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  gst_bus_set_sync_handler(bus, count_errors, nullptr, nullptr);
  gst_object_unref(bus);
  g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(on_element), nullptr);
}
