#include "gst/filter/element_pads.h"

namespace vidi {

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

void push_events(Delivery& delivery, GstPad* src) {
  for (GstEvent* event : delivery.take_events()) gst_pad_push_event(src, event);
}

}  // namespace vidi
