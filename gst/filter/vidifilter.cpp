// What happens to buffers and events. The two chain functions name the steps in order.
#include "gst/filter/vidifilter.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "gst/decode/sampling_query.h"
#include "gst/filter/element_pads.h"
#include "gst/media/buffer_times.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {
namespace {

std::optional<Time> duration_of(GstBuffer* buffer) {
  if (!is_possible(GST_BUFFER_DURATION(buffer))) return std::nullopt;
  return Time(GST_BUFFER_DURATION(buffer));
}

}  // namespace

GstFlowReturn Filter::video_chain(GstBuffer* buffer) {
  ++n_frames_;
  if (status_.is_fatal()) {
    gst_buffer_unref(buffer);
    return GST_FLOW_ERROR;
  }
  follow(position_after(buffer));  // first: what the model says of this frame comes behind it
  watch(buffer);
  push_events(delivery_, src_);
  return side_pads_.combine(gst_pad_push(src_, buffer));
}

// Samples the frame if one is due. With `block`, waits here while too many complete windows wait.
void Filter::watch(GstBuffer* buffer) {
  if (!can_be_watched(buffer)) return;
  learn_liveness();
  const auto time = time_of(buffer);
  if (!time) return;
  const Time pts = *time;
  audio_.hear_beside(video_);
  break_at_jump(pts, buffer);
  FrameTimes& times = video_.times;
  if (!times.any()) video_.lead = lead_before(pts);
  const auto duration = duration_of(buffer);
  feed_.frame(passing_picture(video_.reader, buffer), pts, times.reach_after(pts, duration),
              utc_of(buffer), video_.lead);
  times.pass_frame(pts, times.end_of(pts, duration));
  video_.may_lead = false;
  seen_end_ = times.last_end().count();
  wait_for_room();
}

void Filter::wait_for_room() {
  const auto blocks = [this] {  // asked again when a property changes
    const auto s = settings_.now();
    return s->policy(video_.live) == OverloadPolicy::kBlock && !s->passthrough;
  };
  if (blocks()) feed_.wait_for_sound();
  feed_.hold_pictures(true);
  client_.wait_for_room(blocks);
  feed_.hold_pictures(false);
}

bool Filter::can_be_watched(GstBuffer* buffer) {
  if (!video_.reader || !video_.has_segment || status_.has_failed()) return false;
  if (settings_.now()->passthrough) {
    close_window();
    return false;
  }
  if (video_.segment.rate <= 0 || is_trick_mode(video_.segment)) {
    notices_.warn_once(Notices::kSaidTrickMode,
                       "playback in reverse or in trick mode passes unwatched");
    return false;
  }
  return !GST_BUFFER_PTS_IS_VALID(buffer) || is_inside(video_.segment, buffer);
}

// Its PTS. A camera's picture without one is of now; a file's cannot be placed.
std::optional<Time> Filter::time_of(GstBuffer* buffer) {
  const GstClockTime stamp = GST_BUFFER_PTS(buffer);
  if (is_possible(stamp)) return Time(stamp);
  if (GST_CLOCK_TIME_IS_VALID(stamp)) {
    notices_.warn_once(Notices::kSaidNoPts, "a video buffer's PTS of " + std::to_string(stamp) +
                                                " ns is beyond any stream: it passes unwatched");
    return std::nullopt;
  }
  if (!video_.live) {
    notices_.warn_once(Notices::kSaidNoPts,
                       "a video buffer has no PTS, expected one on each: it passes unwatched");
    return std::nullopt;
  }
  notices_.warn_once(
      Notices::kSaidNoPts,
      "a video buffer has no PTS, expected one on each: its time is that of its arrival");
  const GstClockTime now = gst_element_get_current_running_time(element_);
  if (!GST_CLOCK_TIME_IS_VALID(now)) return std::nullopt;
  const guint64 pts = gst_segment_position_from_running_time(&video_.segment, GST_FORMAT_TIME, now);
  if (!is_possible(pts)) return std::nullopt;
  return Time(pts);
}

