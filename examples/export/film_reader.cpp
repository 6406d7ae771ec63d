#include "examples/export/film_reader.h"

#include <algorithm>
#include <utility>

#include "examples/common/lost_errors.h"
#include "examples/common/text.h"
#include "examples/common/warnings.h"
#include "examples/export/turned_movie.h"

namespace {

constexpr GstClockTime kLongestWait = GST_SECOND / 10;  // so that Ctrl-C is heard

std::optional<gint64> stream_time(const GstSegment& segment, GstClockTime time) {
  guint64 value = 0;
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  const gint sign = gst_segment_to_stream_time_full(&segment, GST_FORMAT_TIME, time, &value);
  if (sign == 0) return std::nullopt;
  return sign > 0 ? static_cast<gint64>(value) : -static_cast<gint64>(value);
}

// The segment that the pad is in; false: none has come.
bool find_segment(GstPad* pad, GstSegment* segment) {
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (!event) return false;
  gst_event_copy_segment(event, segment);
  gst_event_unref(event);
  return segment->format == GST_FORMAT_TIME;
}

}  // namespace

FilmReader::FilmReader(const std::string& uri, const TrackWishes& wishes, Take take)
    : pipeline_(gst_pipeline_new(nullptr)), uri_(uri), wishes_(wishes), take_(std::move(take)) {
  hear_lost_errors(pipeline_);
  g_signal_connect(pipeline_, "deep-element-added", G_CALLBACK(on_element), this);
}

FilmReader::~FilmReader() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

std::string FilmReader::read(const std::atomic<bool>& interrupted, GstClockTime patience) {
  GError* failed = nullptr;
  GstElement* source = gst_element_make_from_uri(GST_URI_SRC, uri_.c_str(), nullptr, &failed);
  if (!source) {
    const std::string why = failed ? failed->message : "nothing here reads it";
    g_clear_error(&failed);
    return printable(why);
  }
  GstElement* parser = gst_element_factory_make("parsebin", nullptr);
  if (!parser) return gst_object_unref(source), "GStreamer has no element named parsebin";
  gst_bin_add_many(GST_BIN(pipeline_), source, parser, nullptr);
  gst_element_link(source, parser);
  g_signal_connect(parser, "pad-added", G_CALLBACK(on_pad), this);
  g_signal_connect(parser, "pad-removed", G_CALLBACK(on_pad_gone), this);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  GstMessage* end = wait(interrupted, patience);
  std::string error;
  if (!end && !interrupted) error = "nothing more came of it";
  if (end && GST_MESSAGE_TYPE(end) == GST_MESSAGE_ERROR) error = message_text(end);
  if (end) gst_message_unref(end);
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  return complaint_.empty() ? error : complaint_;
}

// Null: it was interrupted, or nothing came for too long.
GstMessage* FilmReader::wait(const std::atomic<bool>& interrupted, GstClockTime patience) {
  constexpr auto kEnds =
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_APPLICATION);
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* end = nullptr;
  guint64 n_before = 0;
  gint64 news_us = g_get_monotonic_time();
  while (!interrupted && !end) {
    end = gst_bus_timed_pop_filtered(bus, kLongestWait, kEnds);
    const gint64 now_us = g_get_monotonic_time();
    if (is_taking_ || n_buffers_ != n_before) news_us = now_us;
    n_before = n_buffers_;
    if (now_us - news_us > static_cast<gint64>(patience / GST_USECOND)) break;
  }
  gst_object_unref(bus);
  return end;
}

// The same tracks at the same times as where the film was watched.
void FilmReader::on_element(GstBin*, GstBin*, GstElement* element, gpointer data) {
  auto* self = static_cast<FilmReader*>(data);
  if (is_made_by(element, "qtdemux")) self->movie_header_.watch(element);
  if (JoinedTimes::are_of(element)) self->joined_times_.watch(element);
}

