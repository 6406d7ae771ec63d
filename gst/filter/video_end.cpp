#include "gst/filter/video_end.h"

#include <algorithm>

#include "gst/filter/element_pads.h"
#include "gst/filter/video_parts.h"
#include "gst/media/buffer_times.h"

namespace vidi {

VideoEnd::VideoEnd(GstPad* sink, GstPad* src, VideoStream& stream, const VideoParts& parts)
    : sink_(sink),
      src_(src),
      stream_(stream),
      settings_(parts.settings),
      notices_(parts.notices),
      status_(parts.status),
      tally_(parts.tally),
      feed_(parts.feed),
      client_(parts.client),
      reporter_(parts.reporter),
      delivery_(parts.delivery),
      side_pads_(parts.side_pads),
      idle_audio_(parts.idle_audio),
      audio_(parts.audio),
      late_end_(parts.late_end) {}

// The picture ends before the sound: it stands, and the stream's end comes with the sound's. False
// when there is nothing to wait for.
bool VideoEnd::end_late(GstEvent* event) {
  const bool waits = stream_.times.any() && audio_.is_heard() && audio_.is_linked() &&
                     !feed_.audio().has_ended() && !status_.has_failed();
  if (!waits) return false;
  audio_.hear_beside(stream_);
  const Time wait(settings_.now()->audio_wait);
  WindowFeed::SoundShape shape{true, stream_.live ? wait : kForever, Time(0)};
  feed_.set_audio(shape);
  audio_.let_wait(!stream_.live);
  LateEnd::Patience between_news;
  if (stream_.live) between_news = wait + kPicturesMayLag;
  late_end_.begin(event, wait, between_news);
  feed_.audio_changed();
  return true;
}

void VideoEnd::finish_late(GstEvent* event) {
  end_stream(gst_event_get_seqnum(event));
  gst_pad_push_event(src_, event);
}

// EOS: the last window and all answers first, then the chapters, then the ends of the side pads;
// the caller sends the EOS itself.
void VideoEnd::end_stream(guint32 seqnum) {
  if (stream_.times.any()) feed_.drain(end_of_stream(), Time(0));
  if (client_.wait_until_idle()) reporter_.finish();
  if (tally_.too_small && tally_.n_submitted == 0 && !client_.has_given_up()) {
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
  stream_.times.forget();
  audio_.let_wait(false);
}

// The end of a segment that was sought as one (a loop, an editor): its last window and all answers
// are there before SEGMENT_DONE goes on. The next segment may follow without a flush.
void VideoEnd::finish_segment(GstEvent* event) {
  if (stream_.times.any()) feed_.drain(end_of_stream(), Time(settings_.now()->audio_wait));
  if (client_.wait_until_idle()) reporter_.finish();
  push_events(delivery_, src_);
  side_pads_.finish_segment(event);
  side_pads_.wait_until_sent();
  stream_.times.forget();
}

// Of the last frame, or of the sound, where that goes on for longer than a picture is looked at; a
// window over the whole stream is as long as the stream says it is, unless that is far from what
// came.
Time VideoEnd::end_of_stream() const {
  const auto s = settings_.now();
  Time end = stream_.times.last_end();
  const int64_t sound = feed_.audio().end_position();
  const auto running = running_time_at(stream_.segment, end);
  if (audio_.is_heard() && audio_.is_linked() && running && sound != INT64_MIN) {
    const Time beyond = audio_time(sound) - *running;
    if (beyond > s->frame_rate().interval()) end += beyond;
  }
  gint64 duration = 0;
  if (s->window_duration != 0 || !gst_pad_peer_query_duration(sink_, GST_FORMAT_TIME, &duration) ||
      duration <= 0) {
    return end;
  }
  const auto said = gst_segment_position_from_stream_time(&stream_.segment, GST_FORMAT_TIME,
                                                          static_cast<guint64>(duration));
  if (!GST_CLOCK_TIME_IS_VALID(said)) return end;
  const bool plausible = Time(said) > std::max(stream_.times.last_pts(), end - kShortestJump) &&
                         Time(said) < end + kShortestJump;
  return plausible ? Time(said) : end;
}

}  // namespace vidi
