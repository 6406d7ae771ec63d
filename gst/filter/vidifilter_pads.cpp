// The element's pads: the video pair, and those that an application asks for.
#include "gst/decode/sampling_query.h"
#include "gst/filter/vidifilter.h"
#include "gst/media/buffer_times.h"

GST_DEBUG_CATEGORY_EXTERN(vidifilter_debug);
#define GST_CAT_DEFAULT vidifilter_debug

namespace vidi {
namespace {

// Caps, allocation and scheduling pass between the two pads of a pair as if we were not there.
void pass_through(GstPad* sink, GstPad* src) {
  for (GstPad* pad : {sink, src}) {
    GST_PAD_SET_PROXY_CAPS(pad);
    GST_PAD_SET_PROXY_ALLOCATION(pad);
    GST_PAD_SET_PROXY_SCHEDULING(pad);
    gst_pad_set_iterate_internal_links_function(pad, internal_links);
  }
}

GstPad* pad_of(GstElement* element, const char* name) {
  GstPadTemplate* templ = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element), name);
  return gst_pad_new_from_template(templ, name);
}

bool takes_data(GstElement* element) { return GST_STATE(element) >= GST_STATE_PAUSED; }

}  // namespace

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
      audio_input_(feed_.audio()),
      late_end_(
          [this] {
            const bool ended = feed_.audio().has_ended() || !sound_is_linked();
            return LateEnd::Sound{ended, n_sound_news_};
          },
          [this](GstEvent* eos) {
            end_stream(gst_event_get_seqnum(eos));
            gst_pad_push_event(src_, eos);
          }),
      flows_(gst_flow_combiner_new()) {
  gst_segment_init(&video_.segment, GST_FORMAT_TIME);
  sink_ = pad_of(element, "sink");
  src_ = pad_of(element, "src");
  gst_pad_set_chain_function(sink_, on_video_buffer);
  gst_pad_set_event_function(sink_, on_video_event);
  pass_through(sink_, src_);
  for (GstPad* pad : {sink_, src_}) gst_pad_set_query_function(pad, on_video_query);
  gst_element_add_pad(element, sink_);
  gst_element_add_pad(element, src_);
  gst_flow_combiner_add_pad(flows_, src_);
}

Filter::~Filter() {
  client_.stop();
  late_end_.cancel();
  feed_.stop();
  gst_flow_combiner_free(flows_);
}