void FilmReader::on_pad(GstElement*, GstPad* pad, gpointer data) {
  auto* self = static_cast<FilmReader*>(data);
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
  gst_bin_add(GST_BIN(self->pipeline_), sink);
  gst_element_sync_state_with_parent(sink);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, self, nullptr);
  GstPad* in = gst_element_get_static_pad(sink, "sink");
  gst_pad_link(pad, in);
  gst_object_unref(in);
  std::lock_guard lock(self->mutex_);
  self->pads_.push_back(pad);
  self->has_new_pads_ = true;
}

void FilmReader::on_pad_gone(GstElement*, GstPad* pad, gpointer data) {
  auto* self = static_cast<FilmReader*>(data);
  std::lock_guard lock(self->mutex_);
  std::erase(self->pads_, pad);
  for (GstPad** chosen : {&self->video_, &self->audio_}) {
    if (*chosen == pad) *chosen = nullptr;
  }
}

// parsebin adds all pads of a group before one of them flows; where the streams change in the
// middle there is another group.
void FilmReader::choose() {
  const auto tracks = tracks_in(GST_BIN(pipeline_), pads_, true);
  if (!video_) video_ = choose_one(of_kind(tracks, Kind::kPicture), Kind::kPicture);
  if (!audio_) audio_ = choose_one(of_kind(tracks, Kind::kSound), Kind::kSound);
  was_chosen_ = true;
  gint64 duration = -1;
  gst_element_query_duration(pipeline_, GST_FORMAT_TIME, &duration);
  if (duration > 0) duration_ = static_cast<GstClockTime>(duration);
  if (GstCaps* caps = audio_ ? gst_pad_get_current_caps(audio_) : nullptr)
    sound_ = {caps, gst_caps_unref};
  has_audio_ |= audio_ != nullptr;
  if (!complaint_.empty()) post("refused");
}

GstPad* FilmReader::choose_one(const std::vector<Track>& tracks, Kind kind) {
  const bool is_local = g_str_has_prefix(uri_.c_str(), "file:");
  const bool is_picture = kind == Kind::kPicture;
  const std::string& wish = is_picture ? wishes_.video : wishes_.audio;
  const auto chosen = choose_track(tracks, wish, is_local ? uri_ : "");
  if (!chosen && !wish.empty() && !was_chosen_)
    complaint_ = std::string(is_picture ? "--video-track: " : "--audio-track: ") +
                 wish_complaint(tracks, wish);
  return chosen ? tracks[*chosen].pad : nullptr;
}

void FilmReader::post(const char* name) {
  gst_element_post_message(
      pipeline_, gst_message_new_application(GST_OBJECT(pipeline_), gst_structure_new_empty(name)));
}

GstPadProbeReturn FilmReader::on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  static_cast<FilmReader*>(self)->take(pad, GST_PAD_PROBE_INFO_BUFFER(info));
  return GST_PAD_PROBE_OK;
}

// What has no time is a header, and no packet.
void FilmReader::take(GstPad* pad, GstBuffer* buffer) {
  ++n_buffers_;
  GstSegment segment;
  if (is_enough_ || !find_segment(pad, &segment)) return;
  const auto pts = stream_time(segment, GST_BUFFER_PTS(buffer));
  GstCaps* caps = gst_pad_get_current_caps(pad);
  if (!pts || !caps) {
    if (caps) gst_caps_unref(caps);
    return;
  }
  const Packet packet{{gst_buffer_ref(buffer), gst_buffer_unref},
                      {caps, gst_caps_unref},
                      *pts,
                      stream_time(segment, GST_BUFFER_DTS(buffer)),
                      !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT),
                      turn_of(pad)};
  std::lock_guard lock(mutex_);
  if (std::exchange(has_new_pads_, false)) choose();
  const bool is_video = pad == video_;
  if (!is_video && pad != audio_) return;
  if (!is_video) sound_ = packet.caps;
  is_taking_ = true;
  const bool go_on = take_(is_video ? Kind::kPicture : Kind::kSound, packet);
  is_taking_ = false;
  if (go_on) return;
  is_enough_ = true;
  post("enough");
}
