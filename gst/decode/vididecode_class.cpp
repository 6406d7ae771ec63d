/**
 * SECTION:element-vididecode
 * @title: vididecode
 * @short_description: decodes what vidifilter will look at, several parts of a file side by side
 *
 * vididecode goes before vidifilter and decodes a file for it: only the pictures that vidifilter
 * samples, and what they depend on, with as many decoders side by side as the machine has use for.
 * The decoder itself is the one that GStreamer ranks highest. All other frames pass as GAP events.
 * vidifilter picks the same pictures as behind an ordinary decoder; it must not be told other
 * windows or to analyze-now meanwhile, since a few ranges are decoded ahead.
 *
 * Its rank is NONE: an application that wants decodebin to take it raises that. Where no vidifilter
 * is downstream, and for streams that cannot be cut, all frames pass, from one decoder.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m filesrc location=clip.mp4 ! qtdemux ! h264parse ! vididecode ! \
 *   vidifilter model-path=MODEL query="a dog" window-duration=0 ! fakesink sync=false
 * ]| When a dog is seen in a file.
 */
#include <exception>

#include "gst/decode/vididecode.h"
#include "gst/media/picture.h"
#include "gst/media/refused_caps.h"

GST_DEBUG_CATEGORY(vididecode_debug);
#define GST_CAT_DEFAULT vididecode_debug

struct _GstVidiDecode {
  GstBin parent;
  vidi::SamplingDecoder* decoder;
};

G_DEFINE_TYPE(GstVidiDecode, gst_vidi_decode, GST_TYPE_BIN)

