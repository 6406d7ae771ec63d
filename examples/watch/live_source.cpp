#include "examples/watch/live_source.h"

#include <gst/sdp/sdp.h>

#include <cstring>

#include "examples/watch/arrival_stamp.h"

namespace {

// A clock in the corner tells whoever looks at a clip how old it is.
constexpr char kTestStreams[] =
    "videotestsrc is-live=true pattern=smpte ! video/x-raw,width=320,height=240,framerate=15/1 ! "
    "timeoverlay ! video/x-raw ! identity name=video "
    "audiotestsrc is-live=true wave=ticks tick-interval=500000000 ! "
    "audio/x-raw,rate=16000,channels=1 ! identity "
    "name=audio";

constexpr gint64 kUntilSettled = 3 * G_USEC_PER_SEC;  // from the first picture on
constexpr auto kVideoProbe =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);

bool begins_with(const std::string& text, const char* begin) {
  return g_ascii_strncasecmp(text.c_str(), begin, strlen(begin)) == 0;
}

// Whose data comes when it happens.
bool is_live(const std::string& uri) {
  return !begins_with(uri, "file:") && !begins_with(uri, "fd:");
}

// Of the forms in which pictures come without parameters among them: those are in the caps, or
// lost.
bool has_parameters(GstEvent* caps_event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(caps_event, &caps);
  const GstStructure* s = gst_caps_get_structure(caps, 0);
  const gchar* format = gst_structure_get_string(s, "stream-format");
  const bool needs_them = g_strcmp0(format, "avc") == 0 || g_strcmp0(format, "hvc1") == 0;
  return !needs_them || gst_structure_has_field(s, "codec_data");
}

GstPadProbeReturn drop(GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_DROP; }

void link_to_sink(GstPad* pad, GstElement* element) {
  GstPad* sink = gst_element_get_static_pad(element, "sink");
  gst_pad_link(pad, sink);
  gst_object_unref(sink);
}

}  // namespace

LiveSource::LiveSource(GstElement* pipeline, const std::string& uri, const TrackWishes& wishes,
                       OnStream on_stream)
    : pipeline_(pipeline),
      bin_(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("source")))),
      uri_(uri),
      tracks_(pipeline, wishes, begins_with(uri, "file:") ? uri : ""),
      on_stream_(std::move(on_stream)) {
  g_object_set(bin_, "async-handling", TRUE, nullptr);  // the pipeline plays at once
  g_signal_connect(bin_, "deep-element-added", G_CALLBACK(on_element), this);
  gst_bin_add(GST_BIN(pipeline_), bin_);
}

// Signals of the elements come here until they are stopped.
LiveSource::~LiveSource() {
  disconnect();
  gst_object_unref(bin_);
}

// First what sends: a parser that is told to stop while it exchanges its streams may wait for its
// own thread for ever (1.22).
void LiveSource::disconnect() {
  gst_element_set_locked_state(bin_, TRUE);
  for (GstElement* element : {first_, bin_}) {
    if (element) gst_element_set_state(element, GST_STATE_NULL);
  }
}

bool LiveSource::is_paced(const std::string& uri) {
  for (const char* unpaced : {"file:", "fd:", "http:", "https:"}) {
    if (begins_with(uri, unpaced)) return false;
  }
  return true;
}

std::string LiveSource::start(guint latency_ms) {
  if (begins_with(uri_, "rtsp")) return start_rtsp(latency_ms);
  if (begins_with(uri_, "test:")) return start_raw(kTestStreams);
  // A webcam's pictures may be JPEG or raw: they come decoded, whatever they were.
  if (begins_with(uri_, "v4l2:")) parser_ = "decodebin";
  return start_bytes();
}

// Null when there is no such element.
GstElement* LiveSource::add(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element) gst_bin_add(GST_BIN(bin_), element);
  return element;
}

std::string LiveSource::start_rtsp(guint latency_ms) {
  GstElement* source = first_ = add("rtspsrc");
  if (!source)
    return "GStreamer has no element named rtspsrc (in Debian: gstreamer1.0-plugins-good)";
  g_object_set(source, "location", uri_.c_str(), "latency", latency_ms, nullptr);
  // The camera's clock, as its RTCP reports tell it; since GStreamer 1.22.
  constexpr char kClock[] = "add-reference-timestamp-meta";
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(source), kClock))
    g_object_set(source, kClock, TRUE, nullptr);
  g_signal_connect(source, "on-sdp", G_CALLBACK(on_description), this);
  g_signal_connect(source, "select-stream", G_CALLBACK(wants), this);
  g_signal_connect(source, "pad-added", G_CALLBACK(on_received), this);
  return "";
}

