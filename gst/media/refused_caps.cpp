#include "gst/media/refused_caps.h"

#include <memory>

namespace vidi {
namespace {

struct Unref {
  void operator()(GstPad* pad) const { gst_object_unref(pad); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(gchar* text) const { g_free(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

// What copies pictures out of a kind of memory.
struct Download {
  const char* feature;
  const char* element;
};
constexpr Download kDownloads[] = {
    {"memory:GLMemory", "gldownload"},     {"memory:DMABuf", "vapostproc"},
    {"memory:VAMemory", "vapostproc"},     {"memory:VASurface", "vaapipostproc"},
    {"memory:CUDAMemory", "cudadownload"}, {"memory:VulkanImage", "vulkandownload"},
    {"memory:NVMM", "nvvideoconvert"},
};

bool has(GstPad* pad, const GstCaps* caps) {
  const Owned<GstCaps> current(gst_pad_get_current_caps(pad));
  return current && gst_caps_is_equal(current.get(), caps);
}

// The pad whose caps this one hands on as they are, as in a queue and at the edge of a bin.
Owned<GstPad> before(GstPad* src) {
  if (!GST_PAD_IS_PROXY_CAPS(src)) return nullptr;
  const Owned<GstPad> inside(gst_pad_get_single_internal_link(src));
  return Owned<GstPad>(inside ? gst_pad_get_peer(inside.get()) : nullptr);
}

// A pad has its caps before it sends them; those on the way that hand them on get them only when
// they were accepted.
bool are_sent(GstPad* sink, const GstCaps* caps) {
  for (Owned<GstPad> at(gst_pad_get_peer(sink)); at; at = before(at.get()))
    if (has(at.get(), caps)) return true;
  return false;
}

bool template_takes(GstPad* sink, const GstCaps* caps) {
  const Owned<GstCaps> all(gst_pad_get_pad_template_caps(sink));
  return gst_caps_is_subset(caps, all.get());
}

const char* remedy(const GstCaps* caps, const TakenCaps& taken) {
  if (!gst_structure_has_name(gst_caps_get_structure(caps, 0), taken.kind)) return "decodebin";
  for (const Download& one : kDownloads)
    if (gst_caps_features_contains(gst_caps_get_features(caps, 0), one.feature)) return one.element;
  return taken.converter;
}

}  // namespace

std::string refusal_of_caps(GstPad* sink, GstQuery* query, const TakenCaps& taken) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ACCEPT_CAPS) return "";
  gboolean is_taken = FALSE;
  gst_query_parse_accept_caps_result(query, &is_taken);
  GstCaps* caps = nullptr;
  gst_query_parse_accept_caps(query, &caps);
  if (is_taken || !gst_caps_is_fixed(caps) || template_takes(sink, caps) || !are_sent(sink, caps))
    return "";
  const Owned<gchar> found(gst_caps_to_string(caps));
  const std::string complaint = std::string("expected ") + taken.words + ", found " + found.get();
  if (!taken.kind) return complaint;
  return complaint + ": put " + remedy(caps, taken) + " in front";
}

}  // namespace vidi
