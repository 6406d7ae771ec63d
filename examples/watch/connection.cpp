#include "examples/watch/connection.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "examples/common/lost_errors.h"
#include "examples/common/queries.h"

namespace {

constexpr guint kTickMs = 200;
constexpr gint64 kLongestStand = 60 * G_USEC_PER_SEC;  // beyond --timeout
constexpr double kLongestUnwatchedS = 30;              // or two windows
constexpr gint64 kUntilAllStreams = G_USEC_PER_SEC;    // from the first picture on
// What came is analysed to its end for so long.
constexpr gint64 kLongestStop = 3 * G_USEC_PER_SEC / 2, kLongestEnd = 60 * G_USEC_PER_SEC;

constexpr char kWrongFormat[] = "the stream cannot be watched in this format";
constexpr gint64 kUntilSettled = 5 * G_USEC_PER_SEC;  // what fits no pad later is another stream
constexpr char kChanged[] = "the streams of the source have changed";
constexpr char kNoParameters[] = "the pictures came without what their decoder needs";

// The filter's error about caps that came, which is the source's doing.
bool is_negotiation(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const bool is = g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
  g_error_free(error);
  return is;
}

GstClockTime ns(double seconds) { return static_cast<GstClockTime>(seconds * GST_SECOND); }

GstElement* add_sink(GstElement* pipeline, bool paced_by_source) {
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  // No preroll: the sound may come later than the pictures, or never.
  g_object_set(sink, "async", FALSE, "sync", !paced_by_source, nullptr);
  gst_bin_add(GST_BIN(pipeline), sink);
  gst_element_sync_state_with_parent(sink);
  return sink;
}

// A sink that is added while the pipeline changes its state may be left in PAUSED, where it takes
// nothing (1.22): the pipeline has told its children already, and the sink has asked it before.
void wake(GstElement* pipeline) {
  if (GST_STATE(pipeline) != GST_STATE_PLAYING ||
      GST_STATE_PENDING(pipeline) != GST_STATE_VOID_PENDING)
    return;
  GstIterator* sinks = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "fakesink");
  const auto each = [](const GValue* sink, gpointer) {
    auto* element = GST_ELEMENT(g_value_get_object(sink));
    if (GST_STATE(element) != GST_STATE_PLAYING) gst_element_sync_state_with_parent(element);
  };
  while (gst_iterator_foreach(sinks, each, nullptr) == GST_ITERATOR_RESYNC)
    gst_iterator_resync(sinks);
  gst_iterator_free(sinks);
}

// Nothing that still flows waits for room any more: who stops the source waits for it.
void open_queues(GstElement* pipeline) {
  GstIterator* queues = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "queue");
  const auto each = [](const GValue* queue, gpointer) {
    g_object_set(g_value_get_object(queue), "max-size-buffers", 0, "max-size-bytes", 0,
                 "max-size-time", guint64{0}, nullptr);
  };
  while (gst_iterator_foreach(queues, each, nullptr) == GST_ITERATOR_RESYNC)
    gst_iterator_resync(queues);
  gst_iterator_free(queues);
}

}  // namespace

GstElement* make_filter(const WatchArguments& a, const std::string& model) {
  GstElement* filter = gst_element_factory_make("vidifilter", nullptr);
  if (!filter) return nullptr;
  gint rate_n = 0, rate_d = 1;  // the checkpoint's own
  if (a.rate > 0) gst_util_double_to_fraction(a.rate, &rate_n, &rate_d);
  g_object_set(filter, "model-path", model.c_str(), "device", a.device.c_str(), "window-duration",
               ns(a.window_s), "window-stride", ns(a.stride_s), "min-confidence", a.min_confidence,
               "frame-rate", rate_n, rate_d, nullptr);
  gst_util_set_object_arg(G_OBJECT(filter), "precision", a.precision.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "weights", a.weights.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "keys", a.keys.c_str());
  g_object_set(filter, "memory-limit", static_cast<guint64>(*a.memory_limit), "unload-after",
               ns(a.unload_after_s), "split-windows", a.splits_windows, nullptr);
  // The present matters: when the model is too slow, the oldest windows are left out.
  gst_util_set_object_arg(G_OBJECT(filter), "overload-policy", "drop-oldest");
  gst_util_set_object_arg(G_OBJECT(filter), "task", a.task.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "gate", a.gate.c_str());
  if (a.gate_similarity > 0) g_object_set(filter, "gate-similarity", a.gate_similarity, nullptr);
  g_object_set(filter, "max-highlights", static_cast<guint>(a.max_highlights), nullptr);
  set_queries(filter, a.queries);
  return filter;
}

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
  const Sighting hit = sighting(result, g_get_real_time());
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

