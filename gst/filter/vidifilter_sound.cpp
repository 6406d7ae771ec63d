// The sound's way through the element: to the audio track and on; what the pictures have to know of
// it.
#include <algorithm>

#include "gst/filter/vidifilter.h"
#include "gst/media/buffer_times.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {
namespace {

// Sound, or a GAP, this far ahead of a camera's pictures says that they stand. A file's may be
// ahead by all that decoders side by side hold back, and matroskademux sends GAPs up to its sound
// and then the pictures of that time; there the next picture tells, or the end, and this only
// bounds the memory.
constexpr Time kPicturesMayLag = std::chrono::seconds(2);
constexpr Time kFilePicturesMayLag = std::chrono::minutes(30);

}  // namespace

// A pad that nobody listens to behind us is no reason to end: the sound is for the model.
GstFlowReturn Filter::audio_chain(GstPad* pad, GstBuffer* buffer) {
  idle_audio_.data_comes();
  if (audio_is_heard_) {
    feed_.wait_for_pictures(audio_input_.running_time_of(buffer));
    const Result<bool> heard = audio_input_.push(buffer);
    if (!heard) notices_.warn_once(Notices::kSaidAudio, heard.error().message);
    sound_came();
  }
  const GstFlowReturn flow = gst_pad_push(audio_partner(pad), buffer);
  return flow == GST_FLOW_NOT_LINKED ? GST_FLOW_OK : flow;
}

gboolean Filter::audio_event(GstPad* pad, GstEvent* event) {
  GstPad* out = audio_partner(pad);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      idle_audio_.stream_comes();
      break;
    case GST_EVENT_CAPS:
      take_audio_caps(event);
      break;
    case GST_EVENT_SEGMENT:
      return pass_audio_segment(out, event);
    case GST_EVENT_GAP: {
      GstClockTime pts, duration;
      gst_event_parse_gap(event, &pts, &duration);
      idle_audio_.data_comes();
      audio_input_.gap(pts, duration);
      sound_came();
      break;
    }
    case GST_EVENT_SEGMENT_DONE:
      audio_input_.finish_segment();  // the windows that it covers need not wait
      sound_came();
      break;
    case GST_EVENT_EOS:
      idle_audio_.data_comes();
      audio_input_.drain();
      feed_.audio().end();
      feed_.audio_changed();
      late_end_.sound_changed();
      break;
    case GST_EVENT_FLUSH_START: {
      const gboolean sent = gst_pad_push_event(out, event);
      flushes_.start_audio();
      return sent;
    }
    case GST_EVENT_FLUSH_STOP:
      audio_input_.flush();
      feed_.audio().clear();
      flushes_.stop_audio();
      break;
    default:
      break;
  }
  return gst_pad_push_event(out, event);
}

void Filter::take_audio_caps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const Result<bool> taken = audio_input_.set_caps(caps);
  if (!taken) notices_.warn(taken.error().message);
}

gboolean Filter::pass_audio_segment(GstPad* out, GstEvent* event) {
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  segment = in_time(segment);
  audio_input_.set_segment(segment);
  const guint32 seqnum = gst_event_get_seqnum(event);
  const gboolean passed = gst_pad_push_event(out, event);
  idle_audio_.segment_came(segment, seqnum);
  return passed;
}

// A pad that nothing is linked to brings no sound; it may be linked when frames pass already.
bool Filter::sound_is_linked() const {
  GstPad* pad = nullptr;
  GST_OBJECT_LOCK(element_);
  if (audio_sink_) pad = GST_PAD(gst_object_ref(audio_sink_));
  GST_OBJECT_UNLOCK(element_);
  const bool linked = pad && gst_pad_is_linked(pad);
  if (pad) gst_object_unref(pad);
  return linked;
}

// At another rate than 1, running time is no measure of samples.
void Filter::tell_audio() {
  audio_is_heard_ = video_.segment.rate == 1.0;
  WindowFeed::SoundShape shape;
  shape.present = audio_is_heard_ && sound_is_linked();
  if (video_.live) shape.wait = Time(settings_.now()->audio_wait);
  shape.lead = pictures_may_lag();
  feed_.set_audio(shape);
}

// The windows of a file whose picture has ended come as fast as its sound is read.
void Filter::sound_came() {
  ++n_sound_news_;
  feed_.audio_changed();
  late_end_.sound_changed();
  if (!sound_may_wait_) return;
  feed_.wait_until_handled();  // else any number of windows may end before the first is counted
  client_.wait_for_room([this] {
    const auto s = settings_.now();
    return sound_may_wait_ && s->policy(false) == OverloadPolicy::kBlock && !s->passthrough;
  });
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
  if (!sound_is_linked() || !end || reached == INT64_MIN) return signs;
  const int64_t from = audio_position(*end);
  signs.sound_leaps = sound.leaps_over(from, from + audio_position(pts - times.last_end()));
  signs.alive_until = times.last_end() + (audio_time(reached) - *end);
  return signs;
}

Time Filter::pictures_may_lag() const {
  return video_.live ? kPicturesMayLag : kFilePicturesMayLag;
}

// Sound that comes before the first picture is heard with it: the grid starts where the sound does.
// A file's sound may not be here yet, then WindowBuilder cuts what has none. In whole intervals, so
// that a window without sound before begins with its picture.
Time Filter::lead_before(Time pts) const {
  const auto running = running_time_at(video_.segment, pts);
  if (!video_.may_lead || !running || !audio_is_heard_ || !sound_is_linked()) return Time(0);
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

// The picture ends before the sound: it stands, and the stream's end comes with the sound's. False
// when there is nothing to wait for.
bool Filter::end_late(GstEvent* event) {
  const bool waits = video_.times.any() && audio_is_heard_ && sound_is_linked() &&
                     !feed_.audio().has_ended() && !status_.has_failed();
  if (!waits) return false;
  tell_audio();
  const Time wait(settings_.now()->audio_wait);
  WindowFeed::SoundShape shape{true, video_.live ? wait : kForever, Time(0)};
  feed_.set_audio(shape);
  sound_may_wait_ = !video_.live;
  LateEnd::Patience between_news;
  if (video_.live) between_news = wait + kPicturesMayLag;
  late_end_.begin(event, wait, between_news);
  feed_.audio_changed();
  return true;
}

}  // namespace vidi
