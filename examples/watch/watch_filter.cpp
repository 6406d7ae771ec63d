#include "examples/watch/watch_filter.h"

#include "examples/common/queries.h"

namespace {

GstClockTime ns(double seconds) { return static_cast<GstClockTime>(seconds * GST_SECOND); }

}  // namespace

GstElement* make_filter(const WatchArguments& a, const std::string& model) {
  GstElement* filter = gst_element_factory_make("vidifilter", nullptr);
  if (!filter) return nullptr;
  gint rate_n = 0, rate_d = 1;  // the checkpoint's own
  if (a.rate > 0) gst_util_double_to_fraction(a.rate, &rate_n, &rate_d);
  g_object_set(filter, "model-path", model.c_str(), "device", a.device.c_str(), "window-duration",
               ns(a.window_s), "window-stride", ns(a.stride_s), "min-confidence", a.min_confidence,
               "frame-rate", rate_n, rate_d, nullptr);
  gst_util_set_object_arg(G_OBJECT(filter), "precision", a.precision.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "weights", a.weights.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "keys", a.keys.c_str());
  g_object_set(filter, "memory-limit", static_cast<guint64>(*a.memory_limit), "unload-after",
               ns(a.unload_after_s), "split-windows", a.splits_windows, nullptr);
  // The present matters: when the model is too slow, the oldest windows are left out.
  gst_util_set_object_arg(G_OBJECT(filter), "overload-policy", "drop-oldest");
  gst_util_set_object_arg(G_OBJECT(filter), "task", a.task.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "gate", a.gate.c_str());
  if (a.gate_similarity > 0) g_object_set(filter, "gate-similarity", a.gate_similarity, nullptr);
  g_object_set(filter, "max-highlights", static_cast<guint>(a.max_highlights), nullptr);
  set_queries(filter, a.queries);
  return filter;
}
