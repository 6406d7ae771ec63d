#include "gst/decode/inner_decoder.h"

#include <gst/video/video.h>

#include <utility>

#include "kernels/usable_cores.h"

namespace vidi {
namespace {

constexpr char kOwnName[] = "vididecode";
// Sessions of one NVDEC engine gain little beyond it.
constexpr int kHardwareSessions = 4;

GstPad* own_pad(GstPadDirection direction, gpointer self) {
  GstPad* pad = gst_pad_new(nullptr, direction);
  gst_object_ref_sink(pad);
  gst_pad_set_element_private(pad, self);
  return pad;
}

// Software decoders call their number of threads by different names.
void set_single_thread(GstElement* element) {
  for (const char* name : {"max-threads", "threads", "n-threads"}) {
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), name))
      gst_util_set_object_arg(G_OBJECT(element), name, "1");
  }
}

gboolean is_other_decoder(GstPluginFeature* feature, gpointer) {
  if (!GST_IS_ELEMENT_FACTORY(feature) || gst_plugin_feature_get_rank(feature) < GST_RANK_MARGINAL)
    return false;
  constexpr auto kKind = GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO;
  return gst_element_factory_list_is_type(GST_ELEMENT_FACTORY(feature), kKind) &&
         !g_str_equal(GST_OBJECT_NAME(feature), kOwnName);
}

bool is_kind(GstElementFactory* factory, const char* word) {
  const gchar* klass = gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS);
  return klass && g_strrstr(klass, word);
}

}  // namespace

GstElementFactory* best_decoder(const GstCaps* caps) {
  GList* all = gst_registry_feature_filter(gst_registry_get(), is_other_decoder, FALSE, nullptr);
  all = g_list_sort(all, gst_plugin_feature_rank_compare_func);
  GList* fitting = gst_element_factory_list_filter(all, caps, GST_PAD_SINK, TRUE);
  GstElementFactory* best = fitting ? GST_ELEMENT_FACTORY(gst_object_ref(fitting->data)) : nullptr;
  gst_plugin_feature_list_free(fitting);
  gst_plugin_feature_list_free(all);
  return best;
}

// Pictures are kept until those before them are there. Software and NVDEC give as many buffers as
// are taken, other hardware decodes into few.
int n_side_by_side(GstElementFactory* factory) {
  if (g_str_has_prefix(GST_OBJECT_NAME(factory), "nv")) return kHardwareSessions;
  return is_kind(factory, "Hardware") ? 1 : usable_cores();
}

std::unique_ptr<InnerDecoder> InnerDecoder::make(GstBin* bin, GstElementFactory* factory,
                                                 GstPad* outlet, bool alone) {
  GstElement* element = gst_element_factory_create(factory, nullptr);
  if (!element) return nullptr;
  if (alone) set_single_thread(element);
  std::unique_ptr<InnerDecoder> decoder(new InnerDecoder(bin, element, outlet, alone));
  return decoder->start() ? std::move(decoder) : nullptr;
}

InnerDecoder::InnerDecoder(GstBin* bin, GstElement* element, GstPad* outlet, bool alone)
    : bin_(bin),
      element_(element),
      outlet_(outlet),
      alone_(alone),
      in_(own_pad(GST_PAD_SRC, this)),
      out_(own_pad(GST_PAD_SINK, this)) {
  gst_pad_set_chain_function(out_, on_buffer);
  gst_pad_set_event_function(out_, on_event);
  gst_pad_set_query_function(out_, on_query);
  gst_object_ref(element_);
  gst_bin_add(bin_, element_);
}

bool InnerDecoder::start() {
  GstPad* sink = gst_element_get_static_pad(element_, "sink");
  GstPad* src = gst_element_get_static_pad(element_, "src");
  const bool linked = sink && src && gst_pad_link(in_, sink) == GST_PAD_LINK_OK &&
                      gst_pad_link(src, out_) == GST_PAD_LINK_OK;
  g_clear_object(&sink);
  g_clear_object(&src);
  gst_pad_set_active(out_, TRUE);
  gst_pad_set_active(in_, TRUE);
  // Its state is ours to change: the bin follows later, when its own change is done.
  gst_element_set_locked_state(element_, TRUE);
  return linked && gst_element_set_state(element_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

InnerDecoder::~InnerDecoder() {
  gst_pad_set_active(in_, FALSE);
  gst_element_set_state(element_, GST_STATE_NULL);
  gst_pad_set_active(out_, FALSE);
  gst_bin_remove(bin_, element_);
  gst_object_unref(element_);
  gst_object_unref(in_);
  gst_object_unref(out_);
}

void InnerDecoder::on_output(TakeBuffer take_buffer, TakeEvent take_event) {
  take_buffer_ = std::move(take_buffer);
  take_event_ = std::move(take_event);
}

bool InnerDecoder::begin(GstCaps* caps, const GstSegment& segment) {
  begins_ = true;
  return send(gst_event_new_stream_start("gop")) && send(gst_event_new_caps(caps)) &&
         send(gst_event_new_segment(&segment));
}

GstFlowReturn InnerDecoder::push(const CodedFrame& frame) {
  GstBuffer* buffer = gst_buffer_ref(frame.buffer.get());
  if (std::exchange(begins_, false)) {
    buffer = gst_buffer_make_writable(buffer);
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  }
  return gst_pad_push(in_, buffer);
}

bool InnerDecoder::send(GstEvent* event) { return gst_pad_push_event(in_, event); }

// EOS makes a decoder give what it has, and a flush makes it forget that there was one.
void InnerDecoder::drain(const GstSegment& segment) {
  send(gst_event_new_eos());
  send(gst_event_new_flush_start());
  send(gst_event_new_flush_stop(TRUE));
  send(gst_event_new_segment(&segment));
  begins_ = true;
}

GstFlowReturn InnerDecoder::on_buffer(GstPad* pad, GstObject*, GstBuffer* buffer) {
  auto* self = static_cast<InnerDecoder*>(gst_pad_get_element_private(pad));
  return self->take_buffer_(buffer);
}

gboolean InnerDecoder::on_event(GstPad* pad, GstObject*, GstEvent* event) {
  auto* self = static_cast<InnerDecoder*>(gst_pad_get_element_private(pad));
  if (self->take_event_) {
    self->take_event_(event);
  } else {
    gst_event_unref(event);
  }
  return TRUE;
}

// What downstream takes, and its GPU context. A pool several decoders cannot share; vidifilter
// reads pictures with rows of any length, so that they need not be copied into plain ones.
gboolean InnerDecoder::on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  auto* self = static_cast<InnerDecoder*>(gst_pad_get_element_private(pad));
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_ALLOCATION:
      if (!self->alone_) return gst_pad_peer_query(self->outlet_, query);
      gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
      return TRUE;
    case GST_QUERY_CAPS: {
      GstCaps* filter = nullptr;
      gst_query_parse_caps(query, &filter);
      GstCaps* caps = gst_pad_peer_query_caps(self->outlet_, filter);
      gst_query_set_caps_result(query, caps);
      gst_caps_unref(caps);
      return TRUE;
    }
    case GST_QUERY_CONTEXT:
      return gst_pad_peer_query(self->outlet_, query);
    default:
      return gst_pad_query_default(pad, parent, query);
  }
}

}  // namespace vidi
