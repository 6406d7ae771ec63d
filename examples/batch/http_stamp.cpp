#include "examples/batch/http_stamp.h"

#include <gst/gst.h>

#include <mutex>

#include "examples/batch/file_stamp.h"
#include "examples/common/text.h"
#include "examples/common/warnings.h"

namespace {

constexpr GstClockTime kLongestWait = GST_SECOND / 10;

// What the headers say, from the streaming thread.
struct Headers {
  std::mutex mutex;
  bool are_there = false;
  std::string etag, modified, length;
};

gboolean take_header(GQuark name, const GValue* value, gpointer data) {
  auto* headers = static_cast<Headers*>(data);
  if (!G_VALUE_HOLDS_STRING(value)) return TRUE;
  const std::string text = g_value_get_string(value) ? g_value_get_string(value) : "";
  const gchar* known = g_quark_to_string(name);
  if (g_ascii_strcasecmp(known, "etag") == 0) headers->etag = text;
  if (g_ascii_strcasecmp(known, "last-modified") == 0) headers->modified = text;
  if (g_ascii_strcasecmp(known, "content-length") == 0) headers->length = text;
  return TRUE;
}

// souphttpsrc and curlhttpsrc both send this event before the first byte.
GstPadProbeReturn on_event(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const GstStructure* said = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  if (!said || !gst_structure_has_name(said, "http-headers")) return GST_PAD_PROBE_OK;
  auto* headers = static_cast<Headers*>(data);
  std::lock_guard lock(headers->mutex);
  const GValue* answer = gst_structure_get_value(said, "response-headers");
  if (answer && GST_VALUE_HOLDS_STRUCTURE(answer))
    gst_structure_foreach(gst_value_get_structure(answer), take_header, headers);
  headers->are_there = true;
  return GST_PAD_PROBE_OK;
}

std::string text_of(Headers& headers) {
  std::lock_guard lock(headers.mutex);
  const std::string which =
      headers.etag.empty() ? "modified " + headers.modified : "etag " + headers.etag;
  return which + " length " + headers.length;
}

// Until the first byte, which comes after the headers, an error, or `stop`.
std::string wait_for_answer(GstElement* pipeline, const std::atomic<bool>& stop) {
  GstBus* bus = gst_element_get_bus(pipeline);
  std::string error;
  for (bool ended = false; !ended && !stop;) {
    constexpr auto kWanted =
        static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_ASYNC_DONE);
    GstMessage* message = gst_bus_timed_pop_filtered(bus, kLongestWait, kWanted);
    if (!message) continue;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) error = message_text(message);
    ended = true;
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return error;
}

}  // namespace

FileStamp stamp_of_http(const std::string& uri, const std::atomic<bool>& stop) {
  GError* why = nullptr;
  GstElement* source = gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, &why);
  const std::string unknown = why ? printable(why->message) : "";
  g_clear_error(&why);
  if (!source) return {"", "nothing here reads such an address: " + unknown};
  GstElement* pipeline = gst_pipeline_new(nullptr);
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  gst_bin_add_many(GST_BIN(pipeline), source, sink, nullptr);
  gst_element_link(source, sink);
  Headers headers;
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, &headers, nullptr);
  gst_object_unref(pad);
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  const std::string error = wait_for_answer(pipeline, stop);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return error.empty() ? FileStamp{text_of(headers), ""} : FileStamp{"", error};
}
