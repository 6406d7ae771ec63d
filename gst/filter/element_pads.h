// What the element's pads have in common.
#pragma once

#include <gst/gst.h>

#include "gst/results/delivery.h"

namespace vidi {

// What pads call; in vidifilter_class.cpp, since they find the element's Filter.
GstFlowReturn on_video_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer);
gboolean on_video_event(GstPad* pad, GstObject* parent, GstEvent* event);
gboolean on_video_query(GstPad* pad, GstObject* parent, GstQuery* query);
GstFlowReturn on_audio_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer);
gboolean on_audio_event(GstPad* pad, GstObject* parent, GstEvent* event);
gboolean on_audio_query(GstPad* pad, GstObject* parent, GstQuery* query);
GstIterator* internal_links(GstPad* pad, GstObject* parent);

// Caps, allocation and scheduling pass between the two pads of a pair as if we were not there.
void pass_through(GstPad* sink, GstPad* src);

// A new one, of the template with this name.
GstPad* pad_of(GstElement* element, const char* name);

// A pad that is added now is to be active.
bool takes_data(GstElement* element);

// What was to leave before the next buffer.
void push_events(Delivery& delivery, GstPad* src);

}  // namespace vidi