// Where time jumps, what was before and what comes after are two stories.
void Filter::break_at_jump(Time pts, GstBuffer* buffer) {
  const FrameTimes& times = video_.times;
  const Time stride(settings_.now()->window_stride);
  const bool jumps =
      times.steps_back_at(pts) ||
      (times.is_late(pts, stride) && times.has_jumped(pts, stride, signs_before(pts, buffer)));
  if (jumps) {
    GST_INFO_OBJECT(element_, "PTS jumps from %" GST_TIME_FORMAT " to %" GST_TIME_FORMAT,
                    GST_TIME_ARGS(times.last_pts().count()), GST_TIME_ARGS(pts.count()));
    close_window(pts);  // what is told twice is found once
  }
  if (video_.live) video_.arrival = g_get_monotonic_time() * GST_USECOND;
}

// What the sound did meanwhile; and of a camera that says that its stream is broken, whether its
// clock went on as ours did.
HoleSigns Filter::signs_before(Time pts, GstBuffer* buffer) const {
  const FrameTimes& times = video_.times;
  HoleSigns signs;
  signs.live = video_.live;
  signs.discont = GST_BUFFER_IS_DISCONT(buffer);
  if (signs.discont && signs.live) {
    const Time passed(g_get_monotonic_time() * GST_USECOND - video_.arrival);
    signs.discont = abs(pts - times.last_pts() - passed) > kShortestJump;
  }
  const AudioTrack& sound = feed_.audio();
  const auto end = running_time_at(video_.segment, times.last_end());
  const int64_t reached = sound.reached();
  if (!audio_.is_linked() || !end || reached == INT64_MIN) return signs;
  const int64_t from = audio_position(*end);
  signs.sound_leaps = sound.leaps_over(from, from + audio_position(pts - times.last_end()));
  signs.alive_until = times.last_end() + (audio_time(reached) - *end);
  return signs;
}

// Sound that comes before the first picture is heard with it: the grid starts where the sound does.
// A file's sound may not be here yet, then WindowBuilder cuts what has none. In whole intervals, so
// that a window without sound before begins with its picture.
Time Filter::lead_before(Time pts) const {
  const auto running = running_time_at(video_.segment, pts);
  if (!video_.may_lead || !running || !audio_.is_heard() || !audio_.is_linked()) return Time(0);
  const AudioTrack& sound = feed_.audio();
  const int64_t began = sound.began_at();
  const bool none_comes = sound.has_ended() || sound.complete_until(audio_position(*running));
  if (began == INT64_MIN && (video_.live || none_comes)) return Time(0);
  const auto s = settings_.now();
  Time lead = *running - (began == INT64_MIN ? Time(0) : audio_time(began));
  if (video_.live && s->window_duration != 0) lead = std::min(lead, Time(s->window_duration));
  const Time interval = s->frame_rate().interval();
  return lead < interval ? Time(0) : (lead + interval - Time(1)) / interval * interval;
}

// Asked when data flows: before, upstream may not know yet.
void Filter::learn_liveness() {
  if (video_.live_known) return;
  GstQuery* query = gst_query_new_latency();
  if (gst_pad_peer_query(sink_, query)) {
    gboolean live = FALSE;
    gst_query_parse_latency(query, &live, nullptr, nullptr);
    video_.live = live;
  }
  gst_query_unref(query);
  video_.live_known = true;
  set_origin();
}

// The segment's stop is the video's own end; a duration is that of the file's longest track, and an
// encoder's last block of sound may reach beyond the last picture. A wrong guess costs time only.
Time Filter::expected_end() const {
  constexpr Time kBlockOfSound = std::chrono::milliseconds(50);
  const GstSegment& segment = video_.segment;
  if (video_.live || segment.rate != 1.0) return kForever;
  if (GST_CLOCK_TIME_IS_VALID(segment.stop)) return Time(segment.stop);
  gint64 duration = 0;
  if (!gst_pad_peer_query_duration(sink_, GST_FORMAT_TIME, &duration)) return kForever;
  if (duration <= kBlockOfSound.count()) return kForever;
  const guint64 end = gst_segment_position_from_stream_time(
      &segment, GST_FORMAT_TIME, static_cast<guint64>(duration - kBlockOfSound.count()));
  return GST_CLOCK_TIME_IS_VALID(end) ? Time(end) : kForever;
}

