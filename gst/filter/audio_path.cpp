#include "gst/filter/audio_path.h"

#include <memory>

#include "gst/filter/element_pads.h"
#include "gst/media/buffer_times.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {

void AudioPath::start() {
  n_news_ = 0;
  may_wait_ = false;
  idle_.expect_sound();
}

void AudioPath::forget_input() { input_.flush(); }

// A pad that nobody listens to behind us is no reason to end: the sound is for the model.
GstFlowReturn AudioPath::chain(GstPad* pad, GstBuffer* buffer) {
  idle_.data_comes();
  if (is_heard_) {
    feed_.wait_for_pictures(input_.running_time_of(buffer));
    const Result<bool> heard = input_.push(buffer);
    if (!heard) notices_.warn_once(Notices::kSaidAudio, heard.error().message);
    sound_came();
  }
  const GstFlowReturn flow = gst_pad_push(behind(pad), buffer);
  return flow == GST_FLOW_NOT_LINKED ? GST_FLOW_OK : flow;
}

gboolean AudioPath::event(GstPad* pad, GstEvent* event) {
  GstPad* out = behind(pad);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      idle_.stream_comes();
      break;
    case GST_EVENT_CAPS:
      take_caps(event);
      break;
    case GST_EVENT_SEGMENT:
      return pass_segment(out, event);
    case GST_EVENT_GAP:
      take_gap(event);
      break;
    case GST_EVENT_SEGMENT_DONE:
      input_.finish_segment();  // the windows that it covers need not wait
      sound_came();
      break;
    case GST_EVENT_EOS:
      end();
      break;
    case GST_EVENT_FLUSH_START: {
      const gboolean sent = gst_pad_push_event(out, event);
      flushes_.start_audio();
      return sent;
    }
    case GST_EVENT_FLUSH_STOP:
      input_.flush();
      feed_.audio().clear();
      flushes_.stop_audio();
      break;
    default:
      break;
  }
  return gst_pad_push_event(out, event);
}

void AudioPath::take_caps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const Result<bool> taken = input_.set_caps(caps);
  if (!taken) notices_.warn(taken.error().message);
}

gboolean AudioPath::pass_segment(GstPad* out, GstEvent* event) {
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  segment = in_time(segment);
  input_.set_segment(segment);
  const guint32 seqnum = gst_event_get_seqnum(event);
  const gboolean passed = gst_pad_push_event(out, event);
  idle_.segment_came(segment, seqnum);
  return passed;
}

void AudioPath::take_gap(GstEvent* event) {
  GstClockTime pts, duration;
  gst_event_parse_gap(event, &pts, &duration);
  idle_.data_comes();
  input_.gap(pts, duration);
  sound_came();
}

void AudioPath::end() {
  idle_.data_comes();
  input_.drain();
  feed_.audio().end();
  feed_.audio_changed();
  late_end_.sound_changed();
}

void AudioPath::sound_came() {
  ++n_news_;
  feed_.audio_changed();
  late_end_.sound_changed();
  if (!may_wait_) return;
  feed_.wait_until_handled();  // else any number of windows may end before the first is counted
  client_.wait_for_room([this] {
    const auto s = settings_.now();
    return may_wait_ && s->policy(false) == OverloadPolicy::kBlock && !s->passthrough;
  });
}

// ---- Beside the video ----

// A pad that nothing is linked to brings no sound; it may be linked when frames pass already.
bool AudioPath::is_linked() const {
  GstPad* pad = nullptr;
  GST_OBJECT_LOCK(element_);
  if (sink_) pad = GST_PAD(gst_object_ref(sink_));
  GST_OBJECT_UNLOCK(element_);
  const bool linked = pad && gst_pad_is_linked(pad);
  if (pad) gst_object_unref(pad);
  return linked;
}

// At another rate than 1, running time is no measure of samples.
void AudioPath::hear_beside(const VideoStream& video) {
  is_heard_ = video.segment.rate == 1.0;
  WindowFeed::SoundShape shape;
  shape.present = is_heard_ && is_linked();
  if (video.live) shape.wait = Time(settings_.now()->audio_wait);
  shape.lead = video.pictures_may_lag();
  feed_.set_audio(shape);
}

LateEnd::Sound AudioPath::sound() const {
  const bool ended = feed_.audio().has_ended() || !is_linked();
  return {ended, n_news_};
}

// ---- The pads ----

GstPad* AudioPath::partner_of(GstPad* pad) const {
  if (pad == sink_) return src_;
  return pad == src_ ? sink_ : nullptr;
}

// At any time: windows are heard from the next one on that ends, and each says whether it was.
GstPad* AudioPath::request(GstPadTemplate* templ) {
  if (sink_) {
    GST_WARNING_OBJECT(element_, "audio_sink: expected at most one");
    return nullptr;
  }
  GstPad* sink = gst_pad_new_from_template(templ, "audio_sink");
  GstPad* src = pad_of(element_, "audio_src");
  gst_pad_set_chain_function(sink, on_audio_buffer);
  gst_pad_set_event_function(sink, on_audio_event);
  gst_pad_set_element_private(sink, src);
  g_signal_connect(sink, "unlinked", G_CALLBACK(on_unlinked), this);
  gst_pad_set_query_function(sink, on_audio_query);
  pass_through(sink, src);
  auto idle = std::make_shared<SparsePad>(src, nullptr);
  GST_OBJECT_LOCK(element_);
  sink_ = sink, src_ = src;
  idle_.set(idle);
  GST_OBJECT_UNLOCK(element_);
  idle_.expect_sound();
  for (GstPad* pad : {src, sink}) {
    if (takes_data(element_)) gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(element_, pad);
  }
  return sink;
}

void AudioPath::on_unlinked(GstPad*, GstPad*, AudioPath* self) { self->late_end_.sound_changed(); }

void AudioPath::release(GstPad* pad) {
  GstPad* src = src_;
  feed_.set_audio({});             // it need not wait for the pictures any more
  gst_pad_set_active(pad, FALSE);  // waits until the chain function is out
  const auto idle = idle_.pad();
  if (idle) idle->retire();
  gst_pad_set_active(src, FALSE);
  GST_OBJECT_LOCK(element_);
  sink_ = src_ = nullptr;
  idle_.set(nullptr);
  GST_OBJECT_UNLOCK(element_);
  g_signal_handlers_disconnect_by_data(pad, this);
  input_.flush();
  feed_.set_audio({});
  feed_.audio().end();
  feed_.audio_changed();
  late_end_.sound_changed();
  gst_element_remove_pad(element_, src);
  gst_element_remove_pad(element_, pad);
}

}  // namespace vidi