// ---- The end ----

gboolean Connection::on_tick(gpointer data) {
  auto* self = static_cast<Connection*>(data);
  const gint64 now = g_get_monotonic_time();
  wake(self->pipeline_);
  if (self->ending_) {
    if (now >= self->end_by_us_) self->finish();
    return G_SOURCE_CONTINUE;
  }
  if (self->source_.has_changed()) {
    self->end(Why::kChanged, kChanged);
    return G_SOURCE_CONTINUE;
  }
  if (self->source_.lacks_parameters()) {
    self->end(Why::kUnwatched, kNoParameters);
    return G_SOURCE_CONTINUE;
  }
  if (self->source_.has_ended()) {
    self->end(Why::kEnd, "the source ended");
    return G_SOURCE_CONTINUE;
  }
  if (!self->has_pictures_to_come(now)) return G_SOURCE_CONTINUE;
  if (!self->is_watched(now)) return G_SOURCE_CONTINUE;
  self->hand_on_streams(now);
  return G_SOURCE_CONTINUE;
}

// False when the connection is given up for the lack of them. A slide that stands while somebody
// speaks is no loss; a camera whose picture alone is gone comes back when it is connected anew.
bool Connection::has_pictures_to_come(gint64 now) {
  const gint64 timeout = static_cast<gint64>(arguments_.timeout_s * G_USEC_PER_SEC);
  const gint64 without = now - std::max(source_.last_video_us(), began_us_);
  const bool sound_goes_on = has_pictures() && now - source_.last_sound_us() <= timeout;
  char text[64];
  g_snprintf(text, sizeof text, "no picture for %g s",
             static_cast<double>(without / G_USEC_PER_SEC));
  if (without > (sound_goes_on ? timeout + kLongestStand : timeout)) {
    end(Why::kLost, text);
    return false;
  }
  if (const bool stood = std::exchange(stands_, without > timeout); stands_ && !stood)
    host_.on_note(std::string(text) + ", the last one stands while the sound goes on");
  return true;
}

// False when the connection is given up because no window comes although pictures do, whatever it
// is that holds them up.
bool Connection::is_watched(gint64 now) {
  guint64 n_windows = 0, n_empty = 0;
  GstStructure* stats = nullptr;
  g_object_get(filter_, "stats", &stats, nullptr);
  gst_structure_get(stats, "windows-submitted", G_TYPE_UINT64, &n_windows,
                    "windows-dropped-too-few-frames", G_TYPE_UINT64, &n_empty, nullptr);
  n_windows -= n_empty;
  gst_structure_free(stats);
  if (!has_pictures() || window_us_ == 0 || n_windows != n_windows_) window_us_ = now;
  n_windows_ = n_windows;
  const gint64 without = now - window_us_;
  const double longest_s = std::max(2 * arguments_.window_s, kLongestUnwatchedS);
  if (static_cast<double>(without) <= longest_s * G_USEC_PER_SEC) return true;
  char text[64];
  g_snprintf(text, sizeof text, "nothing was watched for %g s although pictures came", longest_s);
  end(Why::kUnwatched, text);
  return false;
}

// Also while it ends for another reason, which takes longer.
void Connection::stop() {
  end(Why::kStopped, "");
  why_ = why_ == Why::kBroken ? why_ : Why::kStopped;
  end_by_us_ = std::min(end_by_us_, g_get_monotonic_time() + kLongestStop);
}

void Connection::end(Why why, const std::string& text) {
  if (ending_) return;
  ending_ = true;
  why_ = why, why_text_ = text;
  // A stream that makes room for another one ends as well.
  if (why == Why::kEnd && source_.has_changed()) why_ = Why::kChanged, why_text_ = kChanged;
  end_by_us_ = g_get_monotonic_time() + (why == Why::kStopped ? kLongestStop : kLongestEnd);
  open_queues(pipeline_);
  if (why == Why::kBroken || why == Why::kUnwatched || !has_pictures()) return finish();
  ending_source_ = std::thread([this] { source_.end(); });
}

// Not from inside a message: the connection is likely to be destroyed.
void Connection::finish() {
  if (!ended_) ended_ = g_idle_add(on_ended, this);
}

gboolean Connection::on_ended(gpointer data) {
  auto* self = static_cast<Connection*>(data);
  self->ended_ = 0;
  for (const std::string& again : self->warnings_.take_repeated()) self->host_.on_note(again);
  if (self->recorder_) self->recorder_->detach();
  if (self->publisher_) self->publisher_->detach();
  const auto on_end = self->host_.on_end;  // copies: `self` may be destroyed in it
  const std::string text = self->why_text_;
  on_end(self->why_, text);
  return G_SOURCE_REMOVE;
}
