// What a decoder and vidifilter say to each other. The decoder asks how frames will be chosen, in a
// custom query that goes downstream and that nobody else answers. A frame that it does not decode
// passes as a GAP event, which vidifilter can tell from others by a field of its own: it takes the
// frame's times into account as if it had come.
#pragma once

#include <gst/gst.h>

#include <optional>

#include "gst/decode/frame_plan.h"

namespace vidi {

// Of vidifilter: true when the query is this one.
bool answer_sampling_query(GstQuery* query, const SamplingSettings& settings);

// Asks the peer of a source pad; nothing when it is no vidifilter, or when that does not watch.
std::optional<SamplingSettings> ask_sampling(GstPad* pad);

GstEvent* skipped_frame_event(Time pts, Time end, guint32 seqnum);
bool is_skipped_frame(GstEvent* event);

}  // namespace vidi
