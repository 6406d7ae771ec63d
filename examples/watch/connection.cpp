// How a connection begins, and what comes of it; connection_end.cpp has how it ends.
#include "examples/watch/connection.h"

#include <algorithm>
#include <utility>

#include "examples/common/lost_errors.h"

namespace {

constexpr guint kTickMs = 200;
constexpr gint64 kUntilAllStreams = G_USEC_PER_SEC;  // from the first picture on

constexpr char kWrongFormat[] = "the stream cannot be watched in this format";
constexpr gint64 kUntilSettled = 5 * G_USEC_PER_SEC;  // what fits no pad later is another stream

// The filter's error about caps that came, which is the source's doing.
bool is_negotiation(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const bool is = g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
  g_error_free(error);
  return is;
}

GstElement* add_sink(GstElement* pipeline, bool paced_by_source) {
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  // No preroll: the sound may come later than the pictures, or never.
  g_object_set(sink, "async", FALSE, "sync", !paced_by_source, nullptr);
  gst_bin_add(GST_BIN(pipeline), sink);
  gst_element_sync_state_with_parent(sink);
  return sink;
}

}  // namespace

Connection::Connection(const WatchArguments& arguments, GstElement* filter, ClipRecorder* recorder,
                       HlsPublisher* publisher, Host host)
    : arguments_(arguments),
      pipeline_(gst_pipeline_new(nullptr)),
      filter_(filter),
      recorder_(recorder),
      publisher_(publisher),
      host_(std::move(host)),
      source_(pipeline_, arguments.uri, {arguments.video_track, arguments.audio_track},
              [this](const LiveStream& stream) { add_stream(stream); }),
      began_us_(g_get_monotonic_time()) {
  hear_lost_errors(pipeline_);
  gst_bin_add(GST_BIN(pipeline_), filter_);
  GstElement* sink = add_sink(pipeline_, LiveSource::is_paced(arguments.uri));
  gst_element_link_pads(filter_, "src", sink, "sink");
  GstBus* bus = gst_element_get_bus(pipeline_);
  bus_watch_ = gst_bus_add_watch(bus, on_message, this);
  gst_object_unref(bus);
  tick_ = g_timeout_add(kTickMs, on_tick, this);
  if (recorder_) recorder_->attach();
  if (publisher_) publisher_->attach(pipeline_);
}

// The main loop's part of the end; the rest may be done on another thread.
void Connection::leave_main_loop() {
  for (guint* source : {&bus_watch_, &tick_, &ended_}) {
    if (*source) g_source_remove(std::exchange(*source, 0));
  }
}

Connection::~Connection() {
  leave_main_loop();
  if (ending_source_.joinable()) ending_source_.join();
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

std::string Connection::start() {
  const std::string wrong = source_.start(static_cast<guint>(arguments_.latency_ms));
  if (wrong.empty()) gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  return wrong;  // a failure to play comes as a message
}

// ---- Streams turn up, on GStreamer's threads ----

void Connection::add_stream(const LiveStream& stream) {
  const auto tap_into = [&](StreamTaps& taps) {
    const auto tap = StreamTap::on(stream);
    std::lock_guard lock(mutex_);
    taps.push_back(tap);
  };
  if (recorder_) tap_into(taps_);
  if (publisher_) tap_into(published_taps_);
  GstElement* queue = gst_element_factory_make("queue", nullptr);
  GstElement* decoder = gst_element_factory_make("decodebin", nullptr);
  // What waits for its first picture must not keep the pipeline, and with it the sound, in PAUSED:
  // the source would wait for the sound's queue, and the picture for the source.
  g_object_set(decoder, "async-handling", TRUE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline_), queue, decoder, nullptr);
  g_signal_connect(decoder, "pad-added", G_CALLBACK(on_decoded), this);
  gst_element_link_many(stream.tee, queue, decoder, nullptr);
  gst_element_sync_state_with_parent(decoder);
  gst_element_sync_state_with_parent(queue);
}

void Connection::on_decoded(GstElement*, GstPad* pad, gpointer self) {
  static_cast<Connection*>(self)->watch(pad);
}

void Connection::watch(GstPad* pad) {
  GstCaps* caps = gst_pad_query_caps(pad, nullptr);
  const bool video =
      g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "video/");
  gst_caps_unref(caps);
  GstPad* in = video ? gst_element_get_static_pad(filter_, "sink")
                     : gst_element_request_pad_simple(filter_, "audio_sink");
  if (!in) return leave_out(pad, video);
  if (!video) {
    GstElement* sink = add_sink(pipeline_, LiveSource::is_paced(arguments_.uri));
    gst_element_link_pads(filter_, "audio_src", sink, "sink");
  }
  if (GST_PAD_LINK_FAILED(gst_pad_link(pad, in)))
    GST_ELEMENT_ERROR(pipeline_, STREAM, FORMAT,
                      ("%s: vidifilter does not take %s", kWrongFormat, format_text(pad).c_str()),
                      (nullptr));
  gst_object_unref(in);
}

