// The wall clock of a source, as GstReferenceTimestampMeta tells it (rtspsrc, from RTCP reports).
#pragma once

#include <gst/gst.h>

#include <optional>

// When this was seen, in nanoseconds since 1970; empty where the source does not say.
std::optional<gint64> camera_clock_ns(GstBuffer* buffer);
