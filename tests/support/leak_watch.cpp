// Fails a test program that leaves GStreamer objects behind, when it runs under GST_TRACERS=leaks.
// The tracer itself only writes to a log, and only in gst_deinit, which a program may forget.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <string>

namespace {

std::string line_of(const GValue* live) {
  gchar* text = gst_structure_to_string(gst_value_get_structure(live));
  const std::string line(text);
  g_free(text);
  return line;
}

void expect_nothing_alive(GstTracer* tracer) {
  GstStructure* info = nullptr;
  g_signal_emit_by_name(tracer, "get-live-objects", &info);
  ASSERT_NE(info, nullptr);
  const GValue* alive = gst_structure_get_value(info, "live-objects-list");
  for (guint i = 0; i < gst_value_list_get_size(alive); ++i) {
    ADD_FAILURE() << "still alive: " << line_of(gst_value_list_get_value(alive, i));
  }
  gst_structure_free(info);
}

class LeakWatch : public testing::Environment {
 public:
  void TearDown() override {
    if (!gst_is_initialized()) return;
    gst_task_cleanup_all();  // a thread lets go of its GstTask after whoever joined it goes on
    GList* tracers = gst_tracing_get_active_tracers();
    for (GList* tracer = tracers; tracer; tracer = tracer->next) {
      if (g_strcmp0(G_OBJECT_TYPE_NAME(tracer->data), "GstLeaksTracer") == 0)
        expect_nothing_alive(GST_TRACER(tracer->data));
    }
    g_list_free_full(tracers, gst_object_unref);
  }
};

[[maybe_unused]] const auto* const watch = testing::AddGlobalTestEnvironment(new LeakWatch);

}  // namespace
