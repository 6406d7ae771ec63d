#include "live_source.h"

#include <cstring>

namespace {

// A clock in the corner tells whoever looks at a clip how old it is.
constexpr char kTestStreams[] =
    "videotestsrc is-live=true pattern=smpte ! video/x-raw,width=320,height=240,framerate=15/1 ! "
    "timeoverlay ! video/x-raw ! identity name=video "
    "audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=16000,channels=1 ! identity "
    "name=audio";

constexpr auto kVideoProbe =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);

bool begins_with(const std::string& text, const char* begin) {
  return g_ascii_strncasecmp(text.c_str(), begin, strlen(begin)) == 0;
}

std::string caps_name(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  if (!caps) caps = gst_pad_query_caps(pad, nullptr);
  const bool known = !gst_caps_is_empty(caps) && !gst_caps_is_any(caps);
  const std::string name = known ? gst_structure_get_name(gst_caps_get_structure(caps, 0)) : "";
  gst_caps_unref(caps);
  return name;
}

void link_to_sink(GstPad* pad, GstElement* element) {
  GstPad* sink = gst_element_get_static_pad(element, "sink");
  gst_pad_link(pad, sink);
  gst_object_unref(sink);
}

}  // namespace

LiveSource::LiveSource(GstElement* pipeline, OnStream on_stream)
    : pipeline_(pipeline),
      bin_(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("source")))),
      on_stream_(std::move(on_stream)) {
  gst_bin_add(GST_BIN(pipeline_), bin_);
}

// Signals of the elements come here until they are stopped.
LiveSource::~LiveSource() {
  gst_element_set_locked_state(bin_, TRUE);
  gst_element_set_state(bin_, GST_STATE_NULL);
  gst_object_unref(bin_);
}

bool LiveSource::is_paced(const std::string& uri) {
  return !begins_with(uri, "file:") && !begins_with(uri, "http:") && !begins_with(uri, "https:");
}

std::string LiveSource::start(const std::string& uri, guint latency_ms) {
  if (begins_with(uri, "rtsp")) return start_rtsp(uri, latency_ms);
  if (begins_with(uri, "test:")) return start_raw(kTestStreams);
  // A webcam's pictures may be JPEG or raw: they come decoded, whatever they were.
  if (begins_with(uri, "v4l2:")) parser_ = "decodebin";
  return start_bytes(uri);
}

// Null when there is no such element.
GstElement* LiveSource::add(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element) gst_bin_add(GST_BIN(bin_), element);
  return element;
}

std::string LiveSource::start_rtsp(const std::string& uri, guint latency_ms) {
  GstElement* source = add("rtspsrc");
  if (!source)
    return "GStreamer has no element named rtspsrc (in Debian: gstreamer1.0-plugins-good)";
  g_object_set(source, "location", uri.c_str(), "latency", latency_ms, nullptr);
  // The camera's clock, as its RTCP reports tell it; since GStreamer 1.22.
  constexpr char kClock[] = "add-reference-timestamp-meta";
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(source), kClock))
    g_object_set(source, kClock, TRUE, nullptr);
  g_signal_connect(source, "select-stream", G_CALLBACK(wants), this);
  g_signal_connect(source, "pad-added", G_CALLBACK(on_received), this);
  return "";
}

std::string LiveSource::start_bytes(const std::string& uri) {
  GError* error = nullptr;
  GstElement* probe = gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, &error);
  const std::string why = error ? error->message : "";
  g_clear_error(&error);
  if (!probe) return why;
  gst_object_unref(gst_object_ref_sink(probe));
  GstElement* source = add("urisourcebin");
  if (!source) return "GStreamer has no element named urisourcebin";
  g_object_set(source, "uri", uri.c_str(), nullptr);
  g_signal_connect(source, "pad-added", G_CALLBACK(on_received), this);
  return "";
}

