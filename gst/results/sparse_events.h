// Small things about events that the files of sparse_pad.h share.
#pragma once

#include <gst/gst.h>

namespace vidi {

// The event, now with the seqnum if that is one.
inline GstEvent* with_seqnum(GstEvent* event, guint32 seqnum) {
  if (seqnum != GST_SEQNUM_INVALID) gst_event_set_seqnum(event, seqnum);
  return event;
}

inline bool is_caps(GstMiniObject* item) {
  return GST_IS_EVENT(item) && GST_EVENT_TYPE(item) == GST_EVENT_CAPS;
}

}  // namespace vidi
