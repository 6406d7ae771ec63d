// Some cameras send pictures without any time (JPEG over HTTP): then the arrival is their time.
#pragma once

#include <gst/gst.h>

// Stamps every buffer without PTS and DTS that leaves this pad with the running time of `pipeline`.
// For a live stream that is not decoded yet. Stays on the pad; the pipeline outlives it.
void stamp_arrivals(GstPad* pad, GstElement* pipeline);