std::string LiveSource::start_raw(const std::string& description) {
  GError* error = nullptr;
  GstElement* inner = gst_parse_bin_from_description(description.c_str(), FALSE, &error);
  const std::string why = error ? error->message : "";
  g_clear_error(&error);
  if (!inner) return why;
  gst_bin_add(GST_BIN(bin_), inner);
  for (const char* name : {"video", "audio"}) {
    GstElement* last = gst_bin_get_by_name(GST_BIN(inner), name);
    GstPad* pad = gst_element_get_static_pad(last, "src");
    GstPad* ghost = gst_ghost_pad_new(name, pad);
    gst_element_add_pad(inner, ghost);
    add_stream(ghost);
    gst_object_unref(pad);
    gst_object_unref(last);
  }
  return "";
}

// ---- What turns up, on GStreamer's threads ----

// Cameras offer metadata and a way to send sound to them: neither is for us.
gboolean LiveSource::wants(GstElement*, guint, GstCaps* caps, gpointer) {
  const gchar* media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  return g_strcmp0(media, "video") == 0 || g_strcmp0(media, "audio") == 0;
}

void LiveSource::on_received(GstElement*, GstPad* pad, gpointer self) {
  if (GST_PAD_IS_SRC(pad)) static_cast<LiveSource*>(self)->add_parser(pad);
}

void LiveSource::on_parsed(GstElement*, GstPad* pad, gpointer self) {
  static_cast<LiveSource*>(self)->add_stream(pad);
}

GstPadProbeReturn LiveSource::on_video(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<LiveSource*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    self->last_video_us_ = g_get_monotonic_time();
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
    self->has_ended_ = true;
  }
  return GST_PAD_PROBE_OK;
}

void LiveSource::add_parser(GstPad* pad) {
  GstElement* parser = add(parser_);
  g_signal_connect(parser, "pad-added", G_CALLBACK(on_parsed), this);
  gst_element_sync_state_with_parent(parser);
  link_to_sink(pad, parser);
}

// The first of each kind gets a tee; the others are thrown away.
void LiveSource::add_stream(GstPad* pad) {
  const std::string caps = caps_name(pad);
  LiveStream stream{.video = begins_with(caps, "video/") || begins_with(caps, "image/"),
                    .raw = caps == "video/x-raw" || caps == "audio/x-raw"};
  bool is_wanted = stream.video || begins_with(caps, "audio/");
  {
    std::lock_guard lock(mutex_);
    for (const LiveStream& other : streams_) is_wanted &= other.video != stream.video;
    stream.tee = gst_element_factory_make(is_wanted ? "tee" : "fakesink", nullptr);
    if (is_wanted) streams_.push_back(stream);
  }
  if (is_wanted) {
    g_object_set(stream.tee, "allow-not-linked", TRUE, nullptr);
  } else {
    g_object_set(stream.tee, "async", FALSE, "sync", FALSE, nullptr);
  }
  gst_bin_add(GST_BIN(pipeline_), stream.tee);
  gst_element_sync_state_with_parent(stream.tee);
  if (stream.video && is_wanted) gst_pad_add_probe(pad, kVideoProbe, on_video, this, nullptr);
  if (is_wanted) on_stream_(stream);

  GstPad* ghost = gst_ghost_pad_new(nullptr, pad);
  gst_pad_set_active(ghost, TRUE);
  gst_element_add_pad(bin_, ghost);
  link_to_sink(ghost, stream.tee);
}

// ---- The main thread ----

std::vector<LiveStream> LiveSource::streams() const {
  std::lock_guard lock(mutex_);
  return streams_;
}

bool LiveSource::end() {
  gst_element_set_locked_state(bin_, TRUE);
  gst_element_set_state(bin_, GST_STATE_NULL);
  for (const LiveStream& stream : streams()) {
    GstPad* sink = gst_element_get_static_pad(stream.tee, "sink");
    gst_pad_send_event(sink, gst_event_new_eos());  // refused where it has ended by itself
    gst_object_unref(sink);
  }
  return last_video_us_ > 0;
}
