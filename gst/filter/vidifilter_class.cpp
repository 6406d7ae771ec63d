/**
 * SECTION:element-vidifilter
 * @title: vidifilter
 * @short_description: says when something happens in a stream, seen or heard
 *
 * vidifilter watches decoded video, and audio when it is given, while both pass through untouched.
 * It samples frames at a fixed rate, cuts the stream into sliding windows and asks a Vidi model
 * about every window on a thread of its own. What the model finds leaves as `vidi/result`
 * structures: as serialized custom events on `src`, as element messages on the bus, as JSON lines
 * on `json_src`, as cues on `text_src`, and as chapters (GstToc) at EOS. gst/results/structures.h
 * and gst/REFERENCE.md list the fields.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -m uridecodebin uri=file:///clip.mp4 name=d  vidifilter name=v model-path=MODEL \
 *   query="a dog" d. ! queue ! v.sink  d. ! queue ! v.audio_sink  v.src ! fakesink sync=false \
 *   v.audio_src ! fakesink sync=false \
 *   v.json_src ! filesink buffer-mode=unbuffered location=hits.jsonl
 * ]| When a dog is seen in a file, as JSON lines.
 * |[
 * gst-launch-1.0 -m rtspsrc location=rtsp://cam add-reference-timestamp-meta=true ! decodebin3 ! \
 *   queue ! vidifilter name=v model-path=MODEL queries='"<\"person falls\",\"forklift\">"' \
 *   window-duration=20000000000 window-stride=10000000000 ! queue ! \
 *   textoverlay name=o wait-text=false ! autovideosink   v.text_src ! o.text_sink
 * ]| A camera, with what was found written over the picture.
 */
#include <gst/audio/audio.h>

#include <exception>

#include "gst/filter/element_pads.h"
#include "gst/filter/vidifilter.h"
#include "gst/results/line_forms.h"
#include "gst/vidi.h"

GST_DEBUG_CATEGORY(vidifilter_debug);
GST_DEBUG_CATEGORY(vidimodel_debug);
#define GST_CAT_DEFAULT vidifilter_debug

struct _GstVidiFilter {
  GstElement parent;
  vidi::Filter* filter;
};

G_DEFINE_TYPE(GstVidiFilter, gst_vidi_filter, GST_TYPE_ELEMENT)

namespace {

vidi::Filter& filter_of(gpointer object) { return *GST_VIDI_FILTER(object)->filter; }

// No exception leaves for GStreamer's C code, which would end the application: most likely the
// memory is used up.
template <class T, class Body>
T guarded(gpointer object, T otherwise, Body body) noexcept {
  try {
    return body(filter_of(object));
  } catch (const std::exception& e) {
    GST_ELEMENT_ERROR(object, CORE, FAILED, ("%s", e.what()), (NULL));
    return otherwise;
  }
}

// ---- Properties and actions ----

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  guarded(object, false, [&](vidi::Filter& filter) {
    std::string error;
    if (filter.set_property(id, value, &error)) {
      const bool has_started = GST_STATE(object) > GST_STATE_READY;
      const bool acts_later = has_started && !(spec->flags & GST_PARAM_MUTABLE_PLAYING);
      if (acts_later)
        GST_ELEMENT_WARNING(object, LIBRARY, SETTINGS,
                            ("%s is taken when the element starts next", spec->name), (NULL));
      return true;
    }
    if (error.empty()) {
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    } else {
      GST_ELEMENT_WARNING(object, LIBRARY, SETTINGS, ("%s", error.c_str()), (NULL));
    }
    return false;
  });
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  guarded(object, false, [&](vidi::Filter& filter) {
    if (filter.get_property(id, value)) return true;
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    return false;
  });
}

gchar* ask(GstVidiFilter* self, const gchar* query, guint64 start, guint64 stop) {
  return guarded(self, static_cast<gchar*>(nullptr), [&](vidi::Filter& filter) {
    const std::string id = filter.requests().ask(query, start, stop);
    return id.empty() ? nullptr : g_strdup(id.c_str());
  });
}

void analyze_now(GstVidiFilter* self) {
  guarded(self, false, [](vidi::Filter& filter) { return filter.video().analyze_now(), true; });
}

