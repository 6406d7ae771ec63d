// The smallest application around the element: prints every hit in a file as it is found.
//
//   GST_PLUGIN_PATH=build/gst build/examples/embed FILE CHECKPOINT QUERY
#include <gst/gst.h>

#include <cstdio>

// One line a result. Hits that the next window may still change are marked final=false.
static void print_result(const GstStructure* result) {
  gboolean final = FALSE;
  guint64 start = 0, duration = 0;
  gst_structure_get(result, "final", G_TYPE_BOOLEAN, &final, "stream-time", G_TYPE_UINT64, &start,
                    "duration", G_TYPE_UINT64, &duration, nullptr);
  if (!final) return;
  std::printf("%s: %.1f s to %.1f s\n", gst_structure_get_string(result, "query"),
              double(start) / GST_SECOND, double(start + duration) / GST_SECOND);
}

static void print_error(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  std::fprintf(stderr, "embed: %s\n", error->message);
  g_clear_error(&error);
}

// The end of the stream comes after the last result: true. An error: false.
static bool watch(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessageType last = GST_MESSAGE_UNKNOWN;
  while (last != GST_MESSAGE_EOS && last != GST_MESSAGE_ERROR) {
    GstMessage* message = gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE);
    last = GST_MESSAGE_TYPE(message);
    if (gst_message_has_name(message, "vidi/result"))
      print_result(gst_message_get_structure(message));
    if (last == GST_MESSAGE_ERROR) print_error(message);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return last == GST_MESSAGE_EOS;
}

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 4) {
    std::fprintf(stderr, "usage: embed FILE CHECKPOINT QUERY\n");
    return 2;
  }
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(
      "uridecodebin name=file vidifilter name=vidi  file. ! queue ! vidi.sink"
      "  file. ! queue ! vidi.audio_sink  vidi.src ! fakesink sync=false",
      &error);
  if (error) {
    std::fprintf(stderr, "embed: %s\n", error->message);
    return 1;
  }
  gchar* uri = gst_filename_to_uri(argv[1], nullptr);
  gst_child_proxy_set(GST_CHILD_PROXY(pipeline), "file::uri", uri, "vidi::model-path", argv[2],
                      "vidi::query", argv[3], nullptr);
  g_free(uri);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  const bool watched = watch(pipeline);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return watched ? 0 : 1;
}
