// What happens to the video's buffers and events; chain() names the steps in order.
#include "gst/filter/video_path.h"

#include <tuple>
#include <utility>

#include "gst/decode/sampling_query.h"
#include "gst/filter/element_pads.h"
#include "gst/media/buffer_times.h"
#include "gst/results/analytics_meta.h"

namespace vidi {

VideoPath::VideoPath(const VideoParts& parts)
    : settings_(parts.settings),
      engine_(parts.engine),
      notices_(parts.notices),
      status_(parts.status),
      feed_(parts.feed),
      delivery_(parts.delivery),
      present_(parts.present),
      flushes_(parts.flushes),
      side_pads_(parts.side_pads),
      idle_audio_(parts.idle_audio),
      audio_(parts.audio),
      late_end_(parts.late_end),
      sink_(pad_of(parts.element, "sink")),
      src_(pad_of(parts.element, "src")),
      watch_(sink_, stream_, parts),
      end_(sink_, src_, stream_, parts) {
  gst_pad_set_chain_function(sink_, on_video_buffer);
  gst_pad_set_event_function(sink_, on_video_event);
  pass_through(sink_, src_);
  for (GstPad* pad : {sink_, src_}) gst_pad_set_query_function(pad, on_video_query);
  gst_element_add_pad(parts.element, sink_);
  gst_element_add_pad(parts.element, src_);
  side_pads_.set_main(src_);
}

void VideoPath::start() {
  n_frames_ = 0;
  watch_.start();
  stream_ = VideoStream();
}

GstFlowReturn VideoPath::chain(GstBuffer* buffer) {
  ++n_frames_;
  if (status_.is_fatal()) {
    gst_buffer_unref(buffer);
    return GST_FLOW_ERROR;
  }
  follow(position_after(buffer));  // first: what the model says of this frame comes behind it
  watch_.watch(buffer);
  push_events(delivery_, src_);
  return side_pads_.combine(gst_pad_push(src_, marked(buffer)));
}

// With analytics-meta: what is known to hold now.
GstBuffer* VideoPath::marked(GstBuffer* buffer) const {
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return buffer;
  return with_analytics_meta(buffer, present_.at(Time(GST_BUFFER_PTS(buffer))));
}

void VideoPath::follow(GstClockTime position) {
  if (!is_possible(position)) return;
  delivery_.set_position(position);
  side_pads_.follow(stream_.segment, position);
  idle_audio_.follow(position);
}

// ---- Events ----

gboolean VideoPath::event(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      start_stream(event);
      break;
    case GST_EVENT_CAPS:
      take_caps(event);
      break;
    case GST_EVENT_TAG:
      take_tags(event);
      break;
    case GST_EVENT_SEGMENT:
      start_segment(event);
      break;
    case GST_EVENT_GAP:
      pass_gap(event);
      break;
    case GST_EVENT_EOS:
      if (end_.end_late(event)) return TRUE;
      end_.end_stream(gst_event_get_seqnum(event));
      break;
    case GST_EVENT_SEGMENT_DONE:
      end_.finish_segment(event);
      break;
    case GST_EVENT_FLUSH_START: {
      const guint32 seqnum = gst_event_get_seqnum(event);
      const gboolean sent = gst_pad_push_event(src_, event);
      flushes_.start_video(seqnum);
      return sent;
    }
    case GST_EVENT_FLUSH_STOP:
      flush_stop(gst_event_get_seqnum(event));
      break;
    default:
      break;
  }
  return gst_pad_push_event(src_, event);
}

void VideoPath::start_stream(GstEvent* event) {
  late_end_.cancel();  // it has an end all the same: that of what follows
  audio_.let_wait(false);
  watch_.close_window();
  std::tie(stream_.stream_id, stream_.group_id) = stream_of(event);
  change_tags([this](OrientationTags& tags) { tags.start_stream(stream_.stream_id); });
  stream_.live_known = false;
}

void VideoPath::take_caps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  read_pictures_of(caps);
  stream_.times.set_frame_length(frame_length(caps));
  stream_.times.set_sampling_interval(settings_.now()->frame_rate().interval());
}