// ---- Pads and states ----

GstPad* request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar*, const GstCaps*) {
  return guarded(element, static_cast<GstPad*>(nullptr),
                 [&](vidi::Filter& filter) { return filter.request_pad(templ); });
}

void release_pad(GstElement* element, GstPad* pad) {
  guarded(element, false, [&](vidi::Filter& filter) { return filter.release_pad(pad), true; });
}

void set_context(GstElement* element, GstContext* context) {
  guarded(element, false, [&](vidi::Filter& filter) { return filter.take_context(context), true; });
  GST_ELEMENT_CLASS(gst_vidi_filter_parent_class)->set_context(element, context);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  const auto fail = GST_STATE_CHANGE_FAILURE;
  return guarded(element, fail, [&](vidi::Filter& filter) {
    const auto chain_up = [&] {
      return GST_ELEMENT_CLASS(gst_vidi_filter_parent_class)->change_state(element, change);
    };
    if (change == GST_STATE_CHANGE_NULL_TO_READY && !filter.open()) return fail;
    if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !filter.begin()) {
      filter.end();
      return fail;
    }
    if (change == GST_STATE_CHANGE_PAUSED_TO_READY) filter.interrupt_all();
    const GstStateChangeReturn changed = chain_up();
    const bool ends = change == GST_STATE_CHANGE_PAUSED_TO_READY ||
                      (change == GST_STATE_CHANGE_READY_TO_PAUSED && changed == fail);
    if (ends) filter.end();
    if (change == GST_STATE_CHANGE_READY_TO_NULL) filter.close();
    return changed;
  });
}

// ---- The class ----

void add_template(GstElementClass* klass, const char* name, GstPadDirection direction,
                  GstPadPresence presence, GstCaps* caps) {
  GstPadTemplate* templ = gst_pad_template_new(name, direction, presence, caps);
  gst_pad_template_set_documentation_caps(templ, caps);
  gst_element_class_add_pad_template(klass, templ);
  gst_caps_unref(caps);
}

void add_templates(GstElementClass* klass) {
  using vidi::audio_template_caps, vidi::video_template_caps;
  add_template(klass, VIDI_PAD_SINK, GST_PAD_SINK, GST_PAD_ALWAYS, video_template_caps());
  add_template(klass, VIDI_PAD_SRC, GST_PAD_SRC, GST_PAD_ALWAYS, video_template_caps());
  add_template(klass, VIDI_PAD_AUDIO_SINK, GST_PAD_SINK, GST_PAD_REQUEST, audio_template_caps());
  add_template(klass, VIDI_PAD_AUDIO_SRC, GST_PAD_SRC, GST_PAD_SOMETIMES, audio_template_caps());
  add_template(klass, VIDI_PAD_TEXT_SRC, GST_PAD_SRC, GST_PAD_REQUEST,
               gst_caps_from_string(vidi::kTextCaps));
  add_template(klass, VIDI_PAD_JSON_SRC, GST_PAD_SRC, GST_PAD_REQUEST,
               gst_caps_from_string(vidi::kLineCaps));
}

void add_actions(GType type) {
  /**
   * GstVidiFilter::ask:
   * @query: what to look for, UTF-8
   * @start: PTS in ns where to look from, GST_CLOCK_TIME_NONE = from where something is kept
   * @stop: PTS in ns where to look to, GST_CLOCK_TIME_NONE = to the end
   *
   * Asks about what is encoded (the last `keep-windows` windows), or about pictures that are kept
   * for the window that fills now; also while paused or after EOS. The answer comes as the usual
   * `vidi/result` messages and a `vidi/window` with the returned id as query id; after EOS on the
   * bus only.
   *
   * Returns: (transfer full) (nullable): the request's id, NULL when nothing is kept of that time.
   */
  g_signal_new_class_handler(VIDI_SIGNAL_ASK, type,
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(ask), nullptr, nullptr, nullptr, G_TYPE_STRING, 3,
                             G_TYPE_STRING, G_TYPE_UINT64, G_TYPE_UINT64);
  /**
   * GstVidiFilter::analyze-now:
   *
   * Ends the current window here and analyses it; the next frame starts a new one.
   */
  g_signal_new_class_handler(VIDI_SIGNAL_ANALYZE_NOW, type,
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(analyze_now), nullptr, nullptr, nullptr, G_TYPE_NONE, 0);
}

