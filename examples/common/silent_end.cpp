#include "examples/common/silent_end.h"

#include "examples/common/tracks.h"

namespace {

constexpr gint64 kPatience = G_USEC_PER_SEC;  // what is said at all is said at once

// Those of playlists and descriptions begin to read where what they are given ends.
bool is_demuxer(GstElement* element) {
  const gchar* kind = gst_element_get_metadata(element, GST_ELEMENT_METADATA_KLASS);
  return kind && g_strrstr(kind, "Demuxer") && !g_strrstr(kind, "Adaptive") &&
         !g_strrstr(kind, "Network");
}

bool has_failed(GstElement* queue) {
  GstPad* pad = gst_element_get_static_pad(queue, "src");
  const GstFlowReturn flow = gst_pad_get_last_flow_return(pad);
  gst_object_unref(pad);
  return flow <= GST_FLOW_NOT_NEGOTIATED;
}

bool has_pads(GstElement* demuxer) {
  GST_OBJECT_LOCK(demuxer);
  const bool has_some = demuxer->numsrcpads > 0;
  GST_OBJECT_UNLOCK(demuxer);
  return has_some;
}

}  // namespace

void SilentEnd::watch(GstElement* pipeline) {
  g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(on_element), this);
}

void SilentEnd::on_element(GstBin*, GstBin*, GstElement* element, gpointer self) {
  if (is_made_by(element, "queue2") || is_demuxer(element))
    static_cast<SilentEnd*>(self)->add(element);
}

void SilentEnd::add(GstElement* element) {
  GstPad* pad = gst_element_get_static_pad(element, "sink");
  if (!pad) return;
  std::lock_guard lock(mutex_);
  Input& input = inputs_.emplace_back(element);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, &input, nullptr);
  gst_object_unref(pad);
}

GstPadProbeReturn SilentEnd::on_event(GstPad*, GstPadProbeInfo* info, gpointer input) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
    static_cast<Input*>(input)->ended_us = g_get_monotonic_time();
  return GST_PAD_PROBE_OK;
}

std::string SilentEnd::why() const {
  std::lock_guard lock(mutex_);
  for (const Input& input : inputs_) {
    if (const std::string text = why(input); !text.empty()) return text;
  }
  return "";
}

std::string SilentEnd::why(const Input& input) {
  const gint64 ended_us = input.ended_us;
  if (ended_us == 0 || g_get_monotonic_time() - ended_us < kPatience) return "";
  if (is_made_by(input.element, "queue2"))
    return has_failed(input.element) ? "GStreamer gave up reading it before its end" : "";
  GstElementFactory* factory = gst_element_get_factory(input.element);
  return has_pads(input.element)
             ? ""
             : "GStreamer's " + std::string(GST_OBJECT_NAME(factory)) + " finds no stream in it";
}