void Filter::set_origin() {
  auto origin = std::make_shared<SegmentOrigin>();
  gst_segment_copy_into(&video_.segment, &origin->segment);
  origin->session_id = delivery_.session_id();
  origin->live = video_.live;
  origin->expected_end = expected_end();
  feed_.set_origin(origin);
}

void Filter::follow(GstClockTime position) {
  if (!is_possible(position)) return;
  delivery_.set_position(position);
  side_pads_.follow(video_.segment, position);
  idle_audio_.follow(position);
}

// ---- Events ----

gboolean Filter::video_event(GstEvent* event) {
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
      if (end_late(event)) return TRUE;
      end_stream(gst_event_get_seqnum(event));
      break;
    case GST_EVENT_SEGMENT_DONE:
      finish_segment(event);
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

void Filter::start_stream(GstEvent* event) {
  late_end_.cancel();  // it has an end all the same: that of what follows
  audio_.let_wait(false);
  close_window();
  std::tie(video_.stream_id, video_.group_id) = stream_of(event);
  change_tags([this](OrientationTags& tags) { tags.start_stream(video_.stream_id); });
  video_.live_known = false;
}

void Filter::take_caps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  read_pictures_of(caps);
  video_.times.set_frame_length(frame_length(caps));
  video_.times.set_sampling_interval(settings_.now()->frame_rate().interval());
}

void Filter::read_pictures_of(const GstCaps* caps) {
  auto reader = PictureReader::make(caps, engine_.device_reading(), video_.tags.current());
  video_.reader = reader ? std::move(*reader) : nullptr;
  if (!reader) notices_.warn(reader.error().message);
}

void Filter::take_tags(GstEvent* event) {
  GstTagList* list = nullptr;
  gst_event_parse_tag(event, &list);
  change_tags([list](OrientationTags& tags) { tags.take(list); });
}

// Frames that follow are turned as is said now; those before keep the reader that they came with.
void Filter::change_tags(const std::function<void(OrientationTags&)>& change) {
  const Orientation before = video_.tags.current();
  change(video_.tags);
  if (video_.tags.current() == before || !video_.reader) return;
  GstCaps* caps = gst_pad_get_current_caps(sink_);
  if (!caps) return;
  read_pictures_of(caps);
  gst_caps_unref(caps);
}

void Filter::start_segment(GstEvent* event) {
  const GstSegment* next = nullptr;
  gst_event_parse_segment(event, &next);
  if (!video_.has_segment || !is_same_timeline(video_.segment, in_time(*next))) close_window();
  video_.segment = in_time(*next);
  video_.seqnum = gst_event_get_seqnum(event);
  video_.has_segment = true;
  video_.live_known = false;
  delivery_.set_segment(video_.segment, video_.seqnum);
  const StreamStart start{video_.stream_id, video_.group_id, video_.segment, video_.segment.start,
                          video_.seqnum};
  side_pads_.start(start);
  idle_audio_.start(start);
  side_pads_.wait_for_caps();
}

void Filter::pass_gap(GstEvent* event) {
  GstClockTime pts, duration;
  gst_event_parse_gap(event, &pts, &duration);
  if (!is_possible(pts)) return;
  const GstClockTime end = pts + (is_possible(duration) ? duration : 0);
  if (is_skipped_frame(event)) {
    ++n_frames_;
    feed_.skip(Time(pts));
    video_.times.pass_frame(Time(pts), Time(end));
  } else {
    video_.times.pass_gap(Time(end));
    feed_.advance(Time(end), video_.pictures_may_lag());
    wait_for_room();
  }
  push_events(delivery_, src_);
  follow(end);
}