namespace {

enum : guint { kPropDecoders = 1, kPropStats };
constexpr guint kMostDecoders = 256;

vidi::SamplingDecoder& decoder_of(gpointer object) { return *GST_VIDI_DECODE(object)->decoder; }

// No exception leaves for GStreamer's C code.
template <class T, class Body>
T guarded(gpointer object, T otherwise, Body body) noexcept {
  try {
    return body(decoder_of(object));
  } catch (const std::exception& e) {
    GST_ELEMENT_ERROR(object, CORE, FAILED, ("%s", e.what()), (NULL));
    return otherwise;
  }
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (id == kPropDecoders) {
    decoder_of(object).n_decoders = g_value_get_uint(value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

GstStructure* stats_of(const vidi::SamplingDecoder& decoder) {
  return gst_structure_new("vididecode-stats", "frames-in", G_TYPE_UINT64, decoder.n_coded.load(),
                           "frames-out", G_TYPE_UINT64, decoder.n_fed.load(), "ranges",
                           G_TYPE_UINT64, decoder.n_gops.load(), nullptr);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (id == kPropDecoders) {
    g_value_set_uint(value, decoder_of(object).n_decoders);
  } else if (id == kPropStats) {
    g_value_take_boxed(value, stats_of(decoder_of(object)));
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void install_properties(GObjectClass* klass) {
  constexpr auto kRead = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  constexpr auto kWrite =
      static_cast<GParamFlags>(kRead | G_PARAM_WRITABLE | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      klass, kPropDecoders,
      g_param_spec_uint("decoders", "Decoders",
                        "Decoders side by side; 0: one for each usable core, or 4 of NVDEC; 1: one "
                        "alone, and all frames pass",
                        0, kMostDecoders, 0, kWrite));
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed("stats", "Stats",
                         "frames-in, frames-out and ranges (decoded side by side), all uint64",
                         GST_TYPE_STRUCTURE, kRead));
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  return guarded(element, GST_STATE_CHANGE_FAILURE, [&](vidi::SamplingDecoder& decoder) {
    if (change == GST_STATE_CHANGE_READY_TO_PAUSED) decoder.resume();
    if (change == GST_STATE_CHANGE_PAUSED_TO_READY) decoder.interrupt();
    const auto changed =
        GST_ELEMENT_CLASS(gst_vidi_decode_parent_class)->change_state(element, change);
    const bool ends =
        change == GST_STATE_CHANGE_PAUSED_TO_READY ||
        (change == GST_STATE_CHANGE_READY_TO_PAUSED && changed == GST_STATE_CHANGE_FAILURE);
    if (ends) decoder.end();
    return changed;
  });
}

void handle_message(GstBin* bin, GstMessage* message) {
  const bool complains = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR ||
                         GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING;
  const bool own = GST_MESSAGE_SRC(message) == GST_OBJECT(bin);
  if (complains && !own && !decoder_of(bin).has_fallen_back()) return gst_message_unref(message);
  GST_BIN_CLASS(gst_vidi_decode_parent_class)->handle_message(bin, message);
}

void add_template(GstElementClass* klass, const char* name, GstPadDirection direction,
                  GstCaps* caps) {
  GstPadTemplate* templ = gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps);
  gst_pad_template_set_documentation_caps(templ, caps);
  gst_element_class_add_pad_template(klass, templ);
  gst_caps_unref(caps);
}

void finalize(GObject* object) {
  delete GST_VIDI_DECODE(object)->decoder;
  G_OBJECT_CLASS(gst_vidi_decode_parent_class)->finalize(object);
}

// ---- What pads call ----

GstFlowReturn on_buffer(GstPad*, GstObject* parent, GstBuffer* buffer) {
  return guarded(parent, GST_FLOW_ERROR,
                 [&](vidi::SamplingDecoder& decoder) { return decoder.chain(buffer); });
}

gboolean on_event(GstPad*, GstObject* parent, GstEvent* event) {
  return guarded(parent, FALSE,
                 [&](vidi::SamplingDecoder& decoder) { return decoder.event(event); });
}

gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const gboolean answered = gst_pad_query_default(pad, parent, query);
  const std::string why = guarded(parent, std::string(), [&](vidi::SamplingDecoder&) {
    return vidi::refusal_of_caps(pad, query,
                                 {"H.264 or H.265 as h264parse and h265parse give it, VP8 or VP9"});
  });
  if (!why.empty()) GST_ELEMENT_ERROR(parent, CORE, NEGOTIATION, ("%s", why.c_str()), (nullptr));
  return answered;
}

GstPad* pad_of(GstBin* bin, const char* name) {
  GstElementClass* klass = GST_ELEMENT_GET_CLASS(bin);
  GstPad* pad = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, name), name);
  gst_element_add_pad(GST_ELEMENT(bin), pad);
  return pad;
}

}  // namespace

namespace vidi {

SamplingDecoder::SamplingDecoder(GstBin* bin)
    : bin_(bin), sink_(pad_of(bin, "sink")), src_(pad_of(bin, "src")) {
  gst_pad_set_chain_function(sink_, on_buffer);
  gst_pad_set_event_function(sink_, on_event);
  gst_pad_set_query_function(sink_, on_query);
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
}

SamplingDecoder::~SamplingDecoder() { end(); }

}  // namespace vidi

static void gst_vidi_decode_class_init(GstVidiDecodeClass* klass) {
  GST_DEBUG_CATEGORY_INIT(vididecode_debug, "vididecode", 0, "Vidi decoder of sampled pictures");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  GST_BIN_CLASS(klass)->handle_message = handle_message;
  add_template(element_class, "sink", GST_PAD_SINK, vidi::coded_frame_caps());
  add_template(element_class, "src", GST_PAD_SRC, vidi::video_template_caps());
  gst_element_class_set_static_metadata(
      element_class, "Vidi decoder of sampled pictures", "Codec/Decoder/Video",
      "Decodes what vidifilter will look at, several parts of a file side by side",
      "The vidifilter authors");
}

static void gst_vidi_decode_init(GstVidiDecode* self) {
  self->decoder = new vidi::SamplingDecoder(GST_BIN(self));
}
