// The element's pads: the video pair, and those that an application asks for.
#include <utility>

#include "gst/decode/sampling_query.h"
#include "gst/filter/element_pads.h"
#include "gst/filter/vidifilter.h"
#include "gst/media/buffer_times.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {

Filter::Filter(GstElement* element)
    : element_(element),
      settings_(element, [this](const Settings& now) { settings_changed(now); }),
      notices_(element),
      engine_(settings_),
      delivery_(element),
      status_(element, settings_, notices_, delivery_),
      reporter_(delivery_),
      client_(*this),
      feed_({[this] { return engine_.picture_side(); },
             [this](const std::shared_ptr<const SampledFrame>& picture) {
               client_.look_ahead(picture);
             },
             [this](const std::shared_ptr<const SoundChunk>& sound) { client_.look_ahead(sound); },
             [this](std::shared_ptr<const OpenWindow> window) {
               client_.set_open_window(std::move(window));
             },
             [this](std::shared_ptr<AnalysisWindow> window) { submit(std::move(window)); },
             [this](std::shared_ptr<AnalysisWindow> window) {
               too_small_ = !window->frames.empty() && window->dropped_frames == 0;
               client_.refuse_small(*window);
             },
             [this] {
               notices_.warn_once(
                   Notices::kSaidSoundStopped,
                   "the sound has stopped: windows are analysed without it until it is back");
             },
             [this](const std::string& text) { notices_.warn_once(Notices::kSaidPicture, text); }}),
      requests_(settings_, notices_, feed_, client_),
      side_pads_(element, delivery_),
      idle_audio_(element),
      flushes_(feed_, client_, reporter_, delivery_, side_pads_, idle_audio_),
      late_end_([this] { return audio_.sound(); },
                [this](GstEvent* eos) {
                  end_stream(gst_event_get_seqnum(eos));
                  gst_pad_push_event(src_, eos);
                }),
      audio_(element, settings_, notices_, feed_, client_, flushes_, idle_audio_, late_end_) {
  sink_ = pad_of(element, "sink");
  src_ = pad_of(element, "src");
  gst_pad_set_chain_function(sink_, on_video_buffer);
  gst_pad_set_event_function(sink_, on_video_event);
  pass_through(sink_, src_);
  for (GstPad* pad : {sink_, src_}) gst_pad_set_query_function(pad, on_video_query);
  gst_element_add_pad(element, sink_);
  gst_element_add_pad(element, src_);
  side_pads_.set_main(src_);
}

Filter::~Filter() {
  client_.stop();
  late_end_.cancel();
  feed_.stop();
}

GstPad* Filter::partner_of(GstPad* pad) const {
  GstPad* partner = nullptr;
  GST_OBJECT_LOCK(element_);
  if (pad == sink_) partner = src_;
  if (pad == src_) partner = sink_;
  if (!partner) partner = audio_.partner_of(pad);
  if (partner) gst_object_ref(partner);
  GST_OBJECT_UNLOCK(element_);
  return partner;
}

// Asked before elements make a context of their own: what they all share needs no copies.
bool Filter::offer_context(GstQuery* query) {
  return cuda_context_.answer(element_, query, settings_.now()->device);
}

bool Filter::answer_decoder(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_CUSTOM) return false;
  const auto s = settings_.now();
  const SamplingSettings watch{s->shape(), Time(s->window_stride), s->frame_rate().interval(),
                               video_.lead};
  return !s->passthrough && answer_sampling_query(query, watch);
}

void Filter::take_context(GstContext* context) {
  cuda_context_.take(element_, context, settings_.now()->device);
}

// The video may be under way: the new pad's stream starts where that is.
GstPad* Filter::request_pad(GstPadTemplate* templ) {
  const std::string kind = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  if (kind == "audio_sink") {
    GstPad* pad = audio_.request(templ);
    if (!pad) return nullptr;
    if (const auto video = under_way()) idle_audio_.start(*video);
    return pad;
  }
  const auto side = side_pads_.request(templ, kind == "text_src");
  if (!side) return nullptr;
  if (const auto video = under_way()) SidePads::start(*side, *video);
  return side->pad();
}

// By what the pad keeps of its stream: the stream itself is the streaming thread's.
std::optional<StreamStart> Filter::under_way() const {
  GstEvent* start = gst_pad_get_sticky_event(sink_, GST_EVENT_STREAM_START, 0);
  GstEvent* segment = gst_pad_get_sticky_event(sink_, GST_EVENT_SEGMENT, 0);
  std::optional<StreamStart> now;
  if (start && segment) {
    const GstSegment* s = nullptr;
    gst_event_parse_segment(segment, &s);
    auto [id, group] = stream_of(start);
    const GstSegment video = in_time(*s);
    const int64_t seen = seen_end_;
    now = StreamStart{std::move(id), group, video,
                      seen < 0 ? video.start : static_cast<GstClockTime>(seen),
                      gst_event_get_seqnum(segment)};
  }
  g_clear_pointer(&start, gst_event_unref);
  g_clear_pointer(&segment, gst_event_unref);
  return now;
}

void Filter::release_pad(GstPad* pad) {
  if (audio_.owns(pad)) return audio_.release(pad);
  side_pads_.release(pad);
}

}  // namespace vidi
