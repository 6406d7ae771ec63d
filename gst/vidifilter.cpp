// What happens to buffers and events. The two chain functions name the steps in order.
#include "gst/vidifilter.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "gst/buffer_times.h"
#include "gst/watch_query.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {
namespace {

// Sound this far ahead of a camera's pictures says that they stand. A file's may be ahead by all
// that decoders side by side hold back; there the next picture tells, or the end, and this only
// bounds the memory.
constexpr Time kPicturesMayLag = std::chrono::seconds(2);
constexpr Time kFilePicturesMayLag = std::chrono::minutes(30);

std::optional<Time> duration_of(GstBuffer* buffer) {
  if (!GST_BUFFER_DURATION_IS_VALID(buffer)) return std::nullopt;
  return Time(GST_BUFFER_DURATION(buffer));
}

}  // namespace

GstFlowReturn Filter::video_chain(GstBuffer* buffer) {
  ++n_frames_;
  if (broken_) {
    gst_buffer_unref(buffer);
    return GST_FLOW_ERROR;
  }
  follow(position_after(buffer));  // first: what the model says of this frame comes behind it
  watch(buffer);
  push_events();
  return combine(gst_pad_push(src_, buffer));
}

// A pad that nobody listens to behind us is no reason to end: the sound is for the model.
GstFlowReturn Filter::audio_chain(GstPad* pad, GstBuffer* buffer) {
  if (audio_is_heard_) {
    const Result<bool> heard = audio_input_.push(buffer);
    if (!heard) warn_once(kSaidAudio, heard.error().message);
    sound_came();
  }
  const GstFlowReturn flow = gst_pad_push(audio_partner(pad), buffer);
  return flow == GST_FLOW_NOT_LINKED ? GST_FLOW_OK : flow;
}

// Samples the frame if one is due. With `block`, waits here while too many complete windows wait.
void Filter::watch(GstBuffer* buffer) {
  if (!can_be_watched(buffer)) return;
  learn_liveness();
  const auto time = time_of(buffer);
  if (!time) return;
  const Time pts = *time;
  tell_audio();
  break_at_jump(pts, buffer);
  FrameTimes& times = video_.times;
  if (!times.any()) video_.lead = lead_before(pts);
  const auto duration = duration_of(buffer);
  feed_.frame(buffer, pts, times.reach_after(pts, duration), utc_of(buffer), video_.lead);
  times.pass_frame(pts, times.end_of(pts, duration));
  video_.may_lead = false;
  seen_end_ = times.last_end().count();
  wait_for_room();
}

void Filter::wait_for_room() {
  link_.wait_for_room([this] {  // asked again when a property changes
    const auto s = settings();
    return s->policy(video_.live) == OverloadPolicy::kBlock && !s->passthrough;
  });
}

bool Filter::can_be_watched(GstBuffer* buffer) {
  if (!video_.has_caps || !video_.has_segment || state_ == ModelState::kFailed) return false;
  if (settings()->passthrough) {
    close_window();
    return false;
  }
  if (video_.segment.rate <= 0 || is_trick_mode(video_.segment)) {
    warn_once(kSaidTrickMode, "playback in reverse or in trick mode passes unwatched");
    return false;
  }
  return !GST_BUFFER_PTS_IS_VALID(buffer) || is_inside(video_.segment, buffer);
}

// Its PTS. A camera's picture without one is of now; a file's cannot be placed.
std::optional<Time> Filter::time_of(GstBuffer* buffer) {
  if (GST_BUFFER_PTS_IS_VALID(buffer)) return Time(GST_BUFFER_PTS(buffer));
  if (!video_.live) {
    warn_once(kSaidNoPts, "a video buffer has no PTS, expected one on each: it passes unwatched");
    return std::nullopt;
  }
  warn_once(kSaidNoPts,
            "a video buffer has no PTS, expected one on each: its time is that of its arrival");
  const GstClockTime now = gst_element_get_current_running_time(element_);
  if (!GST_CLOCK_TIME_IS_VALID(now)) return std::nullopt;
  const guint64 pts = gst_segment_position_from_running_time(&video_.segment, GST_FORMAT_TIME, now);
  if (!GST_CLOCK_TIME_IS_VALID(pts)) return std::nullopt;
  return Time(pts);
}