GstPad* Filter::partner_of(GstPad* pad) const {
  GstPad* partner = nullptr;
  GST_OBJECT_LOCK(element_);
  if (pad == sink_) partner = src_;
  if (pad == src_) partner = sink_;
  if (pad == audio_sink_) partner = audio_src_;
  if (pad == audio_src_) partner = audio_sink_;
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

GstPad* Filter::request_pad(GstPadTemplate* templ, const char* name) {
  const std::string kind = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  if (kind == "audio_sink") return request_audio(templ);
  return request_side_pad(templ, kind == "text_src");
}

// At any time: windows are heard from the next one on that ends, and each says whether it was.
GstPad* Filter::request_audio(GstPadTemplate* templ) {
  if (audio_sink_) {
    GST_WARNING_OBJECT(element_, "audio_sink: expected at most one");
    return nullptr;
  }
  GstPad* sink = gst_pad_new_from_template(templ, "audio_sink");
  GstPad* src = pad_of(element_, "audio_src");
  gst_pad_set_chain_function(sink, on_audio_buffer);
  gst_pad_set_event_function(sink, on_audio_event);
  gst_pad_set_element_private(sink, src);
  g_signal_connect(sink, "unlinked", G_CALLBACK(on_audio_unlinked), this);
  pass_through(sink, src);
  auto idle = std::make_shared<SparsePad>(src, nullptr);
  GST_OBJECT_LOCK(element_);
  audio_sink_ = sink, audio_src_ = src;
  idle_audio_ = idle;
  GST_OBJECT_UNLOCK(element_);
  sound_has_stream_ = sound_has_data_ = false;
  for (GstPad* pad : {src, sink}) {
    if (takes_data(element_)) gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(element_, pad);
  }
  start_late(nullptr);
  return sink;
}

void Filter::on_audio_unlinked(GstPad*, GstPad*, Filter* self) { self->late_end_.sound_changed(); }

void Filter::release_audio(GstPad* pad) {
  GstPad* src = audio_src_;
  feed_.set_audio({});             // it need not wait for the pictures any more
  gst_pad_set_active(pad, FALSE);  // waits until the chain function is out
  GST_OBJECT_LOCK(element_);
  const auto idle = idle_audio_;
  GST_OBJECT_UNLOCK(element_);
  if (idle) idle->retire();
  gst_pad_set_active(src, FALSE);
  GST_OBJECT_LOCK(element_);
  audio_sink_ = audio_src_ = nullptr;
  idle_audio_.reset();
  GST_OBJECT_UNLOCK(element_);
  g_signal_handlers_disconnect_by_data(pad, this);
  audio_input_.flush();
  feed_.set_audio({});
  feed_.audio().end();
  feed_.audio_changed();
  late_end_.sound_changed();
  gst_element_remove_pad(element_, src);
  gst_element_remove_pad(element_, pad);
}

GstPad* Filter::request_side_pad(GstPadTemplate* templ, bool text) {
  const char* name = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  if (GstPad* there = gst_element_get_static_pad(element_, name)) {
    gst_object_unref(there);
    GST_WARNING_OBJECT(element_, "%s: expected at most one", name);
    return nullptr;
  }
  GstPad* pad = gst_pad_new_from_template(templ, name);
  GstCaps* caps = gst_caps_from_string(text ? kTextCaps : kJsonCaps);
  auto side = std::make_shared<SparsePad>(pad, caps);
  gst_caps_unref(caps);
  {
    std::lock_guard lock(flow_mutex_);
    gst_flow_combiner_add_pad(flows_, pad);
  }
  if (text) {
    delivery_.set_text_pad(side);
  } else {
    delivery_.set_json_pad(side);
  }
  if (takes_data(element_)) gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element_, pad);
  start_late(side.get());
  return pad;
}

// The video may be under way: the new pad's stream starts where that is. Null: the audio pad's.
void Filter::start_late(SparsePad* side) {
  GstEvent* start = gst_pad_get_sticky_event(sink_, GST_EVENT_STREAM_START, 0);
  GstEvent* segment = gst_pad_get_sticky_event(sink_, GST_EVENT_SEGMENT, 0);
  if (start && segment) {
    const GstSegment* s = nullptr;
    gst_event_parse_segment(segment, &s);
    const auto [id, group] = stream_of(start);
    const guint32 seqnum = gst_event_get_seqnum(segment);
    const GstSegment now = in_time(*s);
    const GstClockTime end = seen_end_ >= 0 ? seen_end_.load() : now.start;
    if (side) {
      side->start(id, group, side_segment(now), side_time(now, end), seqnum);
    } else {
      start_idle_audio(id, group, now, end, seqnum);
    }
  }
  g_clear_pointer(&start, gst_event_unref);
  g_clear_pointer(&segment, gst_event_unref);
}

void Filter::release_pad(GstPad* pad) {
  if (pad == audio_sink_) return release_audio(pad);
  for (const auto& side : delivery_.side_pads()) {
    if (side->pad() != pad) continue;
    side->retire();
    if (g_str_equal(GST_OBJECT_NAME(pad), "text_src")) {
      delivery_.set_text_pad(nullptr);
    } else {
      delivery_.set_json_pad(nullptr);
    }
    std::lock_guard lock(flow_mutex_);
    gst_flow_combiner_remove_pad(flows_, pad);
  }
  gst_element_remove_pad(element_, pad);
}

}  // namespace vidi
