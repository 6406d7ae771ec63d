// Hits on the pictures themselves, as GstAnalytics' metadata (GStreamer 1.24): a classification
// whose classes are the ids of the questions that hold now, never their text.
#pragma once

#include <gst/gst.h>

#include <vector>

#include "gst/results/present_hits.h"

namespace vidi {

bool has_analytics_meta();  // whether this build knows it

// Takes the buffer; what it returns holds the same memory. Without hits it is the buffer as it was.
GstBuffer* with_analytics_meta(GstBuffer* buffer, const std::vector<PresentHit>& hits);

}  // namespace vidi