// The picture ends before the sound: it stands, and the stream's end comes with the sound's. False
// when there is nothing to wait for.
bool Filter::end_late(GstEvent* event) {
  const bool waits = video_.times.any() && audio_.is_heard() && audio_.is_linked() &&
                     !feed_.audio().has_ended() && !status_.has_failed();
  if (!waits) return false;
  audio_.hear_beside(video_);
  const Time wait(settings_.now()->audio_wait);
  WindowFeed::SoundShape shape{true, video_.live ? wait : kForever, Time(0)};
  feed_.set_audio(shape);
  audio_.let_wait(!video_.live);
  LateEnd::Patience between_news;
  if (video_.live) between_news = wait + kPicturesMayLag;
  late_end_.begin(event, wait, between_news);
  feed_.audio_changed();
  return true;
}

// EOS: the last window and all answers first, then the chapters, then the ends of the side pads;
// the caller sends the EOS itself.
void Filter::end_stream(guint32 seqnum) {
  if (video_.times.any()) feed_.drain(end_of_stream(), Time(0));
  if (client_.wait_until_idle()) reporter_.finish();
  if (too_small_ && n_submitted_ == 0 && !client_.has_given_up()) {
    notices_.warn_once(
        Notices::kSaidOnePicture,
        "there was one picture to look at and no sound, expected a second picture or some "
        "sound: nothing was analysed");
  }
  push_events(delivery_, src_);
  gint64 duration = -1;
  gst_pad_peer_query_duration(sink_, GST_FORMAT_TIME, &duration);
  if (GstEvent* toc = delivery_.take_toc(duration < 0 ? GST_CLOCK_TIME_NONE : duration)) {
    gst_event_set_seqnum(toc, seqnum);
    gst_pad_push_event(src_, toc);
  }
  side_pads_.end(seqnum);
  idle_audio_.end(seqnum);
  side_pads_.wait_until_sent();
  video_.times.forget();
  audio_.let_wait(false);
}

// The end of a segment that was sought as one (a loop, an editor): its last window and all answers
// are there before SEGMENT_DONE goes on. The next segment may follow without a flush.
void Filter::finish_segment(GstEvent* event) {
  if (video_.times.any()) feed_.drain(end_of_stream(), Time(settings_.now()->audio_wait));
  if (client_.wait_until_idle()) reporter_.finish();
  push_events(delivery_, src_);
  side_pads_.finish_segment(event);
  side_pads_.wait_until_sent();
  video_.times.forget();
}

// Of the last frame, or of the sound, where that goes on for longer than a picture is looked at; a
// window over the whole stream is as long as the stream says it is, unless that is far from what
// came.
Time Filter::end_of_stream() const {
  const auto s = settings_.now();
  Time end = video_.times.last_end();
  const int64_t sound = feed_.audio().end_position();
  const auto running = running_time_at(video_.segment, end);
  if (audio_.is_heard() && audio_.is_linked() && running && sound != INT64_MIN) {
    const Time beyond = audio_time(sound) - *running;
    if (beyond > s->frame_rate().interval()) end += beyond;
  }
  gint64 duration = 0;
  if (s->window_duration != 0 || !gst_pad_peer_query_duration(sink_, GST_FORMAT_TIME, &duration) ||
      duration <= 0) {
    return end;
  }
  const auto said = gst_segment_position_from_stream_time(&video_.segment, GST_FORMAT_TIME,
                                                          static_cast<guint64>(duration));
  if (!GST_CLOCK_TIME_IS_VALID(said)) return end;
  const bool plausible = Time(said) > std::max(video_.times.last_pts(), end - kShortestJump) &&
                         Time(said) < end + kShortestJump;
  return plausible ? Time(said) : end;
}

void Filter::close_window(Time next_start) {
  if (video_.times.any()) feed_.close(video_.times.last_end(), next_start);
  video_.times.forget();
}

void Filter::flush_stop(guint32 seqnum) {
  late_end_.cancel();
  audio_.let_wait(false);
  side_pads_.flush_stop(seqnum);
  idle_audio_.flush_stop(seqnum);
  video_.times.forget();
  video_.may_lead = true;
  video_.has_segment = false;
  gst_segment_init(&video_.segment, GST_FORMAT_TIME);
  video_.live_known = false;
  flushes_.stop_video();
}

}  // namespace vidi
