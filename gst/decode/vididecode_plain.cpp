// The way back: one ordinary decoder, and all frames pass.
#include <utility>

#include "gst/decode/vididecode.h"

GST_DEBUG_CATEGORY_EXTERN(vididecode_debug);
#define GST_CAT_DEFAULT vididecode_debug

namespace vidi {

GstFlowReturn SamplingDecoder::fall_back(const char* why) {
  const GstFlowReturn flow = emit_all();
  return flow != GST_FLOW_OK || fallback_ ? flow : start_fallback(why);
}

// From the first frame on that was not passed on.
GstFlowReturn SamplingDecoder::start_fallback(const char* why) {
  GST_INFO_OBJECT(bin_, "all frames are decoded from here on: %s", why);
  std::vector<const Gop*> gops;
  for (const auto& job : jobs_) gops.push_back(&job->gop);
  for (const Gop& gop : gops_) gops.push_back(&gop);
  const std::vector<CodedFrame> frames = joined(gops, splitter_.take_rest());
  drop_workers();
  jobs_.clear();
  gops_.clear();
  has_fallen_back_ = true;
  fallback_ = make_decoder(false);
  fallback_flow_ = GST_FLOW_OK;
  if (!fallback_) {
    GST_ELEMENT_ERROR(bin_, STREAM, DECODE,
                      ("The decoder %s cannot be started.", GST_OBJECT_NAME(factory_)), (nullptr));
    return GST_FLOW_ERROR;
  }
  fallback_->on_output([this](GstBuffer* picture) { return fallback_output(picture); },
                       [this](GstEvent* event) { fallback_event(event); });
  if (!fallback_->begin(caps_, segment_)) return GST_FLOW_NOT_NEGOTIATED;
  // A decoder adds its own tags to those of the stream, and the sum takes their place downstream.
  if (const OwnedEvent tags = stream_tags_) send_plain(tags);
  for (const OwnedEvent& event : std::exchange(held_, {})) send_plain(event);
  for (const CodedFrame& frame : frames) {
    for (const OwnedEvent& event : frame.events) send_plain(event);
    const GstFlowReturn flow = fallback_->push(frame);
    if (fallback_flow_ != GST_FLOW_OK) return fallback_flow_;
    if (flow != GST_FLOW_OK) return flow;
  }
  for (const OwnedEvent& event : std::exchange(waiting_, {})) send_plain(event);
  return GST_FLOW_OK;
}

bool SamplingDecoder::send_plain(const OwnedEvent& event) {
  remember_tags(event);
  return fallback_->send(gst_event_ref(event.get()));
}

// On the chain function's thread or one of the decoder's.
GstFlowReturn SamplingDecoder::fallback_output(GstBuffer* picture) {
  const bool is_passed_on =
      GST_BUFFER_PTS_IS_VALID(picture) && first_ == Time(GST_BUFFER_PTS(picture));
  if (is_passed_on) {
    first_.reset();
    gst_buffer_unref(picture);
    return GST_FLOW_OK;
  }
  return fallback_flow_ = push(picture);
}

// Its CAPS come before its first picture; the beginning and the end of the stream are ours to tell.
void SamplingDecoder::fallback_event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS && !announced_) {
    GstCaps* raw = nullptr;
    gst_event_parse_caps(event, &raw);
    announce(raw);
    return gst_event_unref(event);
  }
  const bool ours = GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START ||
                    GST_EVENT_TYPE(event) == GST_EVENT_EOS ||
                    GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT;
  if (ours || !announced_) return gst_event_unref(event);
  gst_pad_push_event(src_, event);
}

}  // namespace vidi