// Where time jumps, what was before and what comes after are two stories.
void Filter::break_at_jump(Time pts, GstBuffer* buffer) {
  const FrameTimes& times = video_.times;
  const Time stride(settings()->window_stride);
  const bool jumps =
      times.steps_back_at(pts) ||
      (times.is_late(pts, stride) && times.has_jumped(pts, stride, signs_before(pts, buffer)));
  if (jumps) {
    GST_INFO_OBJECT(element_, "PTS jumps from %" GST_TIME_FORMAT " to %" GST_TIME_FORMAT,
                    GST_TIME_ARGS(times.last_pts().count()), GST_TIME_ARGS(pts.count()));
    close_window();
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
  if (!sound_is_linked() || !end || reached == INT64_MIN) return signs;
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
  if (!video_.may_lead || !running || !audio_is_heard_ || !sound_is_linked()) return Time(0);
  const AudioTrack& sound = feed_.audio();
  const int64_t began = sound.began_at();
  const bool none_comes = sound.has_ended() || sound.complete_until(audio_position(*running));
  if (began == INT64_MIN && (video_.live || none_comes)) return Time(0);
  const auto s = settings();
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
  auto origin = std::make_shared<StreamOrigin>();
  gst_segment_copy_into(&video_.segment, &origin->segment);
  origin->session_id = delivery_.session_id();
  origin->live = video_.live;
  origin->expected_end = expected_end();
  feed_.set_origin(origin);
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
  if (video_.live) shape.wait = Time(settings()->audio_wait);
  shape.lead = video_.live ? kPicturesMayLag : kFilePicturesMayLag;
  feed_.set_audio(shape);
}

// The windows of a file whose picture has ended come as fast as its sound is read.
void Filter::sound_came() {
  ++n_sound_news_;
  feed_.audio_changed();
  late_end_.sound_changed();
  if (!sound_may_wait_) return;
  link_.wait_for_room([this] {
    const auto s = settings();
    return sound_may_wait_ && s->policy(false) == OverloadPolicy::kBlock && !s->passthrough;
  });
}

void Filter::push_events() {
  for (GstEvent* event : delivery_.take_events()) gst_pad_push_event(src_, event);
}

void Filter::follow(GstClockTime position) {
  if (!GST_CLOCK_TIME_IS_VALID(position)) return;
  delivery_.set_position(position);
  for (const auto& pad : delivery_.side_pads()) pad->follow(side_time(video_.segment, position));
}

// One linked pad is enough; an error of any of them ends the stream. A side pad that flushes does
// not.
GstFlowReturn Filter::combine(GstFlowReturn flow) {
  std::lock_guard lock(flow_mutex_);
  for (const auto& side : delivery_.side_pads()) {
    const GstFlowReturn last = side->last_flow();
    gst_flow_combiner_update_pad_flow(flows_, side->pad(),
                                      last == GST_FLOW_FLUSHING ? GST_FLOW_OK : last);
  }
  return gst_flow_combiner_update_pad_flow(flows_, src_, flow);
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
      end_stream();
      break;
    case GST_EVENT_FLUSH_START: {
      const gboolean sent = gst_pad_push_event(src_, event);
      flush_start(sink_);
      return sent;
    }
    case GST_EVENT_FLUSH_STOP:
      flush_stop(sink_);
      break;
    default:
      break;
  }
  return gst_pad_push_event(src_, event);
}

gboolean Filter::audio_event(GstPad* pad, GstEvent* event) {
  GstPad* out = audio_partner(pad);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
      take_audio_caps(event);
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      if (segment->format == GST_FORMAT_TIME) audio_input_.set_segment(*segment);
      break;
    }
    case GST_EVENT_GAP: {
      GstClockTime pts, duration;
      gst_event_parse_gap(event, &pts, &duration);
      audio_input_.gap(pts, duration);
      sound_came();
      break;
    }
    case GST_EVENT_EOS:
      audio_input_.drain();
      feed_.audio().end();
      feed_.audio_changed();
      late_end_.sound_changed();
      break;
    case GST_EVENT_FLUSH_START: {
      const gboolean sent = gst_pad_push_event(out, event);
      flush_start(pad);
      return sent;
    }
    case GST_EVENT_FLUSH_STOP:
      audio_input_.flush();
      feed_.audio().clear();
      flush_stop(pad);
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
  if (!taken) warn(taken.error().message);
}

void Filter::start_stream(GstEvent* event) {
  late_end_.cancel();  // it has an end all the same: that of what follows
  sound_may_wait_ = false;
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
  video_.times.set_sampling_interval(settings()->frame_rate().interval());
}

void Filter::read_pictures_of(const GstCaps* caps) {
  auto reader = PictureReader::make(caps, device_reading(), video_.tags.current());
  video_.has_caps = static_cast<bool>(reader);
  if (reader) {
    feed_.set_reader(std::move(*reader));
  } else {
    warn(reader.error().message);
  }
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
  if (video_.tags.current() == before || !video_.has_caps) return;
  GstCaps* caps = gst_pad_get_current_caps(sink_);
  if (!caps) return;
  read_pictures_of(caps);
  gst_caps_unref(caps);
}

void Filter::start_segment(GstEvent* event) {
  const GstSegment* next = nullptr;
  gst_event_parse_segment(event, &next);
  if (!video_.has_segment || !is_same_timeline(video_.segment, *next)) close_window();
  gst_segment_copy_into(next, &video_.segment);
  video_.has_segment = next->format == GST_FORMAT_TIME;
  video_.live_known = false;
  if (!video_.has_segment) return;
  delivery_.set_segment(video_.segment);
  start_side_pads();
  for (const auto& pad : delivery_.side_pads()) pad->wait_for_caps();
}