// What the filter does not take passes unwatched, and that is said.
void Connection::leave_out(GstPad* pad, bool video) {
  const auto drop = [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_DROP; };
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM, drop, nullptr, nullptr);
  GstStructure* note = gst_structure_new(
      LiveTracks::kNote, "text", G_TYPE_STRING,
      video ? "a second picture is not watched" : "sound that began late is not heard", nullptr);
  gst_element_post_message(pipeline_, gst_message_new_element(GST_OBJECT(pipeline_), note));
}

// ---- Messages ----

gboolean Connection::on_message(GstBus*, GstMessage* message, gpointer self) {
  static_cast<Connection*>(self)->handle(message);
  return G_SOURCE_CONTINUE;
}

void Connection::handle(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_EOS:
      if (!ending_) end(Why::kEnd, "the source ended");
      finish();
      break;
    case GST_MESSAGE_ERROR:
      handle_error(message);
      break;
    case GST_MESSAGE_WARNING: {
      const std::string text = warnings_.add(message);
      if (!text.empty()) host_.on_note(text);
      break;
    }
    case GST_MESSAGE_STREAM_COLLECTION:
      source_.take_streams(message);
      break;
    case GST_MESSAGE_ELEMENT:
      handle_structure(message);
      break;
    default:
      break;
  }
}

void Connection::handle_error(GstMessage* message) {
  const bool has_settled = g_get_monotonic_time() - began_us_ > kUntilSettled;
  const std::string text = message_text(message);
  const bool of_the_filter = GST_MESSAGE_SRC(message) == GST_OBJECT(filter_);
  const bool of_its_input = of_the_filter && is_negotiation(message);
  const bool wrong_format = of_its_input || g_str_has_prefix(text.c_str(), kWrongFormat);
  if (has_settled && has_pictures() && wrong_format) return end(Why::kChanged, kChanged);
  end(of_the_filter && !of_its_input ? Why::kBroken : Why::kLost, text);
}

void Connection::handle_structure(GstMessage* message) {
  const GstStructure* s = gst_message_get_structure(message);
  if (gst_structure_has_name(s, LiveTracks::kNote))
    host_.on_note(gst_structure_get_string(s, "text"));
  if (gst_structure_has_name(s, "vidi/result")) take_result(s);
  if (gst_structure_has_name(s, "vidi/window")) take_window(s);
}

void Connection::take_result(const GstStructure* result) {
  // Where the source sends in real time, this moment on the clock that its pictures go by.
  const GstClockTime now_running = LiveSource::is_paced(arguments_.uri)
                                       ? gst_element_get_current_running_time(pipeline_)
                                       : GST_CLOCK_TIME_NONE;
  const Sighting hit = sighting(result, g_get_real_time(), now_running);
  if (hit.final) {
    growing_.erase(hit.result_id);
  } else {
    growing_[hit.result_id] = hit.start;
  }
  const bool is_wanted = host_.on_hit(hit);
  if (recorder_ && hit.final && is_wanted) recorder_->save(hit);
  if (publisher_) publisher_->tag(hit);
}

// Windows are analysed in order: no hit begins before the last one did, but for those that grow.
void Connection::take_window(const GstStructure* window) {
  guint64 start = 0;
  if (!recorder_ || !gst_structure_get_uint64(window, "window-start", &start)) return;
  GstPad* pad = gst_element_get_static_pad(filter_, "src");
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  gst_object_unref(pad);
  if (!event) return;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  GstClockTime from = gst_segment_to_running_time(segment, GST_FORMAT_TIME, start);
  gst_event_unref(event);
  for (const auto& [id, begin] : growing_) from = std::min(from, begin);
  if (GST_CLOCK_TIME_IS_VALID(from)) recorder_->keep_from(from);
}

// Pictures and sound turn up one after the other, and a muxer must know all of them when it begins.
void Connection::hand_on_streams(gint64 now_us) {
  if (!has_pictures()) return;
  if (pictures_since_us_ == 0) pictures_since_us_ = now_us;
  if (now_us - pictures_since_us_ < kUntilAllStreams) return;
  StreamTaps taps, published_taps;
  {
    std::lock_guard lock(mutex_);
    taps = taps_, published_taps = published_taps_;
  }
  if (recorder_) recorder_->tick(taps);
  if (publisher_) publisher_->tick(published_taps);
}
