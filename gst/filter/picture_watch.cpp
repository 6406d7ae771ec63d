#include "gst/filter/picture_watch.h"

#include <algorithm>
#include <string>

#include "gst/filter/video_parts.h"
#include "gst/media/buffer_times.h"
#include "gst/media/segment_origin.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {
namespace {

std::optional<Time> duration_of(GstBuffer* buffer) {
  if (!is_possible(GST_BUFFER_DURATION(buffer))) return std::nullopt;
  return Time(GST_BUFFER_DURATION(buffer));
}

}  // namespace

PictureWatch::PictureWatch(GstPad* sink, VideoStream& stream, const VideoParts& parts)
    : element_(parts.element),
      sink_(sink),
      stream_(stream),
      settings_(parts.settings),
      notices_(parts.notices),
      status_(parts.status),
      delivery_(parts.delivery),
      feed_(parts.feed),
      client_(parts.client),
      audio_(parts.audio) {}

// Samples the frame if one is due. With `block`, waits here while too many complete windows wait.
void PictureWatch::watch(GstBuffer* buffer) {
  const auto settings = settings_.now();
  if (!can_be_watched(buffer, *settings)) return;
  learn_liveness();
  const auto time = time_of(buffer);
  if (!time) return;
  const Time pts = *time;
  audio_.hear_beside(stream_);
  break_at_jump(pts, buffer, Time(settings->window_stride));
  FrameTimes& times = stream_.times;
  if (!times.any()) stream_.lead = lead_before(pts);
  const auto duration = duration_of(buffer);
  feed_.frame([&] { return passing_picture(stream_.reader, buffer); }, pts,
              times.reach_after(pts, duration), utc_of(buffer), stream_.lead);
  times.pass_frame(pts, times.end_of(pts, duration));
  stream_.may_lead = false;
  seen_end_ = times.last_end().count();
  wait_for_room();
}

void PictureWatch::wait_for_room() {
  const auto blocks = [this] {  // asked again when a property changes
    const auto s = settings_.now();
    return s->policy(stream_.live) == OverloadPolicy::kBlock && !s->passthrough;
  };
  if (!blocks()) return;
  feed_.wait_for_sound();
  feed_.hold_pictures(true);
  client_.wait_for_room(blocks);
  feed_.hold_pictures(false);
}

bool PictureWatch::can_be_watched(GstBuffer* buffer, const Settings& settings) {
  if (!stream_.reader || !stream_.has_segment || status_.has_failed()) return false;
  if (settings.passthrough) {
    close_window();
    return false;
  }
  if (stream_.segment.rate <= 0 || is_trick_mode(stream_.segment)) {
    notices_.warn_once(Notices::kSaidTrickMode,
                       "playback in reverse or in trick mode passes unwatched");
    return false;
  }
  return !GST_BUFFER_PTS_IS_VALID(buffer) || is_inside(stream_.segment, buffer);
}

// Its PTS. A camera's picture without one is of now; a file's cannot be placed.
std::optional<Time> PictureWatch::time_of(GstBuffer* buffer) {
  const GstClockTime stamp = GST_BUFFER_PTS(buffer);
  if (is_possible(stamp)) return Time(stamp);
  if (GST_CLOCK_TIME_IS_VALID(stamp)) {
    notices_.warn_once(Notices::kSaidNoPts, "a video buffer's PTS of " + std::to_string(stamp) +
                                                " ns is beyond any stream: it passes unwatched");
    return std::nullopt;
  }
  if (!stream_.live) {
    notices_.warn_once(Notices::kSaidNoPts,
                       "a video buffer has no PTS, expected one on each: it passes unwatched");
    return std::nullopt;
  }
  notices_.warn_once(
      Notices::kSaidNoPts,
      "a video buffer has no PTS, expected one on each: its time is that of its arrival");
  const GstClockTime now = gst_element_get_current_running_time(element_);
  if (!GST_CLOCK_TIME_IS_VALID(now)) return std::nullopt;
  const guint64 pts =
      gst_segment_position_from_running_time(&stream_.segment, GST_FORMAT_TIME, now);
  if (!is_possible(pts)) return std::nullopt;
  return Time(pts);
}

