// How the element is put together, and what an application asks of it.
#include "gst/filter/vidifilter.h"

#include <utility>

#include "gst/worker/device_list.h"

namespace vidi {

Filter::Filter(GstElement* element)
    : element_(element),
      settings_(element, [this](const Settings& now) { settings_changed(now); }),
      notices_(element),
      engine_(settings_),
      delivery_(element),
      reporter_(delivery_, present_),
      client_(*this),
      feed_(wire()),
      status_(element, settings_, notices_, delivery_),
      requests_(settings_, notices_, feed_, client_),
      side_pads_(element, delivery_),
      idle_audio_(element),
      flushes_(feed_, client_, reporter_, delivery_, side_pads_, idle_audio_),
      late_end_([this] { return audio_.sound(); },
                [this](GstEvent* eos) { video_.finish_late(eos); }),
      audio_(element, settings_, notices_, feed_, client_, flushes_, idle_audio_, late_end_),
      video_({
          .element = element,
          .settings = settings_,
          .engine = engine_,
          .notices = notices_,
          .status = status_,
          .tally = tally_,
          .feed = feed_,
          .client = client_,
          .reporter = reporter_,
          .present = present_,
          .delivery = delivery_,
          .flushes = flushes_,
          .side_pads = side_pads_,
          .idle_audio = idle_audio_,
          .audio = audio_,
          .late_end = late_end_,
      }) {}

// Threads first: what they call is still there.
Filter::~Filter() {
  client_.stop();
  late_end_.cancel();
  feed_.stop();
}

// From the feed's thread to the model.
WindowFeed::Callbacks Filter::wire() {
  WindowFeed::Callbacks to;
  to.picture_side = [this] { return engine_.picture_side(); };
  to.sampled = [this](const auto& picture) { client_.look_ahead(picture); };
  to.sound = [this](const auto& sound) { client_.look_ahead(sound); };
  to.open_window = [this](auto window) { client_.set_open_window(std::move(window)); };
  to.submit = [this](auto window) { submit(std::move(window)); };
  to.too_small = [this](auto window) {
    tally_.too_small = !window->frames.empty() && window->dropped_frames == 0;
    client_.refuse_small(*window);
  };
  to.sound_stopped = [this] {
    notices_.warn_once(Notices::kSaidSoundStopped,
                       "the sound has stopped: windows are analysed without it until it is back");
  };
  to.warn = [this](const auto& text) { notices_.warn_once(Notices::kSaidPicture, text); };
  return to;
}

void Filter::submit(std::shared_ptr<AnalysisWindow> window) {
  const auto s = settings_.now();
  window->plan = s->plan(true);
  if (s->task == Task::kHighlight) window->plan_without_prompt = s->plan(false);
  ++tally_.n_submitted;
  const bool live = origin_of(*window).live;
  client_.submit(std::move(window), s->policy(live));
}

// ---- Properties ----

bool Filter::set_property(guint id, const GValue* value, std::string* error) {
  return settings_.set(id, value, error);
}

// On the thread that changed one, before the next change.
void Filter::settings_changed(const Settings& now) {
  feed_.reshape(now.shape());
  client_.set_limits(now.max_pending_windows, now.keep_windows);
  client_.set_max_delay(Time(now.max_delay));
  client_.set_gate(now.gate_settings());
  present_.enable(now.analytics_meta);
}

bool Filter::get_property(guint id, GValue* value) {
  if (id == kPropStats) {
    g_value_take_boxed(value, stats_structure(counters()));
    return true;
  }
  if (id == kPropModelState) {
    g_value_set_enum(value, static_cast<gint>(status_.state()));
    return true;
  }
  return get_setting(*settings_.now(), id, value);
}

Counters Filter::counters() {
  Counters counters = client_.counters();
  counters.frames_in = video_.n_frames();
  counters.frames_sampled = feed_.n_sampled();
  counters.audio_samples = feed_.audio().n_received();
  counters.sample_bytes = feed_.n_bytes();
  counters.left_out = delivery_.n_left_out();
  return counters;
}

// ---- Pads ----

// The video may be under way: the new pad's stream starts where that is.
GstPad* Filter::request_pad(GstPadTemplate* templ) {
  const std::string kind = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  if (kind == "audio_sink") {
    GstPad* pad = audio_.request(templ);
    if (!pad) return nullptr;
    if (const auto video = video_.under_way()) idle_audio_.start(*video);
    return pad;
  }
  const auto side = side_pads_.request(templ, kind == "text_src");
  if (!side) return nullptr;
  if (const auto video = video_.under_way()) SidePads::start(*side, *video);
  return side->pad();
}

void Filter::release_pad(GstPad* pad) {
  if (audio_.owns(pad)) return audio_.release(pad);
  side_pads_.release(pad);
}

GstPad* Filter::partner_of(GstPad* pad) const {
  GST_OBJECT_LOCK(element_);
  GstPad* partner = video_.partner_of(pad);
  if (!partner) partner = audio_.partner_of(pad);
  if (partner) gst_object_ref(partner);
  GST_OBJECT_UNLOCK(element_);
  return partner;
}

// Asked before elements make a context of their own: what they all share needs no copies.
bool Filter::offer_context(GstQuery* query) {
  return cuda_context_.answer(element_, query, picture_device(settings_.now()->device));
}

void Filter::explain_refusal(GstPad* sink, GstQuery* query, const TakenCaps& taken) {
  const std::string why = refusal_of_caps(sink, query, taken);
  if (!why.empty()) notices_.refuse_caps_once(why);
}

void Filter::take_context(GstContext* context) {
  cuda_context_.take(element_, context, picture_device(settings_.now()->device));
}

}  // namespace vidi
