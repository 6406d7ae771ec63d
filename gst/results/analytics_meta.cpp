#include "gst/results/analytics_meta.h"

#include <gst/analytics/analytics.h>

namespace vidi {

bool has_analytics_meta() { return true; }

GstBuffer* with_analytics_meta(GstBuffer* buffer, const std::vector<PresentHit>& hits) {
  if (hits.empty()) return buffer;
  std::vector<GQuark> classes;
  std::vector<gfloat> confidences;
  for (const PresentHit& hit : hits) {
    classes.push_back(g_quark_from_string(hit.query_id.c_str()));
    confidences.push_back(static_cast<gfloat>(hit.confidence));
  }
  buffer = gst_buffer_make_writable(buffer);
  // One relation meta a buffer: an element before this one may have added it.
  GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
  if (!meta) meta = gst_buffer_add_analytics_relation_meta(buffer);
  GstAnalyticsClsMtd ignored;
  if (meta)
    gst_analytics_relation_meta_add_cls_mtd(meta, classes.size(), confidences.data(),
                                            classes.data(), &ignored);
  return buffer;
}

}  // namespace vidi