void finalize(GObject* object) {
  delete GST_VIDI_FILTER(object)->filter;
  G_OBJECT_CLASS(gst_vidi_filter_parent_class)->finalize(object);
}

}  // namespace

static void gst_vidi_filter_class_init(GstVidiFilterClass* klass) {
  GST_DEBUG_CATEGORY_INIT(vidifilter_debug, "vidifilter", 0, "Vidi video-language filter");
  GST_DEBUG_CATEGORY_INIT(vidimodel_debug, "vidimodel", 0, "Vidi model: loading and answers");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  vidi::install_properties(object_class);
  add_actions(G_TYPE_FROM_CLASS(klass));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->request_new_pad = request_new_pad;
  element_class->release_pad = release_pad;
  element_class->change_state = change_state;
  element_class->set_context = set_context;
  add_templates(element_class);
  gst_element_class_set_static_metadata(
      element_class, "Vidi video-language filter", "Filter/Effect/Video",
      "Says when something is seen or heard in a stream, as events, text and JSON",
      "The vidifilter authors");
}

static void gst_vidi_filter_init(GstVidiFilter* self) {
  self->filter = new vidi::Filter(GST_ELEMENT(self));
}

// ---- What pads call ----

namespace vidi {

GstFlowReturn on_video_buffer(GstPad*, GstObject* parent, GstBuffer* buffer) {
  return guarded(parent, GST_FLOW_ERROR,
                 [&](Filter& filter) { return filter.video().chain(buffer); });
}

gboolean on_video_event(GstPad*, GstObject* parent, GstEvent* event) {
  return guarded(parent, FALSE, [&](Filter& filter) { return filter.video().event(event); });
}

namespace {

TakenCaps taken_pictures(GstPad* pad) {
  const GstCaps* caps = GST_PAD_TEMPLATE_CAPS(GST_PAD_PAD_TEMPLATE(pad));
  const bool cuda = gst_caps_get_size(caps) > 1;  // see video_template_caps()
  return {cuda ? "raw video in system or CUDA memory" : "raw video in system memory", "video/x-raw",
          "videoconvert"};
}

void explain_refusal(GstPad* pad, GstObject* parent, GstQuery* query, const TakenCaps& taken) {
  guarded(parent, false,
          [&](Filter& filter) { return filter.explain_refusal(pad, query, taken), true; });
}

}  // namespace

gboolean on_video_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const auto about_watching = [&](Filter& filter) { return filter.video().answer_decoder(query); };
  if (GST_PAD_IS_SINK(pad) && guarded(parent, false, about_watching)) return TRUE;
  if (gst_pad_query_default(pad, parent, query)) {
    if (GST_PAD_IS_SINK(pad)) explain_refusal(pad, parent, query, taken_pictures(pad));
    return TRUE;
  }
  return GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT &&
         guarded(parent, false, [&](Filter& filter) { return filter.offer_context(query); });
}

GstFlowReturn on_audio_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
  return guarded(parent, GST_FLOW_ERROR,
                 [&](Filter& filter) { return filter.audio().chain(pad, buffer); });
}

gboolean on_audio_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  return guarded(parent, FALSE, [&](Filter& filter) { return filter.audio().event(pad, event); });
}

gboolean on_audio_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const gboolean answered = gst_pad_query_default(pad, parent, query);
  explain_refusal(pad, parent, query,
                  {"raw audio of at most 64 channels", "audio/x-raw", "audioconvert"});
  return answered;
}

GstIterator* internal_links(GstPad* pad, GstObject* parent) {
  GstPad* partner = filter_of(parent).partner_of(pad);
  if (!partner) return nullptr;
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_PAD);
  g_value_take_object(&value, partner);
  GstIterator* links = gst_iterator_new_single(GST_TYPE_PAD, &value);
  g_value_unset(&value);
  return links;
}

}  // namespace vidi
