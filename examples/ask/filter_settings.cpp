#include "examples/ask/filter_settings.h"

#include "examples/common/queries.h"

namespace {

constexpr guint kAllWindows = 1'000'000;

guint64 nanoseconds(double seconds) { return static_cast<guint64>(seconds * GST_SECOND); }

}  // namespace

void configure(GstElement* filter, const Arguments& a, const std::string& model) {
  g_object_set(filter, "model-path", model.c_str(), "device", a.device.c_str(), "split-windows",
               a.splits_windows, nullptr);
  gst_util_set_object_arg(G_OBJECT(filter), "precision", a.precision.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "weights", a.weights.c_str());
  gst_util_set_object_arg(G_OBJECT(filter), "keys", a.keys.c_str());
  g_object_set(filter, "memory-limit", static_cast<guint64>(*a.memory_limit), nullptr);
  gst_util_set_object_arg(G_OBJECT(filter), "task", a.task.c_str());
  set_queries(filter, a.queries);
  if (a.unload_after_s)
    g_object_set(filter, "unload-after", nanoseconds(*a.unload_after_s), nullptr);
  if (a.window_s) g_object_set(filter, "window-duration", nanoseconds(*a.window_s), nullptr);
  if (a.stride_s || a.window_s) {
    const double stride_s = a.stride_s.value_or(a.window_s.value_or(0) / 2);
    g_object_set(filter, "window-stride", nanoseconds(stride_s), nullptr);
  }
  if (a.rate) {
    gint numerator = 1, denominator = 1;
    gst_util_double_to_fraction(*a.rate, &numerator, &denominator);
    g_object_set(filter, "frame-rate", numerator, denominator, nullptr);
  }
  g_object_set(filter, "max-highlights", static_cast<guint>(a.max_highlights), nullptr);
  if (a.min_confidence) g_object_set(filter, "min-confidence", *a.min_confidence, nullptr);
  if (a.ask_more) g_object_set(filter, "keep-windows", kAllWindows, nullptr);
}