std::string LiveSource::start_bytes() {
  GError* error = nullptr;
  GstElement* probe = gst_element_make_from_uri(GST_URI_SRC, uri_.c_str(), nullptr, &error);
  const std::string why = error ? error->message : "";
  g_clear_error(&error);
  if (!probe) return why;
  gst_object_unref(gst_object_ref_sink(probe));
  GstElement* source = first_ = add("urisourcebin");
  if (!source) return "GStreamer has no element named urisourcebin";
  g_object_set(source, "uri", uri_.c_str(), nullptr);
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

void LiveSource::on_description(GstElement*, gpointer description, gpointer self) {
  const auto* sdp = static_cast<const GstSDPMessage*>(description);
  std::vector<Track> media;
  for (guint i = 0; i < gst_sdp_message_medias_len(sdp); ++i) {
    const GstSDPMedia* medium = gst_sdp_message_get_media(sdp, i);
    const gchar* language = gst_sdp_media_get_attribute_val(medium, "lang");
    Track track;
    track.stream_id = std::to_string(i);
    track.kind = kind_of(std::string(gst_sdp_media_get_media(medium)) + "/");
    track.language = language ? language : "";
    track.playable = true;
    media.push_back(track);
  }
  static_cast<LiveSource*>(self)->tracks_.describe(media);
}

// Cameras offer metadata and a way to send sound to them: neither is for us.
gboolean LiveSource::wants(GstElement*, guint index, GstCaps*, gpointer self) {
  return static_cast<LiveSource*>(self)->tracks_.is_wanted(index);
}

// For files, as vidi-ask does.
void LiveSource::on_element(GstBin*, GstBin*, GstElement* element, gpointer data) {
  auto* self = static_cast<LiveSource*>(data);
  if (is_made_by(element, "qtdemux")) self->movie_header_.watch(element);
  if (JoinedTimes::are_of(element)) self->joined_times_.watch(element);
}

void LiveSource::on_received(GstElement*, GstPad* pad, gpointer self) {
  if (GST_PAD_IS_SRC(pad)) static_cast<LiveSource*>(self)->add_parser(pad);
}

void LiveSource::on_parsed(GstElement*, GstPad* pad, gpointer self) {
  static_cast<LiveSource*>(self)->add_stream(pad);
}

void LiveSource::on_gone(GstElement*, GstPad* pad, gpointer data) {
  auto* self = static_cast<LiveSource*>(data);
  std::lock_guard lock(self->mutex_);
  if (self->watched_.contains(pad)) self->has_changed_ = true;
}

GstPadProbeReturn LiveSource::on_video(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<LiveSource*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    self->last_video_us_ = g_get_monotonic_time();
    if (self->first_video_us_ == 0) self->first_video_us_ = self->last_video_us_.load();
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
    self->has_ended_ = true;
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CAPS) {
    self->lacks_parameters_ = !has_parameters(GST_PAD_PROBE_INFO_EVENT(info));
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn LiveSource::on_sound(GstPad*, GstPadProbeInfo*, gpointer self) {
  static_cast<LiveSource*>(self)->last_sound_us_ = g_get_monotonic_time();
  return GST_PAD_PROBE_OK;
}

void LiveSource::add_parser(GstPad* pad) {
  GstElement* parser = add(parser_);
  g_signal_connect(parser, "pad-added", G_CALLBACK(on_parsed), this);
  g_signal_connect(parser, "pad-removed", G_CALLBACK(on_gone), this);
  gst_element_sync_state_with_parent(parser);
  link_to_sink(pad, parser);
}

// One of each kind gets a tee; the others are thrown away.
void LiveSource::add_stream(GstPad* pad) {
  if (!tracks_.is_wanted(GST_BIN(bin_), pad)) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM, drop, nullptr, nullptr);
    return;
  }
  const std::string type = media_type(pad);
  LiveStream stream{.video = kind_of(type) == Kind::kPicture,
                    .raw = type == "video/x-raw" || type == "audio/x-raw",
                    .tee = gst_element_factory_make("tee", nullptr)};
  {
    std::lock_guard lock(mutex_);
    streams_.push_back(stream);
    watched_.insert(pad);
  }
  g_object_set(stream.tee, "allow-not-linked", TRUE, nullptr);
  gst_bin_add(GST_BIN(pipeline_), stream.tee);
  gst_element_sync_state_with_parent(stream.tee);
  if (is_live(uri_)) stamp_arrivals(pad, pipeline_);
  if (stream.video) {
    gst_pad_add_probe(pad, kVideoProbe, on_video, this, nullptr);
  } else {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_sound, this, nullptr);
  }
  on_stream_(stream);

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

// Streams turn up one after the other: what is new right at the beginning is no change.
void LiveSource::take_streams(GstMessage* message) {
  if (first_video_us_ == 0 || g_get_monotonic_time() - first_video_us_ < kUntilSettled) return;
  GstStreamCollection* streams = nullptr;
  gst_message_parse_stream_collection(message, &streams);
  if (streams && tracks_.are_outdated(GST_MESSAGE_SRC(message), streams)) has_changed_ = true;
  if (streams) gst_object_unref(streams);
}

void LiveSource::end() {
  disconnect();
  for (const LiveStream& stream : streams()) {
    GstPad* sink = gst_element_get_static_pad(stream.tee, "sink");
    gst_pad_send_event(sink, gst_event_new_eos());  // refused where it has ended by itself
    gst_object_unref(sink);
  }
}