void VideoPath::read_pictures_of(const GstCaps* caps) {
  auto reader = PictureReader::make(caps, engine_.device_reading(), stream_.tags.current());
  stream_.reader = reader ? std::move(*reader) : nullptr;
  if (!reader) notices_.warn(reader.error().message);
}

void VideoPath::take_tags(GstEvent* event) {
  GstTagList* list = nullptr;
  gst_event_parse_tag(event, &list);
  change_tags([list](OrientationTags& tags) { tags.take(list); });
}

// Frames that follow are turned as is said now; those before keep the reader that they came with.
void VideoPath::change_tags(const std::function<void(OrientationTags&)>& change) {
  const Orientation before = stream_.tags.current();
  change(stream_.tags);
  if (stream_.tags.current() == before || !stream_.reader) return;
  GstCaps* caps = gst_pad_get_current_caps(sink_);
  if (!caps) return;
  read_pictures_of(caps);
  gst_caps_unref(caps);
}

void VideoPath::start_segment(GstEvent* event) {
  const GstSegment* next = nullptr;
  gst_event_parse_segment(event, &next);
  if (!stream_.has_segment || !is_same_timeline(stream_.segment, in_time(*next)))
    watch_.close_window();
  stream_.segment = in_time(*next);
  stream_.seqnum = gst_event_get_seqnum(event);
  stream_.has_segment = true;
  stream_.live_known = false;
  delivery_.set_segment(stream_.segment, stream_.seqnum);
  const StreamStart start{stream_.stream_id, stream_.group_id, stream_.segment,
                          stream_.segment.start, stream_.seqnum};
  side_pads_.start(start);
  idle_audio_.start(start);
  side_pads_.wait_for_caps();
}

void VideoPath::pass_gap(GstEvent* event) {
  GstClockTime pts, duration;
  gst_event_parse_gap(event, &pts, &duration);
  if (!is_possible(pts)) return;
  const GstClockTime end = pts + (is_possible(duration) ? duration : 0);
  if (is_skipped_frame(event)) {
    ++n_frames_;
    feed_.skip(Time(pts));
    stream_.times.pass_frame(Time(pts), Time(end));
  } else {
    stream_.times.pass_gap(Time(end));
    feed_.advance(Time(end), stream_.pictures_may_lag());
    watch_.wait_for_room();
  }
  push_events(delivery_, src_);
  follow(end);
}

void VideoPath::flush_stop(guint32 seqnum) {
  late_end_.cancel();
  audio_.let_wait(false);
  side_pads_.flush_stop(seqnum);
  idle_audio_.flush_stop(seqnum);
  stream_.times.forget();
  stream_.may_lead = true;
  stream_.has_segment = false;
  gst_segment_init(&stream_.segment, GST_FORMAT_TIME);
  stream_.live_known = false;
  flushes_.stop_video();
}

// ---- Any thread ----

bool VideoPath::answer_decoder(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_CUSTOM) return false;
  const auto s = settings_.now();
  const SamplingSettings watch{s->shape(), Time(s->window_stride), s->frame_rate().interval(),
                               stream_.lead};
  return !s->passthrough && answer_sampling_query(query, watch);
}

GstPad* VideoPath::partner_of(GstPad* pad) const {
  if (pad == sink_) return src_;
  return pad == src_ ? sink_ : nullptr;
}

// By what the pad keeps of its stream: the stream itself is the streaming thread's.
std::optional<StreamStart> VideoPath::under_way() const {
  GstEvent* start = gst_pad_get_sticky_event(sink_, GST_EVENT_STREAM_START, 0);
  GstEvent* segment = gst_pad_get_sticky_event(sink_, GST_EVENT_SEGMENT, 0);
  std::optional<StreamStart> now;
  if (start && segment) {
    const GstSegment* s = nullptr;
    gst_event_parse_segment(segment, &s);
    auto [id, group] = stream_of(start);
    const GstSegment video = in_time(*s);
    now = StreamStart{std::move(id), group, video, watch_.seen_end().value_or(video.start),
                      gst_event_get_seqnum(segment)};
  }
  gst_clear_event(&start);
  gst_clear_event(&segment);
  return now;
}

}  // namespace vidi
