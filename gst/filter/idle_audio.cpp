#include "gst/filter/idle_audio.h"

#include "gst/media/audio_input.h"

namespace vidi {
namespace {

// A sink behind audio_src holds up the whole pipeline's preroll; a demuxer's first sound comes with
// its first picture.
constexpr Time kSoundMayComeLate = std::chrono::seconds(1);

// What is usual, if it is taken behind the pad, else what is; null: anything, or nothing.
GstCaps* caps_behind(GstPad* pad) {
  GstCaps* wanted = gst_caps_from_string(
      "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int)48000, "
      "channels=(int)2");
  GstCaps* possible = audio_template_caps();
  GstCaps* taken = gst_pad_peer_query_caps(pad, possible);
  GstCaps* best = gst_caps_intersect_full(wanted, taken, GST_CAPS_INTERSECT_FIRST);
  if (gst_caps_is_empty(best)) std::swap(best, taken);
  const bool is_usable = !gst_caps_is_empty(best) && !gst_caps_is_any(best);
  GstCaps* caps = is_usable ? gst_caps_fixate(gst_caps_ref(best)) : nullptr;
  for (GstCaps* done : {wanted, possible, taken, best}) gst_caps_unref(done);
  return caps;
}

}  // namespace

std::shared_ptr<SparsePad> IdleAudio::pad() const {
  GST_OBJECT_LOCK(element_);
  const auto pad = pad_;
  GST_OBJECT_UNLOCK(element_);
  return pad;
}

void IdleAudio::forget() {
  if (const auto idle = pad()) idle->forget();
}

void IdleAudio::start(const StreamStart& video) {
  const auto idle = pad();
  if (!idle || has_stream_ || has_data_) return;
  idle->set_caps(caps_behind(idle->pad()));
  idle->hold_back(kSoundMayComeLate);
  idle->start(video.stream_id, video.group_id, video.segment, video.position, video.seqnum);
}

void IdleAudio::follow(GstClockTime position) {
  if (has_data_) return;
  if (const auto idle = pad()) idle->follow(position);
}

void IdleAudio::flush_start(guint32 seqnum) {
  if (has_stream_) return;
  if (const auto idle = pad()) idle->flush_start(seqnum);
}

void IdleAudio::flush_stop(guint32 seqnum) {
  if (has_stream_) return;
  if (const auto idle = pad()) idle->flush_stop(true, seqnum);
}

void IdleAudio::end(guint32 seqnum) {
  const auto idle = pad();
  if (!idle || has_data_) return;
  if (has_stream_) {
    GstEvent* eos = gst_event_new_eos();
    gst_event_set_seqnum(eos, seqnum);
    idle->push_event(eos);
  } else {
    idle->end(seqnum);
  }
}

void IdleAudio::stream_comes() {
  has_stream_ = true;
  if (const auto idle = pad(); idle && !has_data_) idle->hand_over();
}

void IdleAudio::segment_came(const GstSegment& segment, guint32 seqnum) {
  const auto idle = pad();
  if (!idle || has_data_) return;
  idle->hold_back(kSoundMayComeLate);
  GstEvent* gap = gst_event_new_gap(segment.start, 0);
  gst_event_set_seqnum(gap, seqnum);
  idle->push_event(gap);
}

void IdleAudio::data_comes() {
  if (has_data_.exchange(true)) return;
  if (const auto idle = pad()) idle->hand_over();
}

}  // namespace vidi