// Where time jumps, what was before and what comes after are two stories.
void PictureWatch::break_at_jump(Time pts, GstBuffer* buffer, Time stride) {
  const FrameTimes& times = stream_.times;
  const bool jumps =
      times.steps_back_at(pts) ||
      (times.is_late(pts, stride) && times.has_jumped(pts, stride, signs_before(pts, buffer)));
  if (jumps) {
    GST_INFO_OBJECT(element_, "PTS jumps from %" GST_TIME_FORMAT " to %" GST_TIME_FORMAT,
                    GST_TIME_ARGS(times.last_pts().count()), GST_TIME_ARGS(pts.count()));
    close_window(pts);  // what is told twice is found once
  }
  if (stream_.live) stream_.arrival = g_get_monotonic_time() * GST_USECOND;
}

// What the sound did meanwhile; and of a camera that says that its stream is broken, whether its
// clock went on as ours did.
HoleSigns PictureWatch::signs_before(Time pts, GstBuffer* buffer) const {
  const FrameTimes& times = stream_.times;
  HoleSigns signs;
  signs.live = stream_.live;
  signs.discont = GST_BUFFER_IS_DISCONT(buffer);
  if (signs.discont && signs.live) {
    const Time passed(g_get_monotonic_time() * GST_USECOND - stream_.arrival);
    signs.discont = abs(pts - times.last_pts() - passed) > kShortestJump;
  }
  const AudioTrack& sound = feed_.audio();
  const auto end = running_time_at(stream_.segment, times.last_end());
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
Time PictureWatch::lead_before(Time pts) const {
  const auto running = running_time_at(stream_.segment, pts);
  if (!stream_.may_lead || !running || !audio_.is_heard() || !audio_.is_linked()) return Time(0);
  const AudioTrack& sound = feed_.audio();
  const int64_t began = sound.began_at();
  const bool none_comes = sound.has_ended() || sound.complete_until(audio_position(*running));
  if (began == INT64_MIN && (stream_.live || none_comes)) return Time(0);
  const auto s = settings_.now();
  Time lead = *running - (began == INT64_MIN ? Time(0) : audio_time(began));
  if (stream_.live && s->window_duration != 0) lead = std::min(lead, Time(s->window_duration));
  const Time interval = s->frame_rate().interval();
  return lead < interval ? Time(0) : (lead + interval - Time(1)) / interval * interval;
}

void PictureWatch::close_window(Time next_start) {
  if (stream_.times.any()) feed_.close(stream_.times.last_end(), next_start);
  stream_.times.forget();
}

// Asked when data flows: before, upstream may not know yet.
void PictureWatch::learn_liveness() {
  if (stream_.live_known) return;
  GstQuery* query = gst_query_new_latency();
  if (gst_pad_peer_query(sink_, query)) {
    gboolean live = FALSE;
    gst_query_parse_latency(query, &live, nullptr, nullptr);
    stream_.live = live;
  }
  gst_query_unref(query);
  stream_.live_known = true;
  set_origin();
}

// The segment's stop is the video's own end; a duration is that of the file's longest track, and an
// encoder's last block of sound may reach beyond the last picture. A wrong guess costs time only.
Time PictureWatch::expected_end() const {
  constexpr Time kBlockOfSound = std::chrono::milliseconds(50);
  const GstSegment& segment = stream_.segment;
  if (stream_.live || segment.rate != 1.0) return kForever;
  if (GST_CLOCK_TIME_IS_VALID(segment.stop)) return Time(segment.stop);
  gint64 duration = 0;
  if (!gst_pad_peer_query_duration(sink_, GST_FORMAT_TIME, &duration)) return kForever;
  if (duration <= kBlockOfSound.count()) return kForever;
  const guint64 end = gst_segment_position_from_stream_time(
      &segment, GST_FORMAT_TIME, static_cast<guint64>(duration - kBlockOfSound.count()));
  return GST_CLOCK_TIME_IS_VALID(end) ? Time(end) : kForever;
}

void PictureWatch::set_origin() {
  auto origin = std::make_shared<SegmentOrigin>();
  gst_segment_copy_into(&stream_.segment, &origin->segment);
  origin->session_id = delivery_.session_id();
  origin->live = stream_.live;
  origin->expected_end = expected_end();
  feed_.set_origin(origin);
}

// ---- Application's threads ----

std::optional<GstClockTime> PictureWatch::seen_end() const {
  const int64_t end = seen_end_;
  if (end < 0) return std::nullopt;
  return static_cast<GstClockTime>(end);
}

void PictureWatch::analyze_now() {
  if (seen_end_ >= 0) feed_.close(Time(seen_end_));
}

}  // namespace vidi