void Filter::start_side_pads() {
  if (!video_.has_segment) return;
  const GstSegment side = side_segment(video_.segment);
  for (const auto& pad : delivery_.side_pads()) {
    pad->start(video_.stream_id, video_.group_id, side, side.start);
  }
}

void Filter::pass_gap(GstEvent* event) {
  GstClockTime pts, duration;
  gst_event_parse_gap(event, &pts, &duration);
  if (!GST_CLOCK_TIME_IS_VALID(pts)) return;
  const GstClockTime end = pts + (GST_CLOCK_TIME_IS_VALID(duration) ? duration : 0);
  if (is_skipped_frame(event)) {
    ++n_frames_;
    feed_.skip(Time(pts));
    video_.times.pass_frame(Time(pts), Time(end));
  } else {
    video_.times.pass_gap(Time(end));
    feed_.advance(Time(end));
    wait_for_room();
  }
  push_events();
  follow(end);
}

// The picture ends before the sound: it stands, and the stream's end comes with the sound's. False
// when there is nothing to wait for.
bool Filter::end_late(GstEvent* event) {
  const bool waits = video_.times.any() && audio_is_heard_ && sound_is_linked() &&
                     !feed_.audio().has_ended() && state_ != ModelState::kFailed;
  if (!waits) return false;
  tell_audio();
  const Time wait(settings()->audio_wait);
  WindowFeed::SoundShape shape{true, video_.live ? wait : kForever, Time(0)};
  feed_.set_audio(shape);
  sound_may_wait_ = !video_.live;
  LateEnd::Patience between_news;
  if (video_.live) between_news = wait + kPicturesMayLag;
  late_end_.begin(event, wait, between_news);
  feed_.audio_changed();
  return true;
}

// EOS: the last window and all answers first, then the chapters, then the ends of the side pads;
// the caller sends the EOS itself.
void Filter::end_stream() {
  if (video_.times.any()) feed_.drain(end_of_stream(), Time(0));
  link_.finish();
  if (too_small_ && n_submitted_ == 0 && !link_.has_given_up()) {
    warn_once(kSaidOnePicture,
              "there was one picture to look at and no sound, expected a second picture or some "
              "sound: nothing was analysed");
  }
  push_events();
  gint64 duration = -1;
  gst_pad_peer_query_duration(sink_, GST_FORMAT_TIME, &duration);
  if (GstEvent* toc = delivery_.take_toc(duration < 0 ? GST_CLOCK_TIME_NONE : duration)) {
    gst_pad_push_event(src_, toc);
  }
  for (const auto& pad : delivery_.side_pads()) pad->end();
  for (const auto& pad : delivery_.side_pads()) pad->wait_until_sent();
  video_.times.forget();
  sound_may_wait_ = false;
}

// Of the last frame, or of the sound, where that goes on for longer than a picture is looked at; a
// window over the whole stream is as long as the stream says it is, unless that is far from what
// came.
Time Filter::end_of_stream() const {
  const auto s = settings();
  Time end = video_.times.last_end();
  const int64_t sound = feed_.audio().end_position();
  const auto running = running_time_at(video_.segment, end);
  if (audio_is_heard_ && sound_is_linked() && running && sound != INT64_MIN) {
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

void Filter::close_window() {
  if (video_.times.any()) feed_.close(video_.times.last_end());
  video_.times.forget();
}

// Everything that waits wakes up, everything under way is cancelled, and nothing of it is
// delivered.
void Filter::flush_start(GstPad* pad) {
  std::lock_guard lock(flush_mutex_);
  (pad == sink_ ? video_flushes_ : audio_flushes_) = true;
  ++epoch_;
  link_.interrupt(epoch_);
  feed_.interrupt(epoch_);
  delivery_.flush(epoch_);
  if (pad != sink_) return;
  for (const auto& side : delivery_.side_pads()) side->flush_start();
}

void Filter::flush_stop(GstPad* pad) {
  if (pad == sink_) {
    late_end_.cancel();
    sound_may_wait_ = false;
    for (const auto& side : delivery_.side_pads()) side->flush_stop(true);
    video_.times.forget();
    video_.may_lead = true;
    video_.has_segment = false;
    gst_segment_init(&video_.segment, GST_FORMAT_TIME);
    video_.live_known = false;
  }
  {
    std::lock_guard lock(flow_mutex_);
    gst_flow_combiner_reset(flows_);
  }
  std::lock_guard lock(flush_mutex_);
  (pad == sink_ ? video_flushes_ : audio_flushes_) = false;
  if (video_flushes_ || audio_flushes_) return;
  link_.resume();
  feed_.resume();
}

}  // namespace vidi
