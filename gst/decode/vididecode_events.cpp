// What comes on the sink pad beside frames, and the element's states.
#include <utility>

#include "gst/decode/vididecode.h"

namespace vidi {

gboolean SamplingDecoder::event(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
      return take_caps(event);
    case GST_EVENT_SEGMENT:
      return take_segment(event);
    case GST_EVENT_STREAM_START:
      finish();
      announced_ = false;
      stream_tags_.reset();
      return gst_pad_push_event(src_, event);
    case GST_EVENT_EOS:
    case GST_EVENT_SEGMENT_DONE:
      finish();
      return gst_pad_push_event(src_, event);
    case GST_EVENT_GAP:
      if (factory_ && !fallback_) fall_back("there is a gap");
      if (fallback_) return fallback_->send(event);
      gst_event_unref(event);
      return TRUE;
    case GST_EVENT_FLUSH_START: {
      const gboolean sent = gst_pad_push_event(src_, event);
      interrupt();
      return sent;
    }
    case GST_EVENT_FLUSH_STOP:
      forget_stream();
      announced_ = false;
      resume();
      return gst_pad_push_event(src_, event);
    default:
      return pass(event);
  }
}

// Tags and the like: as soon as pictures flow, and then between the same two.
gboolean SamplingDecoder::pass(GstEvent* event) {
  const bool in_order = (GST_EVENT_TYPE(event) & int{GST_EVENT_TYPE_SERIALIZED}) != 0;
  if (!in_order) return gst_pad_push_event(src_, event);
  const OwnedEvent owned(event, EventUnref());
  if (fallback_) return send_plain(owned);
  (announced_ ? waiting_ : held_).push_back(owned);
  return TRUE;
}

gboolean SamplingDecoder::take_caps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const bool same = caps_ && gst_caps_is_equal(caps, caps_);
  if (!same) {
    finish_gops();
    std::optional<FramePlan> plan;
    if (!fallback_) plan = std::move(plan_);
    finish();
    plan_before_ = std::move(plan);
    gst_caps_replace(&caps_, caps);
    g_clear_object(&factory_);
    factory_ = best_decoder(caps);
    reader_ = CodedFrameReader::make(caps);
    announced_ = false;
  }
  gst_event_unref(event);
  return factory_ != nullptr;
}

gboolean SamplingDecoder::take_segment(GstEvent* event) {
  GstSegment next;
  gst_event_copy_segment(event, &next);
  const guint32 seqnum = gst_event_get_seqnum(event);
  gst_event_unref(event);
  if (gst_segment_is_equal(&next, &segment_) && seqnum == segment_seqnum_) return TRUE;
  finish();
  segment_seqnum_ = seqnum;
  gst_segment_copy_into(&next, &segment_);
  announced_ = false;
  return TRUE;
}

// Everything that came is passed on; what follows is decoded from anew.
GstFlowReturn SamplingDecoder::finish() {
  const GstFlowReturn flow = finish_gops();
  if (fallback_) fallback_->send(gst_event_new_eos());
  for (const OwnedEvent& event : std::exchange(waiting_, {})) pass_on(event);
  forget_stream();
  return flow;
}

void SamplingDecoder::forget_stream() {
  drop_workers();
  fallback_.reset();
  has_fallen_back_ = false;
  fallback_flow_ = GST_FLOW_OK;
  jobs_.clear();
  gops_.clear();
  waiting_.clear();
  splitter_.take_rest();
  plan_.reset(), plan_before_.reset();
  first_.reset();
}

void SamplingDecoder::drop_workers() {
  std::unique_ptr<GopDecoders> workers;
  std::unique_ptr<InnerDecoder> spare;
  std::unique_lock lock(mutex_);
  workers = std::move(workers_);
  lock.unlock();
  workers.reset();  // its threads may be asking for the spare decoder
  lock.lock();
  spare = std::move(spare_);
}

// ---- States ----

void SamplingDecoder::resume() {
  std::lock_guard lock(mutex_);
  interrupted_ = false;
}

void SamplingDecoder::interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  if (workers_) workers_->interrupt();
}

void SamplingDecoder::end() {
  forget_stream();
  held_.clear();
  stream_tags_.reset();
  gst_caps_replace(&caps_, nullptr);
  g_clear_object(&factory_);
  reader_.reset();
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  announced_ = false;
}

}  // namespace vidi
