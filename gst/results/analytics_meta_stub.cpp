#include "gst/results/analytics_meta.h"

namespace vidi {

bool has_analytics_meta() { return false; }

GstBuffer* with_analytics_meta(GstBuffer* buffer, const std::vector<PresentHit>&) { return buffer; }

}  // namespace vidi
